"""What becomes of a task whose call failed: its node's YAML says so, else its client.

A method that is declared `once=True` must not see a Document twice: nothing of it is tried again,
neither after an error nor after a death.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT
from jina.runtime.retrying import delay_s
from jina.runtime.steps import Joined
from jina.runtime.tasks import Task
from jina.runtime.verdicts import ONCE
from jina.wire.maps import CONTINUE, SPLIT, ErrorInfo

# Halves of what cannot be read cannot be read either; and a method that returns another number of
# Documents than it got would be right about one of them by chance.
_WHOLE = ("jina.excepts.WireError", "jina.excepts.BatchingError")


class Rules:
    """What the nodes of a Flow do after an error.

    Args:
        nodes: of the Flow.
    """

    def __init__(self, nodes: Iterable[PlannedNode]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._once: dict[str, frozenset[str]] = {}  # node -> endpoints, as far as there are any
        self._bound: dict[str, frozenset[str]] = {}  # of those nodes alone

    def joined(self, joined: Joined) -> None:
        """Note which endpoints of a worker that has come must not see a Document twice."""
        if joined.once:
            self._once[joined.node] = frozenset(joined.once)
            self._bound[joined.node] = frozenset(joined.endpoints)
        elif self._once:
            self._once.pop(joined.node, None)

    def is_once(self, task: Task) -> bool:
        """Whether the method that a task calls must not see a Document twice."""
        once = self._once.get(task.node)
        if once is None:
            return False
        endpoint = task.request.asked.endpoint
        return (endpoint if endpoint in self._bound[task.node] else DEFAULT_ENDPOINT) in once

    def continues(self, task: Task) -> bool:
        """Whether a request goes on with what the node was given."""
        return self._mode(task) == CONTINUE

    def splits(self, task: Task, error: ErrorInfo) -> bool:
        """Whether a task that raised is done again in halves. Nobody can split what is no call."""
        return (
            self._mode(task) == SPLIT
            and not task.request.answered
            and bool(error.classes)
            and error.type not in _WHOLE
            and not self.is_once(task)
        )

    def delay_s(self, task: Task, error: ErrorInfo) -> float | None:
        """How long to wait before a task that raised is tried again; None for never."""
        if self.is_once(task):
            return None
        return delay_s(self._nodes[task.node].retries, task.retried, error)

    def explained(self, task: Task, error: ErrorInfo) -> ErrorInfo:
        """The error that a request ends with; it says so where `once=True` kept it from more."""
        retries = self._nodes[task.node].retries
        is_more = task.rows > 1 and self._mode(task) == SPLIT
        if not error.classes or not (is_more or retries) or not self.is_once(task):
            return error
        what = "the whole request fails: " if is_more else ""
        message = f"{error.message} ({what}{ONCE})"
        return structs.replace(error, message=message)

    def _mode(self, task: Task) -> str:
        return self._nodes[task.node].on_error or task.request.asked.on_error
