"""What is placed on a cluster: in which pieces, with which keys; and what its placer is told.

A place is one actor with one agent: a replica of an executor, or a shard with all its replicas,
because the files of a shard belong to one agent.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import structs

from jina.graph.plan import Placing, Plan, RayAsk, WorkerSpec
from jina.names import worker_name
from jina.transport.keys import GATEWAY_ROLE, WORKER, make_key, own_key

_GATEWAY_PUB = "gateway.pub"


class Place(NamedTuple):
    """One actor of a Flow.

    Attributes:
        name: how people see it, such as "encoder/0" or "indexer/shard-2".
        shard: that it serves; None where the node has none.
        workers: what its agent starts.
        ask: of the cluster.
    """

    name: str
    shard: int | None
    workers: list[WorkerSpec]
    ask: RayAsk

    @property
    def node(self) -> str:
        """Of the Flow."""
        return self.workers[0].node

    @property
    def where(self) -> str:
        """Where the user wrote it, as file:line:column."""
        return self.workers[0].where


def places_of(placing: Placing) -> Iterator[Place]:
    """The actors of a Flow."""
    shards: dict[tuple[str, int], list[WorkerSpec]] = {}
    for spec in placing.workers:
        if spec.shard is None:
            yield Place(spec.name, None, [spec], placing.asks[spec.node])
        else:
            shards.setdefault((spec.node, spec.shard), []).append(spec)
    for (node, shard), specs in shards.items():
        name = worker_name(node, 0, shard).rpartition("/")[0]
        yield Place(name, shard, specs, placing.asks[node].times(len(specs)))


def with_run_keys(plan: Plan, directory: Path) -> Plan:
    """The plan of a Flow with keys of this run, one for each place, where an engine places any.

    Args:
        plan: of the Flow.
        directory: of the run; it is removed at its end, and the keys with it.

    Raises:
        BadKeys: the gateway's own key cannot be used.
        OSError: the files cannot be written.
    """
    if plan.placing is None:
        return plan
    folder = directory / "keys"
    if plan.keys:
        gateway = own_key(Path(plan.keys), GATEWAY_ROLE)
        folder.mkdir(mode=0o700)
    else:
        gateway = make_key(folder, "gateway", GATEWAY_ROLE)
    secrets = folder / "places"
    for place in places_of(plan.placing):
        name = key_name(place)
        make_key(secrets, name, WORKER)
        (secrets / f"{name}.pub").rename(folder / f"{name}.pub")
    (secrets / _GATEWAY_PUB).write_text(f"role: gateway\npublic: {gateway.public.decode()}\n")
    placing = structs.replace(plan.placing, keys=str(folder))
    return structs.replace(plan, keys=plan.keys or str(folder), placing=placing)


def keys_of(place: Place, keys: str) -> dict[str, str]:
    """The folder of keys of one place: the name of each file, and its text.

    Raises:
        OSError: the keys of the run are gone.
    """
    secrets = Path(keys) / "places"
    files = (f"{key_name(place)}.key", _GATEWAY_PUB)
    return {file: (secrets / file).read_text() for file in files}


def key_name(place: Place) -> str:
    """Of the key that a place shows."""
    return place.name.replace("/", "-")[-64:].lstrip("-.")


class Begin(msgspec.Struct, tag=True, kw_only=True):
    """The first message to a placer: what to place."""

    flow: str
    placing: Placing


class Listening(msgspec.Struct, tag=True, kw_only=True):
    """The gateway listens to workers there."""

    address: str


class Finish(msgspec.Struct, tag=True, kw_only=True):
    """The Flow stops: place nothing any more, and leave once the agents have ended."""

    grace_s: float


ToPlacer: TypeAlias = Begin | Listening | Finish
