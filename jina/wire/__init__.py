"""What crosses a process border, as bytes: the header, the maps, the parts of a body, the limits.

Nothing here knows a socket. The layout, with worked bytes, stands in docs/wire.md.
"""
