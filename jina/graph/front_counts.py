"""The head of the file in which a front of HTTP counts: what others may read of it.

The file is an array of 64-bit numbers. Its rows, behind the head, are read by fronts alone.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

MAGIC = int.from_bytes(b"jinahtt2", "little")
PID, IN_FLIGHT, USED, DONE, HEAD = 1, 2, 3, 4, 8  # places; of the first row
_HEAD = struct.Struct(f"<{HEAD}q")
HEAD_BYTES = _HEAD.size


class FrontCounts(NamedTuple):
    """What the processes in one place of a Flow have done.

    Attributes:
        pid: of the one that counts now.
        in_flight: requests that have no answer yet.
        done: requests that have been answered, by earlier processes too.
    """

    pid: int = 0
    in_flight: int = 0
    done: int = 0


def path_of(directory: str, slot: int) -> str:
    """The file of one front, in the folder that the fronts of its Flow share."""
    return os.path.join(directory, f"http-{slot}.counts")


def counts_of(head: bytes) -> FrontCounts:
    """What a file says, from its first `HEAD_BYTES`; zeros if it is only being made."""
    if len(head) != HEAD_BYTES:
        return FrontCounts()
    numbers = _HEAD.unpack(head)
    if numbers[0] != MAGIC:
        return FrontCounts()
    return FrontCounts(numbers[PID], numbers[IN_FLIGHT], numbers[DONE])
