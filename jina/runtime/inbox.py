"""What comes to a worker: requests in their order, without those that were taken back meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from math import ceil

from jina.runtime.board import Board
from jina.runtime.lots import Arrivals
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, unpack_message

_ON_ITS_WAY_S = 0.25  # a CANCEL that is counted has been sent, so this is patience and no guess


class Inbox:
    """The requests that a worker has and has not begun.

    They stay in the socket until it is their turn, or until the board says that there is a CANCEL
    behind one of them: only then it is worth a look.

    Args:
        socket: of the worker.
        board: where the gateway counts its CANCELs.
        slot: of the worker on it.
        taken_back: called with the number of each request that is not to be begun.
        asked: called when another gateway asks whether the worker is ready.
    """

    def __init__(
        self,
        socket: sockets.Socket,
        board: Board,
        slot: int,
        taken_back: Callable[[int], None],
        asked: Callable[[], object],
    ) -> None:
        self._socket = socket
        self._board = board
        self._slot = slot
        self._taken_back = taken_back
        self._asked = asked
        self._arrivals = Arrivals()
        self._staged: deque[list[Header]] = deque()
        self._cancels = board.cancels(slot)  # that have come
        self._awaited = self._cancels  # as many were counted when it was last waited for one
        self._is_last = False  # the worker is to close when it has done what is staged

    def next(self) -> list[Header] | None:
        """Wait for what is to be done next: one request alone, or a lot of them.

        Returns:
            None once the worker is to close.
        """
        staged = self._staged
        while staged or not self._is_last:
            if not staged:
                self._take(sockets.receive(self._socket, routed=False, wait=True))
            if self._board.cancels(self._slot) != self._cancels:
                self._look()
            if staged:
                return staged.popleft()
        return None

    def put_back(self, headers: Iterable[Header]) -> None:
        """Let each of some requests be done alone, before all others."""
        self._staged.extendleft([header] for header in reversed(list(headers)))

    def _look(self) -> None:
        """Read all that has come, up to the last CANCEL that the board counts.

        It may still be on its way, but no longer than a moment. It is waited for once: when its
        gateway has died, it never comes.
        """
        until = time.monotonic() + _ON_ITS_WAY_S
        while True:
            try:
                while True:
                    self._take(sockets.receive(self._socket, routed=False))
            except sockets.NothingCame:
                counted = self._board.cancels(self._slot)
                left = until - time.monotonic()
                if counted in (self._cancels, self._awaited) or left <= 0:
                    self._awaited = counted
                    return
                self._socket.poll(ceil(left * 1000))

    def _take(self, message: sockets.Message) -> None:
        header = unpack_message(message.header, message.frames)
        if header.kind == wire.REQUEST:
            self._staged.extend(self._arrivals.add(header))
        elif header.kind == wire.CANCEL:
            self._cancels += 1
            self._strike(header.number)
        elif header.kind == wire.READY:
            # What an earlier gateway wanted, this one has others do, or nobody.
            self._arrivals.drop()
            self._staged.clear()
            self._cancels = self._board.cancels(self._slot)
            self._asked()
        elif header.kind == wire.DRAIN:
            self._is_last = True

    def _strike(self, number: int) -> None:
        """Take a request out again, if it is not begun."""
        for headers in self._staged:
            for header in headers:
                if header.number == number:
                    headers.remove(header)
                    if not headers:
                        self._staged.remove(headers)
                    self._taken_back(number)
                    return
