"""The course that a request takes through the graph, once unbound nodes are left out.

A node takes part in a request when its Executor binds the endpoint (or has a default handler) and
the request's targets name it. A node that takes no part costs nothing: what it would have passed on
goes straight to the nodes behind it. At a join that takes no part, all branches go on. When nobody
takes part, the answer is the request itself, once, however many branches there are.

Where a request goes to every shard of a node, the node's tail takes part, whatever it binds: it
gets the results of the shards as branches. Without a tail they are concatenated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT, GATEWAY


class Course(NamedTuple):
    """What happens to the requests of one endpoint and target.

    Attributes:
        inputs: node that takes part -> branches; a branch is a list of sources, and a source is a
            node that takes part or GATEWAY, the request itself.
        after: source -> nodes that take its result, floating ones first, in the Flow's order.
        end: sources that make up the answer.
        last: the node whose result alone is the answer and goes to no other node; "" when several
            are, or when a floating node takes that result too.
        joins: nodes that take part and wait for more than one source.
        fans: nodes of which every shard gets the request -> how many shards.
        gathers: tails that take the shards' results apart, as branches -> how many shards.
        awaited: how many nodes the answer waits for.
        floats: nodes that take part and that nobody waits for -> with their tails, how many
            nodes; of a node with a head that takes part, the head.
    """

    inputs: dict[str, list[list[str]]]
    after: dict[str, list[str]]
    end: list[str]
    last: str
    joins: frozenset[str] = frozenset()
    fans: Mapping[str, int] = {}
    gathers: Mapping[str, int] = {}
    awaited: int = 0
    floats: Mapping[str, int] = {}


def plot_course(
    nodes: Sequence[PlannedNode],
    endpoints: Mapping[str, Sequence[str]],
    endpoint: str,
    targets: Collection[str] | None = None,
) -> Course:
    """Plot the course of one endpoint.

    Args:
        nodes: the graph, in an order in which each node comes after those it needs.
        endpoints: node name -> endpoints that its Executor binds.
        endpoint: of the request, such as "/index".
        targets: names of the nodes that may take part, with their heads and tails; None for all.
    """
    output: dict[str, list[str]] = {GATEWAY: [GATEWAY]}
    fans: dict[str, int] = {}
    gathers: dict[str, int] = {}
    course = Course({}, {}, [], "", fans=fans, gathers=gathers)
    for node in nodes:
        branches = [output[name] for name in node.needs]
        bound = endpoints.get(node.name, ())
        shards = fans.get(node.of, 0) if node.is_tail else 0
        takes_part = endpoint in bound or DEFAULT_ENDPOINT in bound or (node.reduces and shards)
        if takes_part and (targets is None or (node.of or node.name) in targets):
            if node.polls_all(endpoint):
                fans[node.name] = node.shards
            if shards:
                gathers[node.name] = shards
            course.inputs[node.name] = branches
            for source in dict.fromkeys(source for branch in branches for source in branch):
                course.after.setdefault(source, []).append(node.name)
            output[node.name] = [node.name]
        else:
            output[node.name] = [source for branch in branches for source in branch]
    floats = _floating_groups(node for node in nodes if node.name in course.inputs)
    awaited = len(course.inputs) - sum(floats.values())
    for takers in course.after.values():  # whatever then fails the request, they begin
        takers.sort(key=lambda name: name not in floats)
    leaves = ends(nodes) if awaited else [GATEWAY]
    course.end.extend(source for leaf in leaves for source in output[leaf])
    only = course.end[0] if len(course.end) == 1 else ""
    only = "" if only == GATEWAY or only in fans or only in course.after else only
    joins = frozenset(
        name for name, branches in course.inputs.items() if sum(map(len, branches)) > 1
    )
    return course._replace(awaited=awaited, floats=floats, last=only, joins=joins)


def _floating_groups(taking_part: Iterable[PlannedNode]) -> dict[str, int]:
    """The first node of each floating node's head, self and tail -> how many of them there are."""
    groups: dict[str, list[str]] = {}
    for node in taking_part:
        if node.is_floating:
            groups.setdefault(node.of or node.name, []).append(node.name)
    return {group[0]: len(group) for group in groups.values()}


def ends(nodes: Sequence[PlannedNode]) -> list[str]:
    """The names of the nodes whose results no other node takes: they go back to the client.

    Those for whose results nobody waits are none of them.
    """
    needed = {need for node in nodes if not node.is_floating for need in node.needs}
    return [node.name for node in nodes if node.name not in needed and not node.is_floating]


def in_order(nodes: Sequence[PlannedNode]) -> list[PlannedNode]:
    """Sort the nodes so that each comes after those it needs, else as they were written.

    The graph has been checked before: every need exists and there is no cycle.
    """
    placed = {GATEWAY}
    left = list(nodes)
    ordered: list[PlannedNode] = []
    while left:
        free = next(node for node in left if placed.issuperset(node.needs))
        left.remove(free)
        placed.add(free.name)
        ordered.append(free)
    return ordered
