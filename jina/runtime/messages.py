"""The router's steps as messages: events out of those that come in, messages out of its actions.

It reads prefixes and route maps, never a body: frames go from one side to the other as they are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from jina.defaults import MAX_FRAMES_FROM_GATEWAY, MAX_TIMEOUT_S
from jina.excepts import WireError
from jina.names import worker_name
from jina.runtime.steps import (
    Answer,
    AnswerError,
    Dispatch,
    Piece,
    Raised,
    Replied,
    Submitted,
    Unheard,
)
from jina.transport.sockets import payload
from jina.wire import header as wire
from jina.wire.header import Header, pack_message
from jina.wire.maps import (
    ON_ERROR,
    ErrorInfo,
    Part,
    Route,
    Times,
    Way,
    pack_map,
    unpack_map,
    unpack_route,
)

_REFUSAL = "jina.excepts.BadServer"

# --- what comes in -----------------------------------------------------------------------------


def submitted(client: bytes, header: Header, window: int = 0) -> Submitted:
    """A client's request.

    Args:
        client: who sent it.
        header: as it came.
        window: requests that this client may have under way; 0 for the usual number.

    Raises:
        WireError: its route map is damaged, or does not fit its frames.
    """
    route = unpack_route(header.route)
    timeout_s = route.deadline
    if timeout_s is not None and not 0 <= timeout_s <= MAX_TIMEOUT_S:  # nor is it NaN
        raise WireError(f"a request that may take {timeout_s:g} s")
    if route.on_error and route.on_error not in ON_ERROR:
        raise WireError(f"a request with on_error {route.on_error!r}")
    return Submitted(
        client,
        header.number,
        route.endpoint,
        route.targets,
        header.rows,
        header.base,
        header.call,
        pieces_of(route.parts, header.frames),
        timeout_s,
        None if timeout_s is None else time.monotonic() + timeout_s,
        route.is_timed,
        time.time(),
        route.on_error,
        window,
    )


def replied(worker: bytes, header: Header) -> Replied:
    """A worker's result.

    Raises:
        WireError: its route map is damaged, or does not fit its frames.
    """
    parts = unpack_route(header.route).parts
    pieces = pieces_of(parts, header.frames)
    return Replied(worker, header.number, pieces, _times(header))


def raised(worker: bytes, header: Header) -> Raised:
    """A worker's error.

    Raises:
        WireError: its description is damaged or missing.
    """
    if not header.frames:
        raise WireError("an error without its description")
    error = unpack_map(ErrorInfo, payload(header.frames[0]))
    return Raised(worker, header.number, error, _times(header))


def _times(header: Header) -> Times | None:
    return unpack_map(Times, header.call) if header.call else None


def pieces_of(parts: Sequence[Part], frames: Sequence[Any]) -> list[Piece]:
    """Give each part its frames.

    Raises:
        WireError: the parts and the frames do not agree in number.
    """
    if len(parts) == 1 and parts[0].frames == len(frames) and parts[0].rows >= 0:  # the usual one
        return [Piece(parts[0], frames)]
    pieces = []
    start = 0
    for part in parts:
        end = start + part.frames
        if part.frames < 0 or part.rows < 0 or end > len(frames):
            raise WireError("a route map that names more frames than came")
        pieces.append(Piece(part, frames[start:end]))
        start = end
    if start != len(frames):
        raise WireError("more frames than the route map names")
    return pieces


# --- what is to be done ------------------------------------------------------------------------


def task_message(task: Dispatch, *, is_here: bool = True) -> list[Any]:
    """A task for a worker.

    Args:
        task: for it.
        is_here: on this machine; the clock of a deadline is no other's.

    Raises:
        WireError: it does not fit one message.
    """
    parts, frames = _flattened(task.pieces)
    route = Route(
        task.endpoint,
        None,
        parts,
        task.branches,
        task.is_last,
        first=task.first,
        stop=task.stop,
        blame=task.blame,
        deadline=task.deadline if is_here else None,
        is_timed=task.is_timed,
        skip=task.skip,
        lot=task.lot,
        carried=task.carried,
        is_end=task.is_end,
        is_answer=task.is_answer,
    )
    return pack_message(
        wire.REQUEST,
        frames,
        number=task.task,
        rows=task.rows,
        base=task.base,
        route=pack_map(route),
        call=task.call,
        most_frames=MAX_FRAMES_FROM_GATEWAY,
    )


def answer_message(answer: Answer) -> list[Any]:
    """A client's result.

    Raises:
        WireError: it does not fit one message.
    """
    parts, frames = _flattened(answer.pieces)
    return pack_message(
        wire.REPLY,
        frames,
        number=answer.number,
        route=pack_map(Route("", None, parts, served=answer.served)),
        call=_packed(answer.way),
        most_frames=MAX_FRAMES_FROM_GATEWAY,
    )


def error_message(failed: AnswerError) -> list[Any]:
    """The error that a client's request ended with."""
    call = _packed(failed.way)
    return pack_message(wire.ERROR, [pack_map(failed.error)], number=failed.number, call=call)


def _packed(way: Way | None) -> bytes:
    if way is None:
        return b""
    return pack_map(structs.replace(way, left=time.time()) if way.arrived else way)


def refusal_message(number: int, reason: str, kind: str = _REFUSAL) -> list[Any]:
    """Why a client's request is not taken."""
    return pack_message(wire.REFUSED, [pack_map(ErrorInfo(kind, reason))], number=number)


def unheard(failed: Unheard) -> str:
    """What people read of an error that no client gets."""
    error = failed.error
    who = worker_name(error.executor, error.replica, error.shard)
    told = f"error: {who} (floating): {error.type}: {error.message}"
    return f"{told}\n{error.traceback}".rstrip()


def _flattened(pieces: Sequence[Piece]) -> tuple[list[Part], Sequence[Any]]:
    """The parts and the frames of pieces, each one behind the other."""
    if len(pieces) == 1:
        return [pieces[0].part], pieces[0].frames
    return (
        [piece.part for piece in pieces],
        [frame for piece in pieces for frame in piece.frames],
    )
