"""The maps within and beside a header: route, call, greetings, readiness, errors.

Each is a msgspec Struct sent as a msgpack array, so a field's position is its name on the wire: new
fields go to the end, with a default.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from jina.excepts import WireError
from jina.wire.batching import Batching
from jina.wire.described import Described
from jina.wire.doubts import Doubt

# What a part holds.
LINES = 0  # JSON lines, one frame
BATCH = 1  # a columnar batch, then its tensor frames
FAILURES = 2  # LineFailures: lines that have an outcome already, an error

# What a part is.
DOCS = 0
GROUNDTRUTHS = 1
ERRORS = 2


# The type of a refusal after which nothing more is taken; other refusals concern one request.
STOPPING = "jina.excepts.ConnectError"

# The type of a refusal because of the key of the client.
SHUT_OUT = "jina.excepts.BadKeys"

# The type of the error of a request whose time is over.
REQUEST_TIMEOUT = "jina.excepts.RequestTimeout"

# What becomes of a request at a node that raises, where the node does not say.
STOP = "stop"  # it fails
SPLIT = "split"  # it is done again in halves, until the Documents are found that fail alone
CONTINUE = "continue"  # it goes on with what the node was given
ON_ERROR = (STOP, SPLIT, CONTINUE)


class Part(msgspec.Struct, array_like=True, frozen=True):
    """A run of payload frames that belong together.

    Attributes:
        kind: LINES, BATCH or FAILURES.
        role: DOCS, GROUNDTRUTHS or ERRORS.
        frames: how many frames it has.
        rows: Documents, lines or failures in it.
        failed: of a LINES part that a worker wrote: how many lines are errors.
        branch: at a join: which of the joined branches it came by, from 0.
    """

    kind: int
    role: int
    frames: int
    rows: int
    failed: int = 0
    branch: int = 0


class ErrorInfo(msgspec.Struct, array_like=True, frozen=True):
    """Why a request failed as a whole. All text, all bounded: nothing is ever unpickled.

    Attributes:
        type: dotted name of the exception's class.
        message: at most 8 KiB.
        executor: name of the node.
        replica: which of its processes.
        traceback: at most 64 KiB, head and tail kept.
        shard: which of the node's shards; None where it has none, or any was meant.
        classes: from a worker: dotted names of the exception's class and of those above it.
        ids: from a worker: of the first Documents that it was given, for the Flow's log.
    """

    type: str
    message: str
    executor: str = ""
    replica: int = 0
    traceback: str = ""
    shard: int | None = None
    classes: list[str] = []
    ids: list[str] = []


class Route(msgspec.Struct, array_like=True, frozen=True):
    """What the gateway reads and writes.

    Attributes:
        endpoint: such as "/index".
        targets: names of the nodes that take part if they serve the endpoint; None means all.
        parts: the payload's parts, in the order of their frames.
        branches: towards a worker: how many branches were joined; 1 when there was no join.
        is_last: towards a worker: no further worker sees this request, so it may write JSON lines.
        served: towards a client: how many nodes were bound to the endpoint.
        first: towards a worker: with `stop`, which of the request's outcomes it is to do, from 0.
        stop: the outcome behind the last one to do; 0 means all.
        blame: towards a worker: the error that those outcomes are to be, without any call.
        deadline: towards the gateway: seconds that the request may take; towards a worker: the
            moment of CLOCK_MONOTONIC (one machine has one) from which on it is not begun.
        is_timed: how long it waits and runs is measured, see Times and Way.
        skip: towards a worker: those outcomes are to stay as they came, without any call.
        lot: towards a worker: the number of the last of the requests that become one call with
            this one; 0 for a request that goes alone.
        on_error: towards the gateway: what becomes of the request at a node that raises, where the
            node does not say: one of ON_ERROR, "" for STOP.
        carried: towards a worker: so many of the parts, the last ones, are what those outcomes
            before `first` gave; the reply begins with them.
        is_end: towards a worker: its result is a part of the answer, and no other worker takes it.
        is_answer: towards a worker: its result is a part of the answer; others may take it, too.
    """

    endpoint: str
    targets: list[str] | None = None
    parts: list[Part] = []
    branches: int = 1
    is_last: bool = False
    served: int = 0
    first: int = 0
    stop: int = 0
    blame: ErrorInfo | None = None
    deadline: float | None = None
    is_timed: bool = False
    skip: bool = False
    lot: int = 0
    on_error: str = ""
    carried: int = 0
    is_end: bool = False
    is_answer: bool = False


class Times(msgspec.Struct, array_like=True, frozen=True):
    """When a worker began and ended a call: seconds since 1970.

    It replaces the call map, not the route, which is the same for many replies and
    decoded once.
    """

    began: float
    ended: float


class Leg(msgspec.Struct, array_like=True, frozen=True):
    """A call of a request at one node.

    Attributes:
        node: its name.
        replica: which of its processes.
        rows: Documents that it was given.
        queued: when it could have begun; seconds since 1970, like the others.
        began: when it began.
        ended: when it ended.
        error: what it raised, without traceback and cut short.
        shard: which of the node's shards; None where it has none.
    """

    node: str
    replica: int
    rows: int
    queued: float
    began: float
    ended: float
    error: ErrorInfo | None = None
    shard: int | None = None


class Way(msgspec.Struct, array_like=True, frozen=True):
    """What happened to a request on its way; towards a client, in place of the call map.

    Attributes:
        errors: after which it went on, one for each node; bounded, the first with a traceback.
        is_raw: part of the answer is what one of these nodes was given, or the request itself: no
            worker wrote lines of it.
        legs: if it was timed: its calls in the order of their ends.
        arrived: if it was timed: when the gateway took it; seconds since 1970.
        left: if it was timed: when the gateway answered.
        blamed: the first error that some of its Documents ended with while others did not, with its
            traceback; None if there is none.
    """

    errors: list[ErrorInfo] = []
    is_raw: bool = False
    legs: list[Leg] = []
    arrived: float = 0.0
    left: float = 0.0
    blamed: ErrorInfo | None = None


class Call(msgspec.Struct, array_like=True, frozen=True):
    """What the client tells the workers; opaque to the gateway.

    Attributes:
        parameters: of the post.
        source: the input's name, for messages.
        key: stream key; with the line number it makes the id of a line without one.
        lines: the client wants JSON lines back.
        tensors: how tensors are written in those lines: "list", "typed" or "base64".
        oversize: (row, line number, bytes) of lines that were too long to carry.
        select: the fields, and `tags.KEY` of the tags, that those lines have; empty for all.
        exclude: those that they do not have.
        words: of which release of Jina those lines are, see `jina.records.dialects`; "" for ours.
    """

    parameters: dict[str, Any] = {}
    source: str = ""
    key: str = ""
    lines: bool = False
    tensors: str = "list"
    oversize: list[tuple[int, int, int]] = []
    select: list[str] = []
    exclude: list[str] = []
    words: str = ""


class Failure(msgspec.Struct, array_like=True, frozen=True):
    """A line, or a Document, whose outcome is an error.

    Attributes:
        place: how many outcomes of the request come before it.
        id: of its Document; stable over retries when the line has none.
        type: dotted name of the error's class.
        message: with the line's place in its source.
        executor: name of the node whose fault it is; "" for a line that could not be read.
        uri: of its Document; "" if it has none, or a very long one.
    """

    place: int
    id: str
    type: str
    message: str
    executor: str = ""
    uri: str = ""


class LineFailures(msgspec.Struct, array_like=True, frozen=True):
    """The failed lines of a request.

    Attributes:
        total: outcomes the request had when it was parsed: Documents plus failures.
        failures: in the order of their places.
    """

    total: int
    failures: list[Failure]


class Hello(msgspec.Struct, array_like=True, frozen=True):
    """What a client says at its greeting, if it wants to.

    Attributes:
        who: it is, for people who read the Flow's log; at most 200 characters count.
        window: how many requests it would like to have under way; 0 for the usual number.
    """

    who: str = ""
    window: int = 0

    @classmethod
    def of_process(cls, pid: int) -> Hello:
        """What a process of this machine says."""
        return cls(f"process {pid} on {os.uname().nodename}")


class Welcome(msgspec.Struct, array_like=True, frozen=True):
    """What a client learns at its greeting.

    Attributes:
        flow: the Flow's name.
        endpoints: node name -> endpoints that it binds.
        window_requests: requests that this client may have under way.
        held: numbers of this client's requests that have no answer yet. What the client had sent
            before its HELLO and neither finds here nor has an answer to is lost: it sends it again.
    """

    flow: str
    endpoints: dict[str, list[str]]
    window_requests: int
    held: list[int] = []


class Ready(msgspec.Struct, array_like=True, frozen=True):
    """What a worker tells when its Executor is up.

    Attributes:
        pid: of the worker.
        endpoints: that its Executor binds.
        credits: requests that may be sent to it without a reply; those of one call count as one.
        batching: endpoints of which requests may become one call.
        doubts: what is suspicious about it.
        once: endpoints whose method must not see a Document twice.
        python: version of its interpreter.
        described: what it says of itself, for people; all of this map is at most 64 KiB.
    """

    pid: int
    endpoints: list[str]
    credits: int
    batching: dict[str, Batching] = {}
    doubts: list[Doubt] = []
    once: list[str] = []
    python: str = ""
    described: Described | None = None


_T = TypeVar("_T")
_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[type, msgspec.msgpack.Decoder[Any]] = {
    cls: msgspec.msgpack.Decoder(cls)
    for cls in (Route, Call, Times, Way, LineFailures, ErrorInfo, Hello, Welcome, Ready)
}


def pack_map(value: msgspec.Struct) -> bytes:
    """Encode one of the maps.

    Raises:
        WireError: a value in it cannot be carried (a number beyond 64 bit, an unknown type).
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"parameters that cannot be carried: {error}") from error


@lru_cache(maxsize=64)
def unpack_route(data: bytes) -> Route:
    """Decode a route map; requests in a row mostly have the same one, which is decoded once.

    Raises:
        WireError: the bytes are not a route map.
    """
    return unpack_map(Route, data)


def unpack_map(cls: type[_T], data: bytes | memoryview) -> _T:
    """Decode one of the maps.

    Raises:
        WireError: the bytes are not such a map.
    """
    try:
        return _DECODERS[cls].decode(data)  # type: ignore[no-any-return]  # keyed by the class
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"a damaged {cls.__name__} map: {error}") from error
