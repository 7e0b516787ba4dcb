"""The begin board: which request each worker has begun, readable after the worker's death.

A shared file of 8-byte slots, one per incarnation of a worker. Before calling user code a worker
writes the request's number into its slot, afterwards zero. Unlike a message it is there at the next
instruction, so a worker that is killed a microsecond later still tells which request it had begun,
and it costs a store instead of a send, a wake-up and a receive.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Collection
from pathlib import Path

SLOTS = 8192  # an incarnation takes the next free slot, modulo this
_BYTES = SLOTS * 8


def create_board(path: Path) -> None:
    """Create an empty board, readable by its owner only."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        # Written, not only sized: a full disk is an error here, not a signal at the first store.
        os.write(descriptor, bytes(_BYTES))
    finally:
        os.close(descriptor)


def next_slot(last: int, taken: Collection[int]) -> int:
    """The number of the next incarnation: one whose slot no living incarnation has.

    Args:
        last: the number given last; numbers only grow, so that each names one incarnation.
        taken: numbers of the living; when there are more of them than slots, some share one.
    """
    slot = last + 1
    if slot < SLOTS:  # nobody can have it yet
        return slot
    places = {each % SLOTS for each in taken}
    while slot % SLOTS in places and len(places) < SLOTS:
        slot += 1
    return slot


class Board:
    """A view of the board; workers write their own slot, the gateway reads any.

    Args:
        path: of a file that `create_board` made.
    """

    def __init__(self, path: str | Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(descriptor, _BYTES)
        finally:
            os.close(descriptor)
        self._slots = memoryview(self._map).cast("Q")

    def __getitem__(self, slot: int) -> int:
        """The number of the request that was begun; 0 for none."""
        return self._slots[slot % SLOTS]

    def __setitem__(self, slot: int, number: int) -> None:
        """Note the number of the request that is begun; 0 for none."""
        self._slots[slot % SLOTS] = number

    def close(self) -> None:
        """Unmap it."""
        self._slots.release()
        self._map.close()
