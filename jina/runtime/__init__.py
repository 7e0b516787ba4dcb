"""The processes of a running Flow: the router that decides, the gateway around it, the workers."""
