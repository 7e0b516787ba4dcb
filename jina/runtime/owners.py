"""Who started a worker, as the gateway sees it: the supervisor of this machine, or an agent.

Both are told the same things of it. What the worker has begun is on its board: the gateway reads
that of this machine; of others, their agents do.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from jina.runtime import control
from jina.runtime.board import Board, Work
from jina.runtime.facts import WorkerReport
from jina.runtime.overdue import Overdues
from jina.runtime.steps import Overdue


class Owner(Protocol):
    """Who started some workers, and ends them."""

    is_here: bool

    def send(self, message: msgspec.Struct, /) -> object:
        """Tell it something about one of its workers."""

    def begun(self, identity: str, slot: int, died: control.Died) -> int:
        """The task that a worker had begun when it died; 0 for none."""

    def overdue(self, action: Overdue, slot: int) -> None:
        """Have a worker ended that has had a task for too long, if it still has."""

    def taken_back(self, identity: str, slot: int) -> None:
        """Note that a CANCEL was sent to a worker."""

    def work(self, identity: str, slot: int) -> Work:
        """What a worker is at, and what it has done."""

    def report(self, identity: str) -> WorkerReport | None:
        """How a worker is, where the supervisor cannot see it; None where it can."""


class Here:
    """The supervisor.

    Args:
        channel: to it.
        board: of this machine.
    """

    is_here = True

    def __init__(self, channel: control.Channel, board: Board) -> None:
        self.send = channel.send
        self._board = board
        self._overdues = Overdues(channel.send, board)

    def begun(self, identity: str, slot: int, died: control.Died) -> int:
        """See Owner; a death that is blamed on a request is told."""
        begun = self._board[slot]
        if self._overdues.forget(identity.encode()) or begun:
            self.send(control.Charged(identity=identity))
        return begun

    def overdue(self, action: Overdue, slot: int) -> None:
        """See Owner."""
        self._overdues.tell(action, slot)

    def taken_back(self, identity: str, slot: int) -> None:
        """See Owner."""
        self._board.cancel(slot)

    def work(self, identity: str, slot: int) -> Work:
        """See Owner."""
        return self._board.work(slot)

    def report(self, identity: str) -> WorkerReport | None:
        """See Owner."""
        return None
