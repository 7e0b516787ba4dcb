"""What a gateway answers to the question how its workers are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from jina.runtime.router import Router


class _Worker(Protocol):
    identity: bytes
    node: str
    replica: int
    pid: int
    is_ready: bool


def status_of(router: Router, workers: Iterable[_Worker], **more: Any) -> bytes:
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
            "workers": [
                {
                    "node": worker.node,
                    "replica": worker.replica,
                    "pid": worker.pid,
                    "state": "ready" if worker.is_ready else "starting",
                    "outstanding": router.outstanding(worker.identity),
                }
                for worker in workers
            ],
        }
    )
