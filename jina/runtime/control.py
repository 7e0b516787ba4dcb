"""What the supervisor tells its processes, and what the gateway tells it.

A worker gets one Assignment. Supervisor and gateway talk in JSON lines over an inherited socket
pair.
"""

from __future__ import annotations

import select
import socket
from typing import TypeAlias, TypeVar

import msgspec

from jina.defaults import DRAIN_GRACE_S, LEASE_S, MAX_INFLIGHT_BYTES
from jina.excepts import WireError
from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jina.runtime.facts import Look, Seen
from jina.runtime.structs import decode_json, encode_json
from jina.wire.doubts import Doubt

_T = TypeVar("_T")


class _Message(msgspec.Struct, tag=True, kw_only=True):
    pass


# --- supervisor -> worker, on its standard input ------------------------------------------------


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor writes to a worker's standard input.

    Attributes:
        identity: of this incarnation, on the gateway's socket.
        spec: what to run.
        back: address of the gateway's socket for workers.
        board: path of the begin board.
        slot: this incarnation's place on it.
        keys: folder of the keys that the gateway is shown; "" where it is on this machine.
    """

    identity: str
    spec: WorkerSpec
    back: str
    board: str
    slot: int
    keys: str = ""


#: Exit code of a worker whose Executor could not be built for what a check of its YAML finds:
#: `EX_CONFIG` of sysexits.h.
UNFIT = 78


# --- supervisor -> gateway ---------------------------------------------------------------------


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that has files which nobody else may write while it may be alive.

    Attributes:
        identity: on the socket for workers.
        who: how people know it.
        node: of the Flow.
        shard: the only one that it serves; None for all, or where there are none.
        is_stateful: its Executor keeps files.
    """

    identity: bytes
    who: str
    node: str
    shard: int | None = None
    is_stateful: bool = False


class Configure(_Message):
    """The first message: what to serve and where.

    `mark` is what the workers' descendants carry, see `jina.runtime.descendants`. `endpoints` and
    `first_task` are for a gateway that takes the place of one that died. `holders` are those of the
    one before, in this run of the Flow or the last, who may be alive for `held_s` more seconds.
    """

    flow: str
    directory: str
    nodes: list[PlannedNode]
    front: list[str]  # addresses for clients
    back: str  # address for workers
    board: str  # path of the begin board
    mark: str = ""
    endpoints: dict[str, list[str]] = {}
    first_task: int = 0
    keys: str = ""  # folder of the gateway's own key, and of those who are let in over tcp
    workers: str = ""  # address for agents and workers of other machines; "" for none
    lease_s: float = LEASE_S  # see jina.runtime.roster
    placed_keys: str = ""  # folder of further keys that are let in: those that an engine placed
    most_bytes: int = MAX_INFLIGHT_BYTES  # of requests; with more, it does not read from clients
    holders: list[Holder] = []
    held_s: float = 0.0


class Expect(_Message):
    """A worker is about to be started, or runs already and belonged to an earlier gateway."""

    identity: str
    node: str
    replica: int
    slot: int
    is_running: bool = False
    shard: int | None = None
    is_retiring: bool = False  # it was to retire already
    devices: str = ""  # its CUDA_VISIBLE_DEVICES


class Started(_Message):
    """A worker's process exists; its pid is its process group."""

    identity: str
    pid: int


class Retire(_Message):
    """A worker gets no more requests; when it has answered those that it has, let it close."""

    identity: str


class Died(_Message):
    """A worker's process is gone."""

    identity: str
    reason: str
    begun: int = 0  # the task on the begin board, where that is an agent's


class Restarted(_Message):
    """A worker of a node died that nobody had asked to: how often this was so, all in all."""

    node: str
    count: int


class GaveUp(_Message):
    """A node's workers, or those of one of its shards, will not be started again."""

    node: str
    reason: str
    shard: int | None = None


class Drain(_Message):
    """Take no new requests, finish those under way, then let the workers close.

    A gateway gives up what is not done after `grace_s`; a supervisor tells it so in its turn.
    """

    grace_s: float = DRAIN_GRACE_S


# --- owner -> supervisor, where another process wants the Flow ------------------------------------


class Begin(_Message):
    """The first message: what to run. `key` makes the run directory's name, see rundir.claim."""

    plan: Plan
    key: str


class Release(_Message):
    """The owner leaves; the Flow stays up until it is told otherwise."""


# --- whoever may use the run directory -> supervisor, on its socket there -------------------------


class Change(_Message):
    """Change a Flow that is up: how many workers some nodes have, or what these run.

    Attributes:
        nodes: the names of those nodes; empty for all.
        replicas: how many each of them shall have, whose workers then stay as they are; 0 to
            replace every worker of theirs.
        is_surge: start each new worker before the one that it replaces ends, not afterwards.
        plan: what they shall run from now on; None for what they run now.
    """

    nodes: list[str]
    replicas: int = 0
    is_surge: bool = False
    plan: Plan | None = None


class Told(_Message):
    """The change goes on: what has just happened, in words.

    Or, without a text, about once a second: which workers it waits for, and for how long.
    """

    text: str
    loading: list[str] = []
    seconds: float = 0.0


class Done(_Message):
    """The change is made: what is now, in words, and how many workers there are."""

    text: str
    workers: int


