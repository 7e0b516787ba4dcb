"""What the router is told, and what it wants done: events in, actions out. Plain data.

A body is a list of pieces, each one a part with its frames. All are structs, because they are made
for each message and cost a third of a named tuple.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from jina.wire.maps import ErrorInfo, Part


class Piece(msgspec.Struct, frozen=True):
    """One part of a body and its frames."""

    part: Part
    frames: Sequence[Any]


# --- what comes in -----------------------------------------------------------------------------


class Submitted(msgspec.Struct, frozen=True):
    """A client sent a request."""

    client: bytes
    number: int
    endpoint: str
    targets: Sequence[str] | None
    rows: int
    base: int
    call: bytes
    pieces: Sequence[Piece]


class Replied(msgspec.Struct, frozen=True):
    """A worker finished a task."""

    worker: bytes
    task: int
    pieces: Sequence[Piece]


class Raised(msgspec.Struct, frozen=True):
    """A worker's Executor raised."""

    worker: bytes
    task: int
    error: ErrorInfo


class Joined(msgspec.Struct, frozen=True):
    """A worker is ready."""

    worker: bytes
    node: str
    replica: int
    endpoints: Sequence[str]
    credits: int


class Lost(msgspec.Struct, frozen=True):
    """A worker's process is gone.

    Attributes:
        begun: the task that it had begun and not finished; 0 when it was idle.
        reason: such as "killed by SIGKILL", with its last log lines.
    """

    worker: bytes
    begun: int
    reason: str


class Retire(msgspec.Struct, frozen=True):
    """A worker is to end: it finishes the tasks that it has and gets no more."""

    worker: bytes


class NodeFailed(msgspec.Struct, frozen=True):
    """No replica of a node is left and none will come back."""

    node: str
    reason: str


class ClientLeft(msgspec.Struct, frozen=True):
    """A client is gone; its waiting tasks are dropped."""

    client: bytes


Event: TypeAlias = "Submitted | Replied | Raised | Joined | Lost | Retire | NodeFailed | ClientLeft"


# --- what is to be done ------------------------------------------------------------------------


class Dispatch(msgspec.Struct, frozen=True):
    """Send a task to a worker: all of it, or the outcomes from `first` up to `stop`.

    With `blame` these outcomes are that error, and the Executor is not called.
    """

    worker: bytes
    task: int
    endpoint: str
    rows: int
    base: int
    call: bytes
    pieces: Sequence[Piece]
    branches: int
    is_last: bool
    first: int = 0
    stop: int = 0
    blame: ErrorInfo | None = None


class Answer(msgspec.Struct, frozen=True):
    """Send a client its result."""

    client: bytes
    number: int
    pieces: Sequence[Piece]
    served: int


class AnswerError(msgspec.Struct, frozen=True):
    """Tell a client that its request failed as a whole."""

    client: bytes
    number: int
    error: ErrorInfo


class Refuse(msgspec.Struct, frozen=True):
    """Tell a client that its request is not taken."""

    client: bytes
    number: int
    reason: str


class Retired(msgspec.Struct, frozen=True):
    """A worker that was to end has nothing left to do: let it close."""

    worker: bytes


Action: TypeAlias = "Dispatch | Answer | AnswerError | Refuse | Retired"
