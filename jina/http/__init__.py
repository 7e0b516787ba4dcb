"""The HTTP front: a process that speaks HTTP and WebSocket to others, and is a client of the Flow.

No user code runs here, and what goes wrong here costs the Flow nothing. Only this room imports
starlette, uvicorn, httptools, uvloop and websockets.
"""
