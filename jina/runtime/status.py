"""What a gateway answers to the question how its workers are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from jina.runtime.known_workers import KnownWorker
from jina.runtime.router import Router


def status_of(router: Router, workers: Iterable[KnownWorker], **more: Any) -> bytes:
    """The answer as JSON.

    Args:
        router: of the gateway.
        workers: all that the gateway knows.
        **more: what else the gateway says.
    """
    return msgspec.json.encode(
        {
            **more,
            "requests_held": router.requests_held,
            "endpoints": router.endpoints,
            "failed": router.failed_nodes,
            "workers": [worker.status(router.outstanding(worker.identity)) for worker in workers],
        }
    )
