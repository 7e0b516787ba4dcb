"""What crosses a process border, as bytes: the header, the maps, the parts of a body, the limits.

Nothing here knows a socket. The layout, with examples in bytes, is in docs/wire.md.
"""
