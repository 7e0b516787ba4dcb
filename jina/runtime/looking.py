"""Gather what a gateway says of a Flow: from what the router holds, and from the begin boards."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from msgspec import structs

from jina.runtime.facts import NodeFacts, Seen, WorkerFacts, WorkerReport
from jina.runtime.failures import Failures
from jina.runtime.known_workers import KnownWorker
from jina.runtime.router import Router
from jina.runtime.tasks import Request, Task


def seen(
    number: int,
    router: Router,
    workers: Mapping[bytes, KnownWorker],
    failures: Failures,
    requests_done: int,
    clients: int,
) -> Seen:
    """Look around.

    Args:
        number: of the question.
        router: of the gateway.
        workers: that the gateway knows.
        failures: that were noted.
        requests_done: requests with an answer.
        clients: that said hello.
    """
    now = time.time()
    at_work, pools, held, floating = router.parts
    described = []
    remote = []
    for identity, known in workers.items():
        ready = at_work.get(identity)
        work = known.owner.work(identity.decode(), known.slot)
        facts = WorkerFacts(
            identity=identity.decode(),
            outstanding=len(ready.tasks) if ready else 0,
            oldest_s=_oldest((task.request for task in ready.tasks.values()), now)
            if ready
            else None,
            is_busy=work.begun != 0,
            since_s=work.since_s,
            calls=work.calls,
            docs=work.docs,
            busy_s=work.busy_s,
            failures=failures.of_worker(known.node, known.replica, known.shard),
        )
        described.append(facts)
        if (report := known.owner.report(facts.identity)) is not None:
            remote.append(_with_facts(report, facts))
    return Seen(
        number=number,
        nodes=[_node(name, list(pool), failures, now) for name, pool in pools.items()],
        workers=described,
        requests_held=router.requests_held,
        requests_done=requests_done,
        bytes_held=router.bytes_held,
        oldest_s=_oldest(held, now),
        floating=len(floating),
        floating_oldest_s=_oldest(floating, now),
        clients=clients,
        failures=failures.total,
        endpoints=router.endpoints,
        failed=router.failed_nodes,
        remote=remote,
        unserved=_unserved(router, workers.values()),
    )


def _unserved(router: Router, workers: Iterable[KnownWorker]) -> list[str]:
    """External nodes, and shards of them, without a worker that is ready."""
    served = {(each.node, each.shard or 0) for each in workers if each.is_ready}
    return [
        f"shard {shard} of {node.name}" if node.shards > 1 else node.name
        for node in router.external
        for shard in range(node.shards)
        if (node.name, shard) not in served
    ]


def _with_facts(report: WorkerReport, facts: WorkerFacts) -> WorkerReport:
    """What an agent has reported, with what only the gateway knows."""
    return structs.replace(
        report,
        outstanding=facts.outstanding,
        oldest_s=facts.oldest_s,
        failures=facts.failures.count,
        last_error=facts.failures.error,
        last_error_at=facts.failures.at,
    )


def _node(name: str, waiting: list[Task], failures: Failures, now: float) -> NodeFacts:
    requests = [task.request for task in waiting if not task.request.answered]
    return NodeFacts(
        name=name,
        queued=len(requests),
        oldest_s=_oldest(requests, now),
        failures=failures.of_node(name),
    )


def _oldest(requests: Iterable[Request], now: float) -> float | None:
    arrived = min((request.asked.arrived for request in requests), default=None)
    return None if arrived is None else max(0.0, now - arrived)