class Refused(_Message):
    """The change was not begun, or not finished.

    `is_usage` says that no such change can be made of this Flow, now or later.
    """

    what: str
    hint: str = ""
    is_usage: bool = False


# --- gateway -> supervisor ---------------------------------------------------------------------


class Listening(_Message):
    """The gateway's sockets are bound."""

    front: list[str]
    workers: str = ""  # where agents and workers of other machines reach it


class WorkerReady(_Message):
    """A worker's Executor is up."""

    identity: str
    endpoints: list[str]
    doubts: list[Doubt] = []  # what is suspicious about it
    python: str = ""  # version of its interpreter


class RemoteReady(_Message):
    """A worker on another machine is ready."""

    name: str
    node: str
    shard: int | None
    endpoints: list[str]
    agent: str  # that started it, in words


class AgentNews(_Message):
    """An agent came, left or was turned away, in words."""

    text: str


class Holders(_Message):
    """Agents that may be alive and have files; said before one of them is let in."""

    holders: list[Holder]


class Charged(_Message):
    """A worker's death is blamed on the request that it had begun."""

    identity: str


class Overdue(_Message):
    """A worker has had a request for too long: end it, after its stacks went to the log.

    `begun` is what it has on the begin board: the number of that request, or 0 if it is stopped and
    begins nothing. If that has changed when the moment comes, it goes on, and is left alone.
    """

    identity: str
    begun: int
    seconds: float


class Unreachable(_Message):
    """A worker that was ready has lost its connection, and with it what was sent: end it."""

    identity: str


class Retired(_Message):
    """A worker that was to retire has nothing left to do. Said before it is told to close."""

    identity: str


class RequestFailed(_Message):
    """A request failed, or one of its Documents did.

    Attributes:
        worker: whose fault it is: a worker, or a node; empty for nobody's.
        text: one line about it; empty if only `left_out` is told.
        left_out: how many others have failed and were not told, so that they fill no log.
        client: who asked, in its own words; empty if only `left_out` is told.
    """

    worker: str
    text: str
    left_out: int = 0
    client: str = ""


class Drained(_Message):
    """Every request has its answer, or its time is over. Said before the workers are told to close.

    `given_up` is how many requests were not done in time.
    """

    given_up: int = 0


ToOwnedSupervisor: TypeAlias = Begin | Release | Drain
ToGateway: TypeAlias = (
    Configure | Expect | Started | Retire | Died | Restarted | GaveUp | Drain | Look
)
ToSupervisor: TypeAlias = (
    Listening
    | WorkerReady
    | RemoteReady
    | AgentNews
    | Holders
    | Charged
    | Overdue
    | Unreachable
    | Retired
    | RequestFailed
    | Seen
    | Drained
)


class Channel:
    """One end of the socket pair: sends whole messages, receives what has come.

    Args:
        end: a connected stream socket; the channel owns it.
        receives: the union of the messages that the other end sends.
    """

    def __init__(self, end: socket.socket, receives: object) -> None:
        self._end = end
        self._decoder: msgspec.json.Decoder[object] = msgspec.json.Decoder(receives)
        self._rest: list[bytes] = []  # the pieces of a message that has not come whole
        self._waiting: list[object] = []  # messages that were read and not received yet
        self.is_open = True

    def fileno(self) -> int:
        """The descriptor to poll; it does not tell of messages that wait here."""
        return self._end.fileno()

    @property
    def has_waiting(self) -> bool:
        """Whether `receive` returns messages that a poll would not tell of."""
        return bool(self._waiting)

    def send(self, message: msgspec.Struct) -> None:
        """Send one message; the other end being gone is noticed by `receive`.

        Where the other end does not read, because it waits for us to read in its turn, what it has
        sent is read meanwhile. A non-blocking socket does not wait: such an end is given up.
        """
        data = memoryview(encode_json(message) + b"\n")
        try:
            while data and self.is_open:
                try:
                    data = data[self._end.send(data, socket.MSG_DONTWAIT) :]
                except BlockingIOError:
                    if not self._end.getblocking():
                        raise
                    if select.select([self._end], [self._end], [])[0]:
                        self._waiting += self._read()
        except OSError:
            self.is_open = False

    def wait_for(self, kind: type[_T]) -> _T:
        """The first message, which must be of this kind.

        Raises:
            WireError: the other end left, or said something else first.
        """
        while self.is_open and not self._waiting:
            self._waiting = self._read()
        first = self._waiting[0] if self._waiting else None
        if isinstance(first, kind):
            del self._waiting[0]
            return first
        raise WireError(f"expected {kind.__name__} from the other end of the channel")

    def receive(self) -> list[object]:
        """Every whole message that has come; waits only when nothing has.

        Once the other end is gone, `is_open` is False.
        """
        waiting, self._waiting = self._waiting, []
        return waiting or self._read()

    def _read(self) -> list[object]:
        try:
            data = self._end.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.is_open = False
            return []
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._rest.append(data)
            return []
        lines = b"".join([*self._rest, whole]).split(b"\n")
        self._rest = [rest]
        return [decode_json(line, self._decoder) for line in lines]

    def close(self) -> None:
        """Close this end."""
        self.is_open = False
        self._end.close()
