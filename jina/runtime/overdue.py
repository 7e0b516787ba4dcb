"""The gateway's part in ending a worker that has a task for too long: has it begun it?"""

from __future__ import annotations

from collections.abc import Callable

from jina.runtime import control
from jina.runtime.board import Board
from jina.runtime.steps import Overdue


class Overdues:
    """What the supervisor, or the agent, was asked to end.

    Args:
        tell: tells whoever owns the worker.
        board: where workers note what they have begun.
    """

    def __init__(self, tell: Callable[[control.Overdue], None], board: Board) -> None:
        self._tell = tell
        self._board = board
        self._idle: dict[bytes, int] = {}  # worker -> the task that it had not begun at first
        self._told: set[bytes] = set()

    def tell(self, overdue: Overdue, slot: int) -> None:
        """Have the supervisor end a worker.

        One that has not begun the task may just have finished it, or be stopped. So it is ended
        when it has not begun it after twice the time: nobody is charged then, and another worker
        gets the task.
        """
        begun = self._board[slot]
        is_begun = begun and begun in (overdue.task, overdue.lot)
        if not is_begun and self._idle.get(overdue.worker) != overdue.task:
            self._idle[overdue.worker] = overdue.task
            return
        self._told.add(overdue.worker)
        identity = overdue.worker.decode()
        self._tell(control.Overdue(identity=identity, begun=begun, seconds=overdue.seconds))

    def forget(self, worker: bytes) -> bool:
        """Forget a worker that is gone; whether it was to be ended."""
        self._idle.pop(worker, None)
        was_told = worker in self._told
        self._told.discard(worker)
        return was_told
