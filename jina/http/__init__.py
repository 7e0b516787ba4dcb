"""The HTTP front: processes that speak HTTP to others and are clients of a Flow."""
