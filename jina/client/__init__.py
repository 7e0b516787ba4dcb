"""Post Documents to a running Flow: `post` for Python programs, `files` for files.

`session` is the connection, `exchange` what goes over it, `resume` how a post of files survives.
"""
