"""What an agent tells the gateway of a worker, with each beat."""

from __future__ import annotations

import os
import socket

from jina.launch.health import describe
from jina.launch.workers import WorkerProcess
from jina.names import DEVICES
from jina.runtime.board import Work
from jina.runtime.facts import FailureCount, WorkerFacts, WorkerReport


def report_of(
    worker: WorkerProcess, work: Work, restarts: tuple[int, str], *, is_retiring: bool
) -> WorkerReport:
    """How a worker is.

    Args:
        worker: of this process.
        work: what stands on the board about it.
        restarts: how often it was started again, and how it had ended the last time.
        is_retiring: it was asked to end.
    """
    spec = worker.spec
    report = WorkerReport(
        name=spec.name,
        node=spec.node,
        shard=spec.shard,
        replica=spec.replica,
        restarts=restarts[0],
        last_end=restarts[1],
        devices=spec.env.get(DEVICES, ""),
        python=spec.python,
        machine=socket.gethostname(),
        agent=os.getpid(),
    )
    facts = WorkerFacts(
        identity=worker.identity,
        outstanding=0,
        oldest_s=None,
        is_busy=work.begun != 0,
        since_s=work.since_s,
        calls=work.calls,
        docs=work.docs,
        busy_s=work.busy_s,
        failures=FailureCount(),
    )
    describe(report, worker, facts, is_retiring=is_retiring)
    return report
