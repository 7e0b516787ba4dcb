"""Say how a Flow is: what its gateway sees, and what the kernel says of each process.

No worker is asked. Whether one runs, the kernel knows; what it is at, and since when, it has
written on the begin board. So the answer comes at once and is true of one that is stopped or hangs.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from jina.graph.plan import WorkerSpec
from jina.launch import events
from jina.launch.changing import Changing
from jina.launch.child import Child
from jina.launch.control_socket import Asker
from jina.launch.fronts import Fronts
from jina.launch.gateway_process import GatewayProcess
from jina.launch.processes import is_stopped, memory_bytes
from jina.launch.restarts import Comebacks
from jina.launch.workers import WorkerProcess, Workers
from jina.names import DEVICES
from jina.runtime import control
from jina.runtime.facts import (
    FailureCount,
    FrontReport,
    GatewayReport,
    Look,
    NodeFacts,
    NodeReport,
    Report,
    Seen,
    WorkerFacts,
    WorkerReport,
)

_PATIENCE_S = 1.0  # for the gateway's answer
_SILENT_S = 5.0  # with requests, and none of them begun
_IN_ORDER = ("ready", "busy", "retiring")
_NO_FAILURE = FailureCount()


class Asked(NamedTuple):
    """A question that waits for the gateway."""

    asker: Asker
    number: int
    until: float


class Health:
    """Answers how one Flow is, on its supervisor's loop.

    Args:
        gateway: its process.
        fronts: those that serve HTTP.
        workers: their processes.
        comebacks: which of them are to be started again.
        changing: knows every worker that there is to be.
        state: the Flow's: starting, up or stopping.
        report: told of requests that failed.
    """

    def __init__(
        self,
        gateway: GatewayProcess,
        fronts: Fronts,
        workers: Workers,
        comebacks: Comebacks,
        changing: Changing,
        state: Callable[[], str],
        report: events.Reporter,
    ) -> None:
        self._gateway = gateway
        self._fronts = fronts
        self._workers = workers
        self._comebacks = comebacks
        self._changing = changing
        self._state = state
        self._report = report
        self._asked: dict[int, Asked] = {}
        self._last = 0
        self._ends: dict[str, tuple[int, str]] = {}  # worker -> its deaths, how the last was
        self._restarts: Counter[str] = Counter()  # node -> deaths of its workers

    @property
    def due(self) -> list[float]:
        """When questions are answered without the gateway."""
        return [asked.until for asked in self._asked.values()]

    def died(self, spec: WorkerSpec, reason: str) -> None:
        """A worker died that nobody had asked to."""
        self._ends[spec.name] = (self._ends.get(spec.name, (0, ""))[0] + 1, reason)
        self._restarts[spec.node] += 1
        self._gateway.tell(control.Restarted(node=spec.node, count=self._restarts[spec.node]))

    def announce(self) -> None:
        """Tell a gateway that replaces another one which workers have died, and were given up."""
        for node, count in self._restarts.items():
            self._gateway.tell(control.Restarted(node=node, count=count))
        for (node, shard), reason in self._comebacks.given_up.items():
            self._gateway.tell(control.GaveUp(node=node, shard=shard, reason=reason))

    def ask(self, look: Look, asker: Asker) -> None:
        """Somebody looks; the answer comes as soon as the gateway has said what it sees."""
        self._last += 1
        self._asked[self._last] = Asked(asker, look.number, time.monotonic() + _PATIENCE_S)
        if self._gateway.child is None:
            self._answer(self._last, None)
        else:
            self._gateway.tell(Look(number=self._last))

    def hear(self, message: Seen | control.RequestFailed) -> None:
        """The gateway has said what it sees, or that a request failed."""
        if isinstance(message, control.RequestFailed):
            self._report(events.RequestFailed.of(message))
        elif message.number in self._asked:
            self._answer(message.number, message)

    def keep_time(self, now: float) -> None:
        """Answer for a gateway that does not."""
        for number, asked in list(self._asked.items()):
            if asked.until <= now:
                self._answer(number, None)

    def _answer(self, number: int, seen: Seen | None) -> None:
        asked = self._asked.pop(number)
        asked.asker.tell(self._described(asked.number, seen))

    # --- the report ---

    def _described(self, number: int, seen: Seen | None) -> Report:
        gateway = _gateway_report(self._gateway.child, self._gateway.starts, seen)
        workers = self._worker_reports(seen)
        nodes = _node_reports(seen) if seen else []
        fronts = self._fronts.reports()
        problems = _problems(gateway, nodes, workers) + _front_problems(fronts)
        problems += [f"nobody serves {name}" for name in (seen.unserved if seen else [])]
        state = self._state()
        if state == "up":
            state = "degraded" if problems else "healthy"
        return Report(
            number=number,
            state=state,
            problems=problems,
            gateway=gateway,
            nodes=nodes,
            workers=workers,
            failed=seen.failed if seen else {},
            fronts=fronts,
        )

    def _worker_reports(self, seen: Seen | None) -> list[WorkerReport]:
        facts = {each.identity: each for each in seen.workers} if seen else {}
        found: dict[str, list[WorkerReport]] = {}
        for worker in self._workers:
            report = self._blank(worker.spec)
            is_retiring = self._workers.is_retiring(worker.identity)
            describe(report, worker, facts.get(worker.identity), is_retiring=is_retiring)
            found.setdefault(worker.spec.name, []).append(report)
        for name, spec in self._changing.specs.items():
            if name not in found:
                found[name] = [report := self._blank(spec)]
                report.state = "failed" if self._comebacks.is_lost(name) else "restarting"
        here = [report for name in _ordered(found, self._changing.specs) for report in found[name]]
        return here + (seen.remote if seen else [])

    def _blank(self, spec: WorkerSpec) -> WorkerReport:
        """What is known of a worker without its process."""
        restarts, last_end = self._ends.get(spec.name, (0, ""))
        return WorkerReport(
            name=spec.name,
            node=spec.node,
            shard=spec.shard,
            replica=spec.replica,
            restarts=restarts,
            last_end=last_end,
            devices=spec.env.get(DEVICES, ""),
            python=spec.container.shown if spec.container else spec.python or sys.executable,
        )


def describe(
    report: WorkerReport, worker: WorkerProcess, facts: WorkerFacts | None, *, is_retiring: bool
) -> None:
    """Write into a report what a worker's process is at.

    Args:
        report: to be completed.
        worker: its process.
        facts: what the gateway sees of it; None where it said nothing.
        is_retiring: it is to end.
    """
    child = worker.child
    report.pid = child.worker_pid
    report.up_s = time.monotonic() - child.started
    report.memory = memory_bytes(report.pid)
    report.threads = worker.threads
    report.python_version = child.python_version
    if facts is not None:
        report.outstanding = facts.outstanding
        report.oldest_s = facts.oldest_s
        report.calls = facts.calls
        report.docs = facts.docs
        report.busy_s = facts.busy_s
        report.since_s = facts.since_s
        _note(report, facts.failures)
    report.state = state_of(
        facts,
        is_stopped=is_stopped(report.pid),
        is_ready=child.is_ready,
        is_retiring=is_retiring,
    )
    if report.state == "loading":
        report.since_s = report.up_s


def state_of(
    facts: WorkerFacts | None, *, is_stopped: bool, is_ready: bool, is_retiring: bool
) -> str:
    """What a worker that has a process is at; see `WorkerReport`."""
    if is_stopped:
        return "stopped"
    if not is_ready:
        return "loading"
    if is_retiring:
        return "retiring"
    if facts is None:
        return "ready"
    if facts.is_busy:
        return "busy"
    # Whoever waits behind another call has waited long, but that one would be busy.
    waits_s = min(facts.oldest_s or 0.0, facts.since_s or facts.oldest_s or 0.0)
    return "silent" if facts.outstanding and waits_s > _SILENT_S else "ready"


def _gateway_report(child: Child | None, starts: int, seen: Seen | None) -> GatewayReport:
    report = GatewayReport(restarts=max(0, starts - 1))
    if child is not None:
        report.pid = child.pid
        report.memory = memory_bytes(child.pid)
        report.state = "stopped" if is_stopped(child.pid) else "ready" if seen else "silent"
    if seen is not None:
        report.requests_held = seen.requests_held
        report.requests_done = seen.requests_done
        report.bytes_held = seen.bytes_held
        report.oldest_s = seen.oldest_s
        report.floating = seen.floating
        report.floating_oldest_s = seen.floating_oldest_s
        report.clients = seen.clients
        _note(report, seen.failures)
    return report


def _node_reports(seen: Seen) -> list[NodeReport]:
    return [_node_report(node, seen) for node in seen.nodes]


def _node_report(node: NodeFacts, seen: Seen) -> NodeReport:
    failed = [
        reason
        for name, reason in seen.failed.items()
        if name == node.name or name.startswith(f"{node.name}/shard-")
    ]
    report = NodeReport(
        name=node.name,
        endpoints=seen.endpoints.get(node.name, []),
        queued=node.queued,
        oldest_s=node.oldest_s,
        failed=failed[0] if failed else "",
    )
    _note(report, node.failures)
    return report


def _note(report: GatewayReport | NodeReport | WorkerReport, failures: FailureCount) -> None:
    report.failures = failures.count
    report.last_error = failures.error
    report.last_error_at = failures.at


def _problems(
    gateway: GatewayReport, nodes: list[NodeReport], workers: list[WorkerReport]
) -> list[str]:
    """What is not as it should be."""
    found = [] if gateway.state == "ready" else [f"the gateway is {gateway.state}"]
    for worker in workers:
        is_new = worker.state == "loading" and not worker.last_end
        if worker.state not in _IN_ORDER and not is_new:
            how = f" (the last one {worker.last_end})" if worker.last_end else ""
            found.append(f"{worker.name} is {worker.state}{how}")
    return found + [f"{node.name} is no longer available" for node in nodes if node.failed]


def _front_problems(fronts: list[FrontReport]) -> list[str]:
    """What is not as it should be with the processes that serve HTTP."""
    return [
        f"{front.name} is {front.state}"
        + (f" (the last one {front.last_end})" if front.last_end else "")
        for front in fronts
        if front.state != "ready" and (front.state != "loading" or front.last_end)
    ]


def _ordered(found: Mapping[str, object], specs: Mapping[str, WorkerSpec]) -> list[str]:
    """Names by node, shard and replica; at the end those that are to be no more."""
    nodes = list(dict.fromkeys(spec.node for spec in specs.values()))
    known = sorted(
        (name for name in specs if name in found),
        key=lambda name: (
            nodes.index(specs[name].node),
            specs[name].shard or 0,
            specs[name].replica,
        ),
    )
    return known + [name for name in found if name not in specs]
