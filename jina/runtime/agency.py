"""What an agent and a gateway say to each other, as JSON in messages of the kind AGENT.

An agent owns workers on another machine as a supervisor owns them here, and speaks of them in the
same words: Expect, Started, Retire, Died. What only a supervisor may say is no part of this.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from jina.excepts import WireError
from jina.graph.plan import PlannedNode
from jina.runtime import control
from jina.runtime.facts import WorkerReport
from jina.runtime.structs import decode_json, encode_json
from jina.transport.sockets import payload
from jina.wire import header as wire
from jina.wire.header import Header, pack_message


class _Message(msgspec.Struct, tag=True, kw_only=True):
    pass


# --- agent -> gateway ---------------------------------------------------------------------------


class Greet(_Message):
    """The first message over each connection: who it is, and what it would serve.

    Attributes:
        machine: its host name.
        pid: of the agent.
        node: of the Flow.
        shard: the only one that it serves; None for all, or where there are none.
        replicas: workers that it starts, of each shard.
        jina: its version.
        msgspec: the version of that library, which writes the messages.
        numbers: of the replicas that it had before.
        identities: of the workers that it has now.
        is_stateful: its Executor keeps files.
        at: the time by its own clock; it is in the answer.
    """

    machine: str
    pid: int
    node: str
    shard: int | None = None
    replicas: int = 1
    jina: str = ""
    msgspec: str = ""
    numbers: list[int] = []
    identities: list[str] = []
    is_stateful: bool = False
    at: float = 0.0

    @property
    def who(self) -> str:
        """How people know the agent."""
        return f"agent {self.pid} on {self.machine}"


class Beat(_Message):
    """It is there, at a time by its own clock; how its workers are, by their identities."""

    at: float
    reports: dict[str, WorkerReport] = {}


class Leave(_Message):
    """It has no workers any more and ends."""


# --- gateway -> agent ---------------------------------------------------------------------------


class Admitted(_Message):
    """It may start its workers, or go on with those that it has.

    Attributes:
        flow: name of the Flow.
        node: what is known of the node that it serves.
        numbers: of its replicas.
        lease_s: if nothing that it has said in so long was answered, it ends its workers.
        at: when it had greeted.
    """

    flow: str
    node: PlannedNode
    numbers: list[int]
    lease_s: float
    at: float


class TurnedAway(_Message):
    """It may not serve, now or later; `is_usage` if it was asked for what cannot be."""

    what: str
    hint: str = ""
    is_usage: bool = False


class Wait(_Message):
    """It may not serve yet: whoever served before it may still be alive."""

    why: str
    seconds: float


class Heard(_Message):
    """The answer to a beat of a time; or, without one, something to see whether it is there."""

    at: float | None = None


class WhoIsIt(_Message):
    """The gateway does not know this agent (any more): let it greet."""


class Ended(_Message):
    """The Flow stops: every worker is told to close."""


class Late(_Message):
    """A worker has had a task for longer than its node allows, see `steps.Overdue`."""

    identity: str
    task: int
    lot: int
    seconds: float


class TakenBack(_Message):
    """A CANCEL was sent to a worker."""

    identity: str


FromAgent: TypeAlias = (
    Greet | Beat | Leave | control.Expect | control.Started | control.Retire | control.Died
)
ToAgent: TypeAlias = (
    Admitted
    | TurnedAway
    | Wait
    | Heard
    | WhoIsIt
    | Ended
    | Late
    | TakenBack
    | control.WorkerReady
    | control.Retired
    | control.Unreachable
)

_FROM_AGENT: msgspec.json.Decoder[FromAgent] = msgspec.json.Decoder(FromAgent)
_TO_AGENT: msgspec.json.Decoder[ToAgent] = msgspec.json.Decoder(ToAgent)


def agent_message(message: msgspec.Struct) -> list[Any]:
    """A message of the kind AGENT."""
    return pack_message(wire.AGENT, [encode_json(message)])


def from_agent(header: Header) -> FromAgent:
    """What an agent says.

    Raises:
        WireError: it is damaged.
    """
    try:
        return decode_json(_body(header), _FROM_AGENT)
    except msgspec.DecodeError as error:
        raise WireError(f"a damaged message of an agent: {error}") from error


def to_agent(header: Header) -> ToAgent:
    """What a gateway says to an agent.

    Raises:
        WireError: it is damaged.
    """
    try:
        return decode_json(_body(header), _TO_AGENT)
    except msgspec.DecodeError as error:
        raise WireError(f"a damaged message to an agent: {error}") from error


def _body(header: Header) -> bytes:
    return bytes(payload(header.frames[0])) if header.frames else b""
