"""Make ids for Documents that were given none."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable


def _new_source() -> Callable[[], str]:
    """Return a function that returns a new id at each call: a random prefix and a counter."""
    # 80 random bits tell processes and machines apart; the version nibble says "random" (4).
    noise = os.urandom(10).hex()
    prefix = f"{noise[:8]}-{noise[8:12]}-4{noise[12:15]}-8{noise[15:18]}-"
    # A random start, so that the first ids of two processes do not look alike.
    count = itertools.count(int.from_bytes(os.urandom(5), "big"))
    step = count.__next__

    def fresh_id() -> str:
        return f"{prefix}{step():012x}"

    return fresh_id


# Call it as `ids.fresh()`. The id is shaped like a UUID and unique among processes and machines.
fresh = _new_source()


def _after_fork() -> None:
    global fresh  # noqa: PLW0603 - a forked child must not reuse its parent's prefix
    fresh = _new_source()


os.register_at_fork(after_in_child=_after_fork)


class Changes:
    """Counts how often the id of any Document has changed.

    An array has an index of ids, and is not told when a Document in it gets another one. The index
    is valid as long as this count is what it was when the index was made.
    """

    count = 0
