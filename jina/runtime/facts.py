"""What a gateway and its supervisor say of a Flow when somebody looks how it is: plain data.

A worker is asked nothing for it: one that is stopped or hangs could not answer.
"""

from __future__ import annotations

import msgspec


class Look(msgspec.Struct, tag=True, kw_only=True):
    """How is the Flow? Answered with `Seen` by a gateway, with a `Report` by a supervisor.

    `number` is that of the question.
    """

    number: int = 0


class FailureCount(msgspec.Struct, kw_only=True):
    """Requests that failed at one place, and the last of these failures.

    Attributes:
        count: how many.
        error: what people read of the last one, in one line; empty if there is none.
        at: when that was, in seconds since 1970.
    """

    count: int = 0
    error: str = ""
    at: float = 0.0


class WorkerFacts(msgspec.Struct, kw_only=True):
    """One worker. Times are in seconds.

    Attributes:
        identity: of this incarnation.
        outstanding: requests that were sent to it and have no reply.
        oldest_s: how long ago the oldest of these came to the gateway; None for none.
        is_busy: it has begun one.
        since_s: for how long it has been busy, or idle; 0 before its first request.
        calls: that it has finished.
        docs: Documents in them.
        busy_s: how long they took.
        failures: of requests at it.
    """

    identity: str
    outstanding: int
    oldest_s: float | None
    is_busy: bool
    since_s: float
    calls: int
    docs: int
    busy_s: float
    failures: FailureCount


class NodeFacts(msgspec.Struct, kw_only=True):
    """One node of the graph.

    Attributes:
        name: its name; heads and tails are nodes of their own.
        queued: requests that wait for a worker of it.
        oldest_s: how long ago the oldest of these came to the gateway; None for none.
        failures: of requests at it.
    """

    name: str
    queued: int
    oldest_s: float | None
    failures: FailureCount


class Seen(msgspec.Struct, tag=True, kw_only=True):
    """What the gateway sees.

    Attributes:
        number: of the question.
        nodes: in the order of the graph.
        workers: those that the gateway knows.
        requests_held: without an answer, floating ones included.
        requests_done: that have their answer.
        bytes_held: of the requests' bodies.
        oldest_s: how long ago the oldest request without an answer came; None for none.
        floating: requests that go on although nobody waits for them.
        floating_oldest_s: how long ago the oldest of these came; None for none.
        clients: that are connected.
        failures: of all requests.
        endpoints: node -> what it binds.
        failed: nodes, or shards, that serve no more, and why.
        remote: workers on other machines, as their agents have reported them.
        unserved: external nodes, or shards of them, that nobody serves.
    """

    number: int
    nodes: list[NodeFacts]
    workers: list[WorkerFacts]
    requests_held: int
    requests_done: int
    bytes_held: int
    oldest_s: float | None
    floating: int
    floating_oldest_s: float | None
    clients: int
    failures: FailureCount
    endpoints: dict[str, list[str]]
    failed: dict[str, str]
    remote: list[WorkerReport] = []
    unserved: list[str] = []


# --- what the supervisor answers ------------------------------------------------------------------


class GatewayReport(msgspec.Struct, kw_only=True):
    """The gateway of a Flow. Times are in seconds, sizes in bytes.

    Attributes:
        pid: of its process; 0 while there is none.
        state: ready, silent (it has not answered), stopped (by a signal), or gone.
        memory: that it has; 0 where the system does not say.
        restarts: how often another one has taken its place.
        requests_held: without an answer, floating ones included.
        requests_done: that have their answer, since this gateway started.
        bytes_held: of the requests' bodies.
        oldest_s: how long ago the oldest request without an answer came; None for none.
        floating: requests that go on although nobody waits for them.
        floating_oldest_s: how long ago the oldest of these came; None for none.
        clients: that are connected.
        failures: requests that failed, since this gateway started.
        last_error: of them, in one line; empty if there is none.
        last_error_at: when that was, in seconds since 1970; 0 if there is none.
    """

    pid: int = 0
    state: str = "gone"
    memory: int = 0
    restarts: int = 0
    requests_held: int = 0
    requests_done: int = 0
    bytes_held: int = 0
    oldest_s: float | None = None
    floating: int = 0
    floating_oldest_s: float | None = None
    clients: int = 0
    failures: int = 0
    last_error: str = ""
    last_error_at: float = 0.0


