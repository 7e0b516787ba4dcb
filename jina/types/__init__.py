"""Documents and arrays of Documents: what Executors work on.

Nothing here knows about sockets, processes or configuration files. numpy is loaded when a tensor is
first touched.
"""
