"""What the router is told, and what it wants done: events in, actions out. Plain data.

A body is a list of pieces, each one a part with its frames. All are structs, because they are made
for each message and cost a third of a named tuple.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from jina.wire.batching import Batching
from jina.wire.maps import ErrorInfo, Part, Times, Way


class Piece(msgspec.Struct, frozen=True):
    """One part of a body and its frames."""

    part: Part
    frames: Sequence[Any]


# --- what comes in -----------------------------------------------------------------------------


class Submitted(msgspec.Struct, frozen=True):
    """A client sent a request.

    Attributes:
        timeout_s: how long it may take; None for no limit.
        deadline: the moment when that is over, on a clock that workers can read.
        is_timed: its answer says how long it waited and ran.
        arrived: when it came, in seconds since 1970.
        on_error: what becomes of it at a node that raises, where the node does not say.
        window: requests that its client may have under way; 0 for the usual number.
    """

    client: bytes
    number: int
    endpoint: str
    targets: Sequence[str] | None
    rows: int
    base: int
    call: bytes
    pieces: Sequence[Piece]
    timeout_s: float | None = None
    deadline: float | None = None
    is_timed: bool = False
    arrived: float = 0.0
    on_error: str = ""
    window: int = 0


class Replied(msgspec.Struct, frozen=True):
    """A worker finished a task; `times` of one that is timed."""

    worker: bytes
    task: int
    pieces: Sequence[Piece]
    times: Times | None = None


class Raised(msgspec.Struct, frozen=True):
    """A worker's Executor raised; `times` of a task that is timed."""

    worker: bytes
    task: int
    error: ErrorInfo
    times: Times | None = None


class Joined(msgspec.Struct, frozen=True):
    """A worker is ready.

    Attributes:
        batching: endpoints of which requests may become one call.
        once: endpoints whose method must not see a Document twice.
    """

    worker: bytes
    node: str
    replica: int
    endpoints: Sequence[str]
    credits: int
    shard: int | None = None
    batching: Mapping[str, Batching] = {}
    once: Sequence[str] = ()


class Lost(msgspec.Struct, frozen=True):
    """A worker's process is gone.

    Attributes:
        begun: the task that it had begun and not finished; 0 when it was idle.
        reason: such as "killed by SIGKILL", with its last log lines.
        is_unsure: its machine is lost: nobody knows what it had begun. No task is charged, but one
            whose method must not see a Document twice is not repeated.
    """

    worker: bytes
    begun: int
    reason: str
    is_unsure: bool = False


class Retire(msgspec.Struct, frozen=True):
    """A worker is to end: it finishes the tasks that it has and gets no more."""

    worker: bytes


class NodeFailed(msgspec.Struct, frozen=True):
    """No replica of a node, or of one of its shards, is left and none will come back."""

    node: str
    reason: str
    shard: int | None = None


class Cancelled(msgspec.Struct, frozen=True):
    """A client does not want a request any more: no answer of it, and no further call for it."""

    client: bytes
    number: int


class ClientLeft(msgspec.Struct, frozen=True):
    """A client is gone: it does not want any of its requests."""

    client: bytes


class Draining(msgspec.Struct, frozen=True):
    """No further request will come, so that none waits for others."""


class Expired(msgspec.Struct, frozen=True):
    """The time of a timer that was started has come."""

    timer: int


Event: TypeAlias = (
    "Submitted | Cancelled | Replied | Raised | Joined | Lost | Retire | NodeFailed | ClientLeft"
    " | Draining | Expired"
)


# --- what is to be done ------------------------------------------------------------------------


class Dispatch(msgspec.Struct, frozen=True):
    """Send a task to a worker: all of it, or the outcomes from `first` up to `stop`.

    With `blame` these outcomes are that error, with `skip` they stay as they are; the Executor is
    not called then. From `deadline` on, the worker need not begin it. Tasks with the same `lot`
    follow each other and become one call; it is the number of the last of them. The last `carried`
    pieces are what the outcomes before `first` gave; the reply begins with them.
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
    deadline: float | None = None
    is_timed: bool = False
    skip: bool = False
    lot: int = 0
    client: bytes = b""  # whose request it is, where something is to be blamed
    carried: int = 0
    is_end: bool = False  # the result goes to the client, and to no other worker
    is_answer: bool = False  # the result goes to the client, and perhaps to other workers


class TakeBack(msgspec.Struct, frozen=True):
    """Tell a worker that it need not begin a task: nobody wants it any more.

    It reports the task all the same, at once if it has not begun it. That may have crossed this.
    """

    worker: bytes
    task: int


class Overdue(msgspec.Struct, frozen=True):
    """A worker has had a task for longer than its node allows: end it, if it still has.

    It is said again each time that so long has passed. `lot` is that of the task.
    """

    worker: bytes
    task: int
    seconds: float
    lot: int = 0


class Answer(msgspec.Struct, frozen=True):
    """Send a client its result, and what happened on the way if there is anything to say.

    The endpoint is named where something happened.
    """

    client: bytes
    number: int
    pieces: Sequence[Piece]
    served: int
    way: Way | None = None
    endpoint: str = ""


class AnswerError(msgspec.Struct, frozen=True):
    """Tell a client that its request failed as a whole."""

    client: bytes
    number: int
    error: ErrorInfo
    way: Way | None = None
    endpoint: str = ""


class Refuse(msgspec.Struct, frozen=True):
    """Tell a client that its request is not taken."""

    client: bytes
    number: int
    reason: str


class StartTimer(msgspec.Struct, frozen=True):
    """Tell the router `Expired(timer)` after this many seconds."""

    timer: int
    seconds: float


class Unheard(msgspec.Struct, frozen=True):
    """Say that a client's request failed at a node for whose results nobody waits."""

    client: bytes
    number: int
    error: ErrorInfo
    endpoint: str = ""


class Retired(msgspec.Struct, frozen=True):
    """A worker that was to end has nothing left to do: let it close."""

    worker: bytes


Action: TypeAlias = (
    "Dispatch | TakeBack | Overdue | Answer | AnswerError | Refuse | StartTimer | Unheard | Retired"
)
