"""Requests that failed: counted by place, and told one line each, but not more than anybody reads.

The gateway notes them as it answers; while nothing fails, nothing is done here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from jina.names import worker_name
from jina.runtime import control
from jina.runtime.facts import FailureCount
from jina.runtime.steps import Answer, AnswerError, Dispatch, Piece, Unheard
from jina.transport.sockets import payload
from jina.wire.maps import ERRORS, FAILURES, LINES, ErrorInfo, LineFailures, unpack_map

_BURST = 20  # lines that may come at once
_PER_SECOND = 5.0  # lines after these
_SHOWN_CHARS = 300  # of an error's message
_SHOWN_IDS = 3
_MAX_PLACES = 10_000  # workers and nodes that are counted apart

_NOTHING = FailureCount()


class Failures:
    """The failures of one Flow.

    Args:
        tell: sends the supervisor a message.
        clients: what each client says of itself; empty where it says nothing.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        tell: Callable[[control.RequestFailed], object],
        clients: Mapping[bytes, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.total = FailureCount()
        """Of all requests."""
        self.left_out = 0
        """How many were not told, since the last one that was."""
        self._tell = tell
        self._clients = clients
        self._clock = clock
        self._at: dict[str, FailureCount] = {}  # node, or worker -> its failures
        self._allowance = float(_BURST)
        self._refilled = clock()
        self._blamed: dict[int, tuple[ErrorInfo, str, bytes]] = {}  # task -> what it is to become

    def of_node(self, node: str) -> FailureCount:
        """Failures of requests at a node."""
        return self._at.get(node, _NOTHING)

    def of_worker(self, node: str, replica: int, shard: int | None) -> FailureCount:
        """Failures of requests at a worker, and at those before it in its place."""
        return self._at.get(worker_name(node, replica, shard) + " ", _NOTHING)

    def take(self, action: Answer | AnswerError | Unheard) -> None:
        """Note the failures in what a client gets, or does not get."""
        if isinstance(action, AnswerError):
            self.note(action.error, action.endpoint, action.client)
        elif isinstance(action, Unheard):
            self.note(action.error, action.endpoint, action.client, is_told=True)
        else:
            for error in action.way.errors if action.way else ():
                self.note(error, action.endpoint, action.client, goes_on=True)

    def note(
        self,
        error: ErrorInfo,
        endpoint: str,
        client: bytes,
        *,
        goes_on: bool = False,
        is_told: bool = False,
        ids: Sequence[str] = (),
    ) -> None:
        """Note a failure.

        Args:
            error: as the client gets it.
            endpoint: of the request.
            client: who sent it.
            goes_on: the request went on all the same.
            is_told: somebody else says it.
            ids: of Documents that it is about; those of the error itself if omitted.
        """
        now = self._clock()
        who = self._who(error)
        name = self._clients.get(client) or f"client {client.hex()}"
        text = _in_words(error, endpoint, name, ids or error.ids, goes_on=goes_on)
        count = FailureCount(count=1, error=f"{who}: {text}" if who else text, at=now)
        self.total = _more(self.total, count)
        if error.executor and len(self._at) < _MAX_PLACES:
            for place in {error.executor, f"{who} "}:
                self._at[place] = _more(self._at.get(place, _NOTHING), count)
        if is_told:
            return
        self._allowance = min(_BURST, self._allowance + (now - self._refilled) * _PER_SECOND)
        self._refilled = now
        if self._allowance < 1:
            self.left_out += 1
            return
        self._allowance -= 1
        left_out, self.left_out = self.left_out, 0
        self._tell(control.RequestFailed(worker=who, text=text, left_out=left_out, client=name))

    def tell_left_out(self) -> None:
        """Say how many were not told, once there is room for a line again; to be called often."""
        room = self._allowance + (self._clock() - self._refilled) * _PER_SECOND
        if self.left_out and room >= _BURST / 2:
            left_out, self.left_out = self.left_out, 0
            self._tell(control.RequestFailed(worker="", text="", left_out=left_out))

    # --- Documents that are reported as an error, in requests that are answered ---

    def blame(self, task: Dispatch) -> None:
        """A worker is to report a Document as an error; its reply says which one that was."""
        if task.blame is None:
            return
        if len(self._blamed) >= _MAX_PLACES:  # their clients have left meanwhile
            del self._blamed[next(iter(self._blamed))]
        self._blamed[task.task] = (task.blame, task.endpoint, task.client)

    def replied(self, task: int, pieces: Sequence[Piece]) -> None:
        """Take a reply; to be called only while `is_waiting`."""
        found = self._blamed.pop(task, None)
        if found is not None:
            error, endpoint, client = found
            self.note(error, endpoint, client, ids=ids_of(pieces))

    @property
    def is_waiting(self) -> bool:
        """Whether there are replies that tell of a failure."""
        return bool(self._blamed)

    def _who(self, error: ErrorInfo) -> str:
        if not error.executor:
            return ""
        # The router's own errors are about a node, not about one of its processes.
        if error.type.startswith("jina.excepts.") and not error.traceback:
            return error.executor
        return worker_name(error.executor, error.replica, error.shard)


def ids_of(pieces: Sequence[Piece]) -> list[str]:
    """Ids of the first Documents that a reply reports as failed, as far as they can be read."""
    found: list[str] = []
    for piece in pieces:
        try:
            data = payload(piece.frames[0])
            if piece.part.role == ERRORS or piece.part.kind == FAILURES:
                failures = unpack_map(LineFailures, data).failures
                found += [failure.id for failure in failures[:_SHOWN_IDS]]
            elif piece.part.kind == LINES and piece.part.failed:
                found += _ids_in_lines(data)
        except Exception:  # the ids are an extra; what cannot be read is not told
            continue
    return found[:_SHOWN_IDS]


def _ids_in_lines(data: Any) -> list[str]:
    found = []
    for line in bytes(data).splitlines():
        if b'"error"' in line:
            read = msgspec.json.decode(line)
            if isinstance(read, dict) and "error" in read:
                found.append(str(read.get("id", "")))
            if len(found) == _SHOWN_IDS:
                break
    return found


def _in_words(
    error: ErrorInfo, endpoint: str, client: str, ids: Sequence[str], *, goes_on: bool
) -> str:
    """One line: what failed, how, and for whom."""
    message = " ".join(error.message.split())
    if len(message) > _SHOWN_CHARS:
        message = f"{message[:_SHOWN_CHARS]}..."
    more = [f"ids {', '.join(ids[:_SHOWN_IDS])}"] if ids else []
    more += [f"from {client}"]
    more += ["the request went on"] if goes_on else []
    about = f" ({'; '.join(more)})" if more else ""
    return f"{endpoint} failed: {error.type}: {message}{about}"


def _more(before: FailureCount, new: FailureCount) -> FailureCount:
    return FailureCount(count=before.count + new.count, error=new.error, at=new.at)
