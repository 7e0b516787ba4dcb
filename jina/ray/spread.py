"""Which node of a cluster a place of a Flow had better be on. Pure: what is known is an argument.

Ray's own strategy SPREAD goes around the nodes for all that asks for it, so the replicas of one
Executor may all land on one node, each between replicas of others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jina.launch.placing import Place
from jina.ray.place_room import FITS


def best_node(
    place: Place, others: Iterable[tuple[Place, str]], nodes: Sequence[Mapping[str, Any]]
) -> str:
    """The node with room that has the fewest replicas and shards of the same Executor, then of all.

    Args:
        place: to be placed.
        others: those that are on a node, or are meant for one, with its id.
        nodes: that it may be on, as Ray lists them.

    Returns:
        its id; "" where there is no choice.
    """
    places: Counter[str] = Counter()
    siblings: Counter[str] = Counter()
    taken: defaultdict[tuple[str, str], float] = defaultdict(float)
    for other, node_id in others:
        places[node_id] += 1
        siblings[node_id] += other.node == place.node
        for name, amount in other.ask.amounts.items():
            taken[node_id, name] += amount
    fitting: list[str] = [
        node["NodeID"]
        for node in nodes
        if all(
            node["Resources"].get(name, 0.0) - taken[node["NodeID"], name] >= amount - FITS
            for name, amount in place.ask.amounts.items()
        )
    ]
    if len(nodes) < 2 or not fitting:
        return ""
    return min(fitting, key=lambda node_id: (siblings[node_id], places[node_id]))
