"""Documents and arrays of Documents: what Executors work on, and how it becomes bytes and back.

Nothing here knows sockets, processes or files of configuration. numpy is loaded when a tensor is
touched, and not before.
"""
