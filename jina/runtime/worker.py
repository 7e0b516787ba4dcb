"""A worker process: a poll loop around one Executor. User code runs here and nowhere else.

python -m jina.runtime.worker PARENT_PID      reads its Assignment from standard input
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import structs

from jina.defaults import MAX_CALL_BYTES, WORKER_CREDITS
from jina.excepts import RequestTimeout, WireError
from jina.executors import load, user_errors
from jina.executors.batching import settings_of
from jina.executors.call import close_loop, endpoints
from jina.executors.describe import described
from jina.executors.missing import missing_for
from jina.executors.once import once_endpoints
from jina.runtime import start_error
from jina.runtime.board import Board
from jina.runtime.control import UNFIT, Assignment
from jina.runtime.inbox import Inbox
from jina.runtime.lots import Desk
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack
from jina.transport import sockets
from jina.transport.curve import Credentials
from jina.wire import header as wire
from jina.wire.body import with_uri
from jina.wire.doubts import Doubt
from jina.wire.header import Header
from jina.wire.maps import ErrorInfo, Part, Ready, Route, Times, pack_map, unpack_route

_BYE_TIMEOUT_S = 1.0


class Worker:
    """One Executor, served.

    Args:
        assignment: from the supervisor.
        executor: the loaded Executor.
        doubts: what is suspicious about it.
    """

    def __init__(self, assignment: Assignment, executor: Any, doubts: Sequence[Doubt] = ()) -> None:
        self._doubts = list(doubts)
        self._spec = assignment.spec
        self._executor = executor
        self._board = Board(assignment.board)
        self._slot = assignment.slot
        self._board.clear(self._slot)
        self._context = sockets.open_context()
        self._socket = sockets.open_dealer(self._context, assignment.identity.encode())
        if assignment.keys:
            Credentials(assignment.keys).show_on(self._socket)
        sockets.connect(self._socket, assignment.back)
        self._endpoints = endpoints(executor)
        self._batching = settings_of(executor, self._spec.executor.dynamic_batching)
        self._once = once_endpoints(executor)
        self._desk = Desk(executor, self._spec, self._endpoints, self._batching, self._once)

    def run(self) -> None:
        """Serve until the gateway says DRAIN, then close the Executor."""
        socket = self._socket
        ready = wire.pack_message(wire.READY, call=pack_map(self._ready()))
        inbox = Inbox(
            socket,
            self._board,
            self._slot,
            taken_back=lambda number: self._reply(wire.REPLY, number, [], []),
            # If that gateway has died, the next one asks.
            asked=lambda: sockets.send_if_connected(socket, ready),
        )
        self._send_when_connected(ready)
        gc.collect()
        gc.freeze()  # what is loaded stays; the collector need not walk it again
        while headers := inbox.next():
            if len(headers) == 1:
                self._serve(headers[0])
            else:
                inbox.put_back(self._serve_lot(headers))
        try:
            self._executor.close()
        finally:
            close_loop()
            self._send_when_connected(wire.pack_message(wire.BYE), _BYE_TIMEOUT_S)
            sockets.wait_until_sent(socket, _BYE_TIMEOUT_S)
            sockets.close(self._context)

    def _ready(self) -> Ready:
        about = Ready(
            os.getpid(),
            self._endpoints,
            WORKER_CREDITS,
            self._batching,
            self._doubts,
            self._once,
            sys.version.partition(" ")[0],
        )
        room = MAX_CALL_BYTES - len(pack_map(about))
        return structs.replace(about, described=described(self._executor, self._once, room))

    def _send_when_connected(self, message: list[Any], timeout_s: float | None = None) -> None:
        """Wait for the connection, which refuses to send until it stands, and send if it does."""
        poller = sockets.Poller()
        poller.register(self._socket, sockets.POLLOUT)
        if poller.poll(None if timeout_s is None else int(timeout_s * 1000)):
            sockets.send_if_connected(self._socket, message)

    def _serve(self, header: Header) -> None:
        """Run one request and reply: results or an error, always one of them."""
        number = header.number
        parts: list[Part] = []
        payload: list[Any]
        kind = wire.REPLY
        route: Route | None = None
        began = 0.0
        try:
            self._board.begin(self._slot, number)
            route = unpack_route(header.route)
            if route.is_timed:
                began = time.time()
            parts, payload = self._desk.run(header)
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too: Ctrl-C never reaches a worker, so it is the
            # method that raised them.
            kind, payload = wire.ERROR, [self._description(error, *self._desk.about(header))]
        times = _times(route, began)
        try:
            self._reply(kind, number, parts, payload, times)
        except WireError as error:  # more than a message holds
            self._reply(wire.ERROR, number, [], [self._description(error)])
        # Not before: a method that has closed our descriptors kills us as we reply.
        self._board.end(self._slot, header.rows)

    def _serve_lot(self, headers: Sequence[Header]) -> Iterator[Header]:
        """Run several requests in one call, and reply to each.

        Returns:
            those that are to be done again, each alone, because the call raised.
        """
        began = time.time()
        try:
            # Its number stands for all of them; the last one may have been taken back.
            self._board.begin(self._slot, unpack_route(headers[0].route).lot)
            results = self._desk.run_lot(headers)
        except BaseException as error:
            # Whoever must not see a Document twice may have seen some of them.
            results = [error if self._once else None] * len(headers)
        # Replies first: what is done need not be done again if one of the others kills.
        for header, result in zip(headers, results, strict=True):
            times = _times(unpack_route(header.route), began) if result is not None else b""
            if isinstance(result, BaseException):
                self._reply(wire.ERROR, header.number, [], [self._description(result)], times)
            elif result is not None:
                try:
                    self._reply(wire.REPLY, header.number, *result, times)
                except WireError as error:
                    self._reply(wire.ERROR, header.number, [], [self._description(error)])
        self._board.end(self._slot, sum(header.rows for header in headers))
        again = zip(headers, results, strict=True)
        return (header for header, result in again if result is None)

    def _description(self, error: BaseException, ids: Sequence[str] = (), uri: str = "") -> bytes:
        return pack_map(
            ErrorInfo(
                user_errors.class_name(error),
                with_uri(user_errors.message(error), uri),
                self._spec.node,
                self._spec.replica,
                user_errors.short_traceback(error),
                self._spec.shard,
                [] if isinstance(error, RequestTimeout) else user_errors.class_names(error),
                list(ids),
            )
        )

    def _reply(
        self, kind: int, number: int, parts: list[Part], payload: list[Any], times: bytes = b""
    ) -> None:
        route = pack_map(Route("", None, parts))
        message = wire.pack_message(kind, payload, number=number, route=route, call=times)
        # Without a gateway the reply goes nowhere: the client sends the request again.
        sockets.send_if_connected(self._socket, message)


def _times(route: Route | None, began: float) -> bytes:
    """When a call began and that it ends now, where somebody has asked."""
    return pack_map(Times(began, time.time())) if route and route.is_timed else b""


def _read_assignment() -> tuple[Assignment, int]:
    """What to run, and a descriptor for `start_error.write`."""
    data = sys.stdin.buffer.read()
    file = start_error.emptied(0)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)  # user code that reads standard input finds it empty
    os.close(devnull)
    try:
        return decode_msgpack(data, Assignment), file
    except msgspec.DecodeError as error:
        raise WireError(f"a damaged assignment: {error}") from error


def _tell(error: BaseException, assignment: Assignment, file: int) -> None:
    """Tell the supervisor what kept the Executor from being built."""
    missing = missing_for(error, assignment.spec.executor)
    told = start_error.describe(
        error,
        notes=[f"note: {missing.note}"] if missing else [],
        hint=missing.help if missing else "",
    )
    if not start_error.write(file, told):
        print("\n".join(told.lines), file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the worker that the supervisor assigned to this process."""
    die_with_parent(int(arguments[0]), signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's business
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a pipe, not a tty
    assignment, file = _read_assignment()
    doubts: list[Doubt] = []
    try:
        executor = load.build(assignment.spec.executor, assignment.spec.runtime_args, doubts.append)
    except BaseException as error:  # KeyboardInterrupt too: Ctrl-C never reaches a worker
        _tell(error, assignment, file)
        return UNFIT if load.is_unfit(error) else 1
    if file >= 0:
        os.close(file)
    Worker(assignment, executor, doubts).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
