"""What a gateway knows of each worker, from the supervisor and from the worker itself."""

from __future__ import annotations

from typing import Any

from jina.runtime.control import Expect


class KnownWorker:
    """A worker as the supervisor described it."""

    __slots__ = ("identity", "is_ready", "is_retiring", "node", "pid", "replica", "slot")

    def __init__(self, expected: Expect) -> None:
        self.identity = expected.identity.encode()
        self.node = expected.node
        self.replica = expected.replica
        self.slot = expected.slot
        self.pid = 0
        self.is_ready = False
        self.is_retiring = expected.is_retiring

    def described(self, outstanding: int) -> dict[str, Any]:
        """The worker as STATUS tells it.

        Args:
            outstanding: requests that it has and has not answered.
        """
        state = "retiring" if self.is_retiring else "ready" if self.is_ready else "starting"
        return {
            "node": self.node,
            "replica": self.replica,
            "pid": self.pid,
            "state": state,
            "outstanding": outstanding,
        }