class NodeReport(msgspec.Struct, kw_only=True):
    """One node of the graph; heads and tails are nodes of their own.

    Attributes:
        name: its name.
        endpoints: that it binds, as far as its workers have said.
        queued: requests that wait for a worker of it.
        oldest_s: how long ago the oldest of these came; None for none.
        failures: of requests at it.
        last_error: of these, in one line; empty if there is none.
        last_error_at: when that was, in seconds since 1970; 0 if there is none.
        failed: why it, or shards of it, serve no more; empty while all do.
    """

    name: str
    endpoints: list[str] = []
    queued: int = 0
    oldest_s: float | None = None
    failures: int = 0
    last_error: str = ""
    last_error_at: float = 0.0
    failed: str = ""


class WorkerReport(msgspec.Struct, kw_only=True):
    """One worker: one of the processes of a node.

    Attributes:
        name: how people see it, such as "encoder/0".
        node: its node.
        shard: of the node; None where it has none.
        replica: which of the processes that share requests.
        pid: of its process; 0 while there is none.
        state: loading (not ready yet), ready (idle), busy (in a call), silent (it was sent requests
            and begins none), stopped (by a signal such as SIGSTOP), retiring (it ends when it is
            done), restarting (it died, another one follows), failed (none follows).
        since_s: for how long it is busy, idle or loading; 0 if it never was busy.
        up_s: age of its process.
        memory: that it has; 0 where the system does not say.
        outstanding: requests that were sent to it and have no reply.
        oldest_s: how long ago the oldest of these came to the gateway; None for none.
        calls: that this process has finished.
        docs: Documents in them.
        busy_s: how long they took.
        failures: of requests at this place, earlier processes included.
        last_error: of these, in one line; empty if there is none.
        last_error_at: when that was, in seconds since 1970; 0 if there is none.
        restarts: how often a process died here and was replaced.
        last_end: how the last of them ended.
        devices: its CUDA_VISIBLE_DEVICES.
        threads: that each numerical library in it may use; 0 if that is not known.
        python: path of its interpreter.
        python_version: of that, such as "3.11.7"; empty until it was ready.
        machine: on which it runs; "" for that of the Flow.
        agent: process id of the agent that started it there; 0 for the Flow itself.
    """

    name: str
    node: str
    shard: int | None
    replica: int
    pid: int = 0
    state: str = "restarting"
    since_s: float = 0.0
    up_s: float = 0.0
    memory: int = 0
    outstanding: int = 0
    oldest_s: float | None = None
    calls: int = 0
    docs: int = 0
    busy_s: float = 0.0
    failures: int = 0
    last_error: str = ""
    last_error_at: float = 0.0
    restarts: int = 0
    last_end: str = ""
    devices: str = ""
    threads: int = 0
    python: str = ""
    python_version: str = ""
    machine: str = ""
    agent: int = 0


class FrontReport(msgspec.Struct, kw_only=True):
    """One process that serves HTTP.

    Attributes:
        name: how people see it, such as "http/0".
        pid: of the process; 0 while there is none.
        state: loading (it does not serve yet), ready, stopped (by a signal such as SIGSTOP), or
            restarting.
        up_s: age of the process.
        memory: that it has; 0 where the system does not say.
        restarts: how often a process died here and was replaced.
        last_end: how the last of them ended.
        requests_held: requests to it that have no answer yet.
        requests_done: that were answered here, by earlier processes too.
    """

    name: str
    pid: int = 0
    state: str = "restarting"
    up_s: float = 0.0
    memory: int = 0
    restarts: int = 0
    last_end: str = ""
    requests_held: int = 0
    requests_done: int = 0


class Report(msgspec.Struct, tag=True, kw_only=True):
    """How a Flow is.

    Attributes:
        number: of the question.
        state: starting, healthy, degraded or stopping.
        problems: what is not as it should be, each in a few words; empty when it is healthy.
        gateway: the process that clients talk to.
        nodes: in the order of the graph.
        workers: by node, shard and replica.
        failed: nodes, or shards, that serve no more, and why.
        fronts: the processes that serve HTTP.
    """

    number: int
    state: str
    problems: list[str]
    gateway: GatewayReport
    nodes: list[NodeReport]
    workers: list[WorkerReport]
    failed: dict[str, str] = {}
    fronts: list[FrontReport] = []
