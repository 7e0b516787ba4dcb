"""The begin board: which request each worker has begun, readable after the worker's death.

A shared file of slots, one per incarnation of a worker. Before calling user code a worker
writes the request's number into its slot, afterwards zero. Unlike a message it is there at the next
instruction, so a worker that is killed a microsecond later still tells which request it had begun,
and it costs a store instead of a send, a wake-up and a receive.

Beside the number stands when that was, and what the worker has done so far. So whoever asks how a
worker is reads it here: it need not answer, which one that is stopped or hangs could not.

One word is the gateway's: how many CANCELs it has sent to the worker. To look for one in its socket
before each call would cost the worker some microseconds; to look here costs next to nothing.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

SLOTS = 8192  # an incarnation takes the next free slot, modulo this
_WORDS = 8  # of a slot; each of 8 bytes: a cache line, which no other worker writes
_SINCE, _CALLS, _DOCS, _BUSY, _CANCELS, _USED = range(1, 7)  # behind the number
_BYTES = SLOTS * _WORDS * 8


class Work(NamedTuple):
    """What a worker is at, and what it has done so far.

    Attributes:
        begun: the number of the request that it has begun; 0 for none.
        since_s: for how long it has been at that, or without work; 0 before its first request.
        calls: requests, or lots of them, that it has finished.
        docs: Documents in them.
        busy_s: seconds that they took, without the one that is begun.
    """

    begun: int
    since_s: float
    calls: int
    docs: int
    busy_s: float


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
        return self._slots[slot % SLOTS * _WORDS]

    def __setitem__(self, slot: int, number: int) -> None:
        """Note the number of the request that is begun; 0 for none."""
        self._slots[slot % SLOTS * _WORDS] = number

    def clear(self, slot: int) -> None:
        """Forget an earlier incarnation: slots are used again after thousands of restarts."""
        place = slot % SLOTS * _WORDS
        for word in range(_USED):
            self._slots[place + word] = 0

    def begin(self, slot: int, number: int) -> None:
        """Note that a request is begun, and when."""
        place = slot % SLOTS * _WORDS
        self._slots[place + _SINCE] = time.monotonic_ns()
        self._slots[place] = number

    def end(self, slot: int, docs: int) -> None:
        """Note that what was begun is done, and of how many Documents it was."""
        slots, place, now = self._slots, slot % SLOTS * _WORDS, time.monotonic_ns()
        slots[place] = 0
        slots[place + _BUSY] += now - slots[place + _SINCE]
        slots[place + _SINCE] = now
        slots[place + _CALLS] += 1
        slots[place + _DOCS] += docs

    def work(self, slot: int) -> Work:
        """What a worker is at, and what it has done; it may go on while this is read."""
        place = slot % SLOTS * _WORDS
        begun, since, calls, docs, busy = self._slots[place : place + _CANCELS]
        since_s = (time.monotonic_ns() - since) / 1e9 if since else 0.0
        return Work(begun, max(0.0, since_s), calls, docs, busy / 1e9)

    def cancel(self, slot: int) -> None:
        """Note that a CANCEL was sent to a worker."""
        self._slots[slot % SLOTS * _WORDS + _CANCELS] += 1

    def cancels(self, slot: int) -> int:
        """How many CANCELs were sent to a worker."""
        return self._slots[slot % SLOTS * _WORDS + _CANCELS]

    def close(self) -> None:
        """Unmap it."""
        self._slots.release()
        self._map.close()
