"""Flows over several network namespaces: machines, as far as the network goes."""
