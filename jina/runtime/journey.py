"""What a request met on its way: errors that did not fail all of it, and times if it is timed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from jina.defaults import KIB
from jina.names import GATEWAY
from jina.runtime.steps import Submitted
from jina.wire.maps import ErrorInfo, Leg, Times, Way

_MOST_ERRORS = 8
_MOST_BYTES = 32 * KIB  # of legs; all of a Way must fit in the place of a call map
_MOST_RAISED = _MOST_BYTES // 2  # of those that raised, so that others have room
_MESSAGE = 1024  # characters of an error's message
_SHORT = 200  # of those of a leg
_TRACEBACK = 4 * KIB


class Journey:
    """The way of one request so far.

    Args:
        asked: the request.
    """

    __slots__ = ("_arrived", "_bytes", "_ended", "_legs", "blamed", "errors", "is_timed", "passed")

    def __init__(self, asked: Submitted) -> None:
        self.is_timed = asked.is_timed
        self.errors: list[ErrorInfo] = []
        self.blamed: ErrorInfo | None = None  # the first that Documents ended with, but not all
        self.passed: set[str] = set()  # nodes that failed, whose input went on
        self._arrived = asked.arrived if asked.is_timed else 0.0
        self._ended: dict[str, float] = {}  # node -> when its last call ended
        self._legs: list[Leg] = []
        self._bytes = 0

    def since(self, branches: Iterable[Iterable[str]]) -> float:
        """When a node could begin that takes the results of these nodes."""
        ended = self._ended
        return max((ended.get(name, 0.0) for some in branches for name in some), default=0.0) or (
            self._arrived
        )

    def note_call(
        self,
        node: str,
        replica: int,
        rows: int,
        queued: float,
        times: Times,
        error: ErrorInfo | None = None,
        shard: int | None = None,
    ) -> None:
        """Note a call that came to its end; those of a Flow that tries again and again are cut."""
        self._ended[node] = times.ended
        short = error and _short(error, _SHORT)
        size = 64 + len(node)
        if short is not None:
            size += len(short.type) + 4 * len(short.message)
        if self._bytes + size < (_MOST_BYTES if short is None else _MOST_RAISED):
            self._bytes += size
            leg = Leg(node, replica, rows, queued, times.began, times.ended, short, shard)
            self._legs.append(leg)

    def go_on(self, node: str, error: ErrorInfo) -> bool:
        """Note that the request goes on although a node failed.

        Returns:
            whether this is the node's first error, which is told.
        """
        if any(each.executor == node for each in self.errors):
            return False
        if len(self.errors) < _MOST_ERRORS:
            first = not self.errors
            self.errors.append(_short(error, _MESSAGE, error.traceback if first else ""))
        return True

    def blame(self, error: ErrorInfo) -> None:
        """Note that one Document ends with an error."""
        if self.blamed is None:
            self.blamed = _short(error, _MESSAGE, error.traceback)

    def way(self, end: Collection[str]) -> Way:
        """What the client is told.

        Args:
            end: the nodes whose results are the answer.
        """
        is_raw = GATEWAY in end or not self.passed.isdisjoint(end)
        return Way(self.errors, is_raw, self._legs, self._arrived, blamed=self.blamed)


def _short(error: ErrorInfo, limit: int, traceback: str = "") -> ErrorInfo:
    return ErrorInfo(
        error.type[:_SHORT],
        error.message[:limit],
        error.executor,
        error.replica,
        traceback[-_TRACEBACK:],
        error.shard,
        ids=error.ids,
    )
