"""The command line: parse, call jina, show. Nothing here knows a socket or opens a body."""
