"""What the router is told, and what it wants done: events in, actions out. Plain data.

A body is a list of pieces, each one a part with its frames. All are structs, because they are made
for each message and cost a third of a named tuple.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from jina.wire.batching import Batching
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
    """A worker is ready; the requests of these endpoints may become one call."""

    worker: bytes
    node: str
    replica: int
    endpoints: Sequence[str]
    credits: int
    batching: Mapping[str, Batching] = {}


class Lost(msgspec.Struct, frozen=True):
    """A worker's process is gone.

    Attributes:
        begun: the task that it had begun and not finished; 0 when it was idle.
        reason: such as "killed by SIGKILL", with its last log lines.
    """

    worker: bytes
    begun: int
    reason: str


class NodeFailed(msgspec.Struct, frozen=True):
    """No replica of a node is left and none will come back."""

    node: str
    reason: str


class ClientLeft(msgspec.Struct, frozen=True):
    """A client is gone; its waiting tasks are dropped."""

    client: bytes


class Draining(msgspec.Struct, frozen=True):
    """No further request will come, so that none waits for others."""


class Expired(msgspec.Struct, frozen=True):
    """The time of a timer that was started has come."""

    timer: int


Event: TypeAlias = (
    "Submitted | Replied | Raised | Joined | Lost | NodeFailed | ClientLeft | Draining | Expired"
)


# --- what is to be done ------------------------------------------------------------------------


class Dispatch(msgspec.Struct, frozen=True):
    """Send a task to a worker: all of it, or the outcomes from `first` up to `stop`.

    With `blame` these outcomes are that error, and the Executor is not called. Tasks with the same
    `lot` follow each other and become one call; it is the number of the last of them.
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
    lot: int = 0


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


class StartTimer(msgspec.Struct, frozen=True):
    """Tell the router `Expired(timer)` after this many seconds."""

    timer: int
    seconds: float


Action: TypeAlias = "Dispatch | Answer | AnswerError | Refuse | StartTimer"
