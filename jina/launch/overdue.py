"""Workers that are ended: because a call takes too long, or because they cannot be reached.

Of the former, their stacks come first.
"""

from __future__ import annotations

import signal

from jina.launch import events
from jina.launch.workers import WorkerProcess, Workers
from jina.runtime import control
from jina.runtime.board import Board

_STACKS_S = 0.3
"""How long a worker has to write its stacks; it needs some milliseconds."""
_DYING_S = 0.2
"""How long a worker that has no connection any more may take to be gone by itself."""
_ENDED = float("inf")


class OverdueWorkers:
    """Those that are about to be ended.

    Args:
        workers: that are there.
        board: path of the begin board.
        report: told of each.
    """

    def __init__(self, workers: Workers, board: str, report: events.Reporter) -> None:
        self._workers = workers
        self._report = report
        self._board = board
        self._lost: dict[str, float] = {}  # identity -> when to end it
        self._asked: dict[str, tuple[float, int]] = {}  # identity -> when to end it, what it began

    @property
    def due(self) -> list[float]:
        """When workers are to be ended."""
        moments = [*self._lost.values(), *(moment for moment, _ in self._asked.values())]
        return [moment for moment in moments if moment < _ENDED]

    def hear(self, message: control.Overdue | control.Unreachable, now: float) -> None:
        """The gateway says that a worker is to be ended."""
        if isinstance(message, control.Overdue):
            self.ask(message, now)
        else:
            self._lost.setdefault(message.identity, now + _DYING_S)

    def ask(self, overdue: control.Overdue, now: float) -> bool:
        """Have a worker's stacks written; it is ended a moment later.

        Returns:
            False if it is gone, or was asked already.
        """
        for identity in [each for each in self._asked if self._workers.get(each) is None]:
            del self._asked[identity]
        worker = self._workers.get(overdue.identity)
        if worker is None or overdue.identity in self._asked:
            return False
        self._asked[overdue.identity] = (now + _STACKS_S, overdue.begun)
        self._report(events.Overdue(worker=worker.child.name, seconds=overdue.seconds))
        worker.child.signal_alone(signal.SIGUSR1)  # itself alone: it has a handler
        return True

    def end_due(self, now: float) -> None:
        """Kill those whose moment has come, and that have not finished meanwhile."""
        for identity, until in list(self._lost.items()):
            worker = self._workers.get(identity)
            if worker is None:
                del self._lost[identity]
            elif until <= now:
                self._report(events.Unreachable(worker=worker.child.name))
                worker.child.signal_group(signal.SIGKILL)
                self._lost[identity] = _ENDED
        for identity, (moment, begun) in list(self._asked.items()):
            if moment > now:
                continue
            worker = self._workers.get(identity)
            if worker is not None and self._is_at(worker, begun):
                worker.child.signal_group(signal.SIGKILL)
                self._asked[identity] = (_ENDED, begun)  # it may take a while to be gone
            else:
                del self._asked[identity]

    def _is_at(self, worker: WorkerProcess, begun: int) -> bool:
        board = Board(self._board)
        try:
            return board[worker.slot] == begun
        finally:
            board.close()
