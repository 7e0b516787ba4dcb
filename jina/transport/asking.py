"""Where a gateway answers questions at any time, also while it takes no requests."""

from __future__ import annotations

_NAME = "asks.ipc"
_LOCAL = "ipc://"


def address_in(directory: str) -> str:
    """The address in the run directory of a Flow."""
    return f"{_LOCAL}{directory}/{_NAME}"


def address_beside(front: str) -> str:
    """The address that belongs to one for clients; "" if that is on another machine."""
    if not front.startswith(_LOCAL):
        return ""
    return address_in(front[len(_LOCAL) :].rpartition("/")[0])
