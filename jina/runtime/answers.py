"""What a gateway answers to questions of clients: how the workers are, what the Executors serve."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import structs

from jina.names import GATEWAY
from jina.runtime import control
from jina.runtime.known_workers import KnownWorker
from jina.runtime.router import Router
from jina.wire.described import Described, Endpoint


class Answers:
    """What is known of a Flow besides its requests.

    Args:
        configure: what the supervisor said.
        router: of the gateway.
        workers: those that the gateway knows, by identity.
    """

    def __init__(
        self,
        configure: control.Configure,
        router: Router,
        workers: Mapping[bytes, KnownWorker],
    ) -> None:
        self._flow = configure.flow
        self._nodes = configure.nodes
        self._router = router
        self._workers = workers
        self._started_at = time.time()
        self._restarts: Counter[str] = Counter()
        self._described: dict[str, Described] = {}
        self._of = {node.name: node.of or node.name for node in self._nodes}

    def restarted(self, told: control.Restarted) -> None:
        """Workers of a node had to be started again, so often by now."""
        self._restarts[told.node] = told.count

    def is_described(self, node: str, described: Described | None) -> None:
        """A worker of a node says what it is."""
        if described is not None:
            self._described[node] = described

    def status(self, draining: bool, requests_done: int, requests_failed: int) -> bytes:
        """How the Flow is, as JSON."""
        router = self._router
        places = {node.name: place for place, node in enumerate(self._nodes)}
        ordered = sorted(
            self._workers.values(),
            key=lambda worker: (places[worker.node], worker.shard or 0, worker.replica),
        )
        _, pools, _, _ = router.parts
        return msgspec.json.encode(
            {
                "flow": self._flow,
                "started_at": self._started_at,
                "draining": draining,
                "requests_done": requests_done,
                "requests_failed": requests_failed,
                "requests_held": router.requests_held,
                "endpoints": router.endpoints,
                "failed": router.failed_nodes,
                "nodes": [
                    {
                        "name": name,
                        "queued": sum(not task.request.answered for task in pool),
                        "restarts": self._restarts[name],
                    }
                    for name, pool in pools.items()
                ],
                "workers": [
                    worker.status(router.outstanding(worker.identity)) for worker in ordered
                ],
            }
        )

    def description(self) -> bytes:
        """The graph and what its Executors say of themselves, as JSON.

        A head or a tail belongs to its node, and is not told by itself.
        """
        bound = self._router.endpoints
        nodes = []
        for node in self._nodes:
            if node.of:
                continue
            said = self._described.get(node.name, Described())
            known = self._endpoints(node.name)
            # Of an Executor that has said nothing since this gateway began, at least the names.
            endpoints = [known.get(path, Endpoint(path)) for path in bound.get(node.name, [])]
            described = structs.replace(said, endpoints=endpoints)
            about: dict[str, Any] = {
                "name": node.name,
                "needs": self._needs(node.name),
                "replicas": self._replicas(node.name) or node.replicas,
                "shards": node.shards,
                "is_floating": node.is_floating,
            }
            nodes.append(about | structs.asdict(described))
        return msgspec.json.encode({"flow": self._flow, "nodes": nodes})

    def _endpoints(self, name: str) -> dict[str, Endpoint]:
        """What a node says of its endpoints; those of its head and tail are no methods of it."""
        own = self._described.get(name, Described()).endpoints
        found = {each.path: each for each in own}
        for part, of in self._of.items():
            if of == name != part:
                for each in self._described.get(part, Described()).endpoints:
                    found.setdefault(each.path, structs.replace(each, method=""))
        return found

    def _needs(self, name: str) -> list[str]:
        """What a node needs, as its YAML says: not the head, but what that needs."""
        found: dict[str, None] = {}
        for node in self._nodes:
            if self._of[node.name] == name:
                found.update(dict.fromkeys(self._of.get(need, GATEWAY) for need in node.needs))
        return [need for need in found if need != name]

    def _replicas(self, name: str) -> int:
        """How many there are now, of each shard; people scale a Flow while it is up."""
        known = [each for each in self._workers.values() if each.node == name]
        return len({each.replica for each in known if not each.is_retiring})
