"""Make tcp connections of this process fall silent, as if the other machine had vanished."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

_SO_ATTACH_FILTER = 26
_ESTABLISHED = "01"
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # "return 0" in the language of socket filters


def silence(address: str) -> int:
    """Let this process's end of every connection to a port hear nothing any more.

    What comes in is dropped before the kernel sees it: no data, no acknowledgement, no end.

    Args:
        address: such as "tcp://127.0.0.1:5555".

    Returns:
        how many ends were silenced.
    """
    port = int(address.rpartition(":")[2])
    program = ctypes.create_string_buffer(_DROP_ALL)
    found = 0
    for end in _tcp_sockets():
        with end:
            if port in (end.getsockname()[1], end.getpeername()[1]):
                option = struct.pack("HL", 1, ctypes.addressof(program))
                end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, option)
                found += 1
    return found


def ends(address: str) -> dict[tuple[str, str], bool]:
    """Both ends of each connection to a port, and whether the kernel asks whether the other lives.

    It does so at rest only: what was sent and not acknowledged is a question by itself.
    """
    port = f":{int(address.rpartition(':')[2]):04X}"
    found = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, _, timer, *_ = line.split()
        if state == _ESTABLISHED and port in (local[-5:], remote[-5:]):
            found[local, remote] = timer.startswith("02:")
    return found


def _tcp_sockets() -> Iterator[socket.socket]:
    """Duplicates of this process's connected tcp sockets."""
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptor = os.dup(int(name))
        except OSError:  # that of this very look
            continue
        try:
            end = socket.socket(fileno=descriptor)
        except OSError:  # no socket
            os.close(descriptor)
            continue
        try:
            is_meant = end.family == socket.AF_INET and bool(end.getpeername())
        except OSError:  # listens
            is_meant = False
        if is_meant:
            yield end
        else:
            end.close()
