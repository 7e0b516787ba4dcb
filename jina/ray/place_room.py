"""Whether a cluster has room for what is to be placed, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina.excepts import FlowError
from jina.launch.placing import Place

_OWN = ("memory", "object_store_memory")  # what each node declares by itself
FITS = 1e-9
"""By which sums of amounts may be off."""


def misfits(places: Sequence[Place], nodes: Sequence[Mapping[str, Any]]) -> FlowError | None:
    """The error of what can never be placed; None if each place fits somewhere.

    Args:
        places: what is to be placed.
        nodes: of the cluster, as `ray.nodes()` tells them.
    """
    alive = [node for node in nodes if node["Alive"]]
    for node in dict.fromkeys(place.node for place in places):
        of_node = [place for place in places if place.node == node]
        amounts = of_node[0].ask.amounts
        room = sum(_times(amounts, each["Resources"]) for each in alive)
        if room >= len(of_node):
            continue
        asked = f'"{node}" can never be placed: it asks for {told(amounts)}'
        if not room:
            what = f"{asked}, and no node of the cluster has that"
        else:
            what = f"{asked}, {len(of_node)} times, and the cluster has room for {room}"
        return FlowError(
            f"{what}; it has {cluster(alive)}",
            where=of_node[0].where,
            hint="change `ray` or `replicas` of the executor, or add a node to the cluster",
        )
    return None


def missing_room(
    place: Place, nodes: Sequence[Mapping[str, Any]], free: Mapping[str, float]
) -> str:
    """What is said of a place that is not there yet.

    Args:
        place: of the Flow.
        nodes: of the cluster, as `ray.nodes()` tells them.
        free: what nobody uses, as `ray.available_resources()` tells it.
    """
    amounts = place.ask.amounts
    alive = [node for node in nodes if node["Alive"]]
    if all(free.get(name, 0.0) >= amount for name, amount in amounts.items()):
        return f"waiting for Ray to start {place.name}: there is room for it"
    now = told({name: free.get(name, 0.0) for name in amounts}) if amounts else "nothing"
    return (
        f"waiting for Ray to place {place.name}: it asks for {told(amounts)}; free are {now} "
        f"of {cluster(alive)}"
    )


def told(amounts: Mapping[str, float]) -> str:
    """Such as "2 CPU and 1 GPU"."""
    parts = [f"{amount:g} {name}" for name, amount in amounts.items()]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]])) or "nothing"


def cluster(nodes: Sequence[Mapping[str, Any]]) -> str:
    """What each node has, such as "10.0.0.5 (4 CPU and 1 GPU), 10.0.0.6 (8 CPU)"."""
    return ", ".join(
        f"{node['NodeManagerAddress']} ({told(_shown(node['Resources']))})" for node in nodes
    )


def _shown(resources: Mapping[str, float]) -> dict[str, float]:
    return {
        name: amount
        for name, amount in resources.items()
        if name not in _OWN and not name.startswith(("node:", "accelerator_type:"))
    }


def _times(amounts: Mapping[str, float], resources: Mapping[str, float]) -> int:
    """How often so much fits into one node."""
    return int(
        min(
            (resources.get(name, 0.0) / amount + FITS for name, amount in amounts.items()),
            default=1_000_000,
        )
    )
