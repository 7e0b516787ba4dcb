"""Gather what a gateway says of a Flow: from what the router holds, and from the begin board."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from jina.runtime.board import Board
from jina.runtime.facts import NodeFacts, Seen, WorkerFacts
from jina.runtime.failures import Failures
from jina.runtime.known_workers import KnownWorker
from jina.runtime.router import Router
from jina.runtime.tasks import Request, Task


def seen(
    number: int,
    router: Router,
    workers: Mapping[bytes, KnownWorker],
    board: Board,
    failures: Failures,
    *,
    requests_done: int,
    clients: int,
) -> Seen:
    """Look around.

    Args:
        number: of the question.
        router: of the gateway.
        workers: that the gateway knows.
        board: where they note what they are at.
        failures: that were noted.
        requests_done: requests with an answer.
        clients: that said hello.
    """
    now = time.time()
    at_work, pools, held, floating = router.parts
    described = []
    for identity, known in workers.items():
        ready = at_work.get(identity)
        work = board.work(known.slot)
        described.append(
            WorkerFacts(
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
        )
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
