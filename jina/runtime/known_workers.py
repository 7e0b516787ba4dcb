"""A worker as the gateway knows it: announced by its owner, ready by its own word."""

from __future__ import annotations

from typing import Any

from jina.runtime import control
from jina.runtime.owners import Owner
from jina.runtime.steps import Joined
from jina.transport import sockets
from jina.wire.header import READY, pack_message
from jina.wire.maps import Ready


class KnownWorker:
    """A worker as the supervisor described it.

    Args:
        expected: what its owner said.
        owner: who started it.
    """

    __slots__ = (
        "devices",
        "identity",
        "is_ready",
        "is_retiring",
        "node",
        "owner",
        "pid",
        "replica",
        "shard",
        "slot",
    )

    def __init__(self, expected: control.Expect, owner: Owner) -> None:
        self.owner = owner
        self.identity = expected.identity.encode()
        self.node = expected.node
        self.replica = expected.replica
        self.shard = expected.shard
        self.slot = expected.slot
        self.devices = expected.devices
        self.pid = 0
        self.is_ready = False
        self.is_retiring = expected.is_retiring

    def joined(self, ready: Ready) -> Joined:
        """What the router is told once it is ready."""
        return Joined(
            self.identity,
            self.node,
            self.replica,
            ready.endpoints,
            ready.credits,
            self.shard,
            ready.batching,
            ready.once,
        )

    def told(self, ready: Ready) -> control.WorkerReady:
        """What its owner is told then."""
        return control.WorkerReady(
            identity=self.identity.decode(),
            endpoints=ready.endpoints,
            doubts=ready.doubts,
            python=ready.python,
        )

    def status(self, outstanding: int) -> dict[str, Any]:
        """What `jina flow ps` shows of it.

        Args:
            outstanding: tasks at it.
        """
        state = "retiring" if self.is_retiring else "ready" if self.is_ready else "starting"
        return {
            "node": self.node,
            "shard": self.shard,
            "replica": self.replica,
            "pid": self.pid,
            "state": state,
            "outstanding": outstanding,
            "devices": self.devices,
        }


class Unasked(set[bytes]):
    """Workers of an earlier gateway that have not been reached yet."""

    def ask(self, back: sockets.Socket) -> None:
        """Ask those that can be reached to say again that they are ready."""
        for identity in list(self):
            if sockets.send_if_connected(back, pack_message(READY), identity):
                self.discard(identity)
