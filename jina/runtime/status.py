"""What a gateway answers to the question how its workers are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from jina.runtime.known_workers import KnownWorker
from jina.runtime.router import Router


def status_of(
    router: Router, workers: Iterable[KnownWorker], places: Mapping[str, int], **more: Any
) -> bytes:
    """The answer as JSON.

    Args:
        router: of the gateway.
        workers: all that the gateway knows.
        places: node -> its place in the graph, in whose order they are told.
        **more: what else the gateway says.
    """
    ordered = sorted(
        workers, key=lambda worker: (places[worker.node], worker.shard or 0, worker.replica)
    )
    return msgspec.json.encode(
        {
            **more,
            "requests_held": router.requests_held,
            "nodes": list(places),
            "endpoints": router.endpoints,
            "failed": router.failed_nodes,
            "workers": [worker.status(router.outstanding(worker.identity)) for worker in ordered],
        }
    )
