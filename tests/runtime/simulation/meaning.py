"""What the graph means for the requests of one endpoint and target, by recursion over `needs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT, GATEWAY


class Meaning:
    """Who takes part, and whose results each one gets.

    Args:
        nodes: of the Flow, each after those that it needs.
        bound: node -> endpoints, as far as workers have been ready.
        endpoint: of the requests.
        targets: theirs.

    Attributes:
        names: of those that take part.
        awaited: those of them that the answer waits for.
        fans: those of them of which every shard gets the request -> how many shards.
        gathers: tails that take the results of shards apart -> the node whose shards these are.
        branches: node -> for each need, whose results it is.
        takers: node -> who takes its result; first those that nobody waits for.
        floats: the first of each floating node, head and tail -> which of these take part.
        ends: whose results are the answer.
    """

    def __init__(
        self,
        nodes: Sequence[PlannedNode],
        bound: Mapping[str, Sequence[str]],
        endpoint: str,
        targets: Sequence[str] | None,
    ) -> None:
        self._node = {node.name: node for node in nodes}
        self._bound = bound
        self._endpoint = endpoint
        self._targets = targets
        self.names = [node.name for node in nodes if self._takes_part(node.name)]
        self.awaited = {name for name in self.names if not self._node[name].is_floating}
        self.fans = {name: self._node[name].shards for name in self.names if self._fans(name)}
        self.gathers = {
            name: self._node[name].of
            for name in self.names
            if self._node[name].of in self._node[name].needs and self._fans(self._node[name].of)
        }
        self.branches = {
            name: [self._sources(need) for need in self._node[name].needs] for name in self.names
        }
        self.sources = {name: set().union(*self.branches[name]) for name in self.names}
        self.floats = self._floating()
        self.takers = {
            source: sorted(
                (name for name in self.names if source in self.sources[name]),
                key=lambda name: name not in self.floats,
            )
            for source in [GATEWAY, *self.names]
        }
        self.ends = self._ends()

    def _takes_part(self, name: str) -> bool:
        node = self._node[name]
        own = node.of or name
        if self._targets is not None and own not in self._targets:
            return False
        if node.reduces and self._fans(own):
            return True
        bound = self._bound.get(name, [DEFAULT_ENDPOINT])  # never ready: it might bind anything
        return self._endpoint in bound or DEFAULT_ENDPOINT in bound

    def _fans(self, name: str) -> bool:
        polling = self._node[name].polling
        word = polling.get(self._endpoint, polling.get("*"))
        return word == "ALL" and self._takes_part(name)

    def _sources(self, name: str) -> list[str]:
        """Whose results stand for a node's."""
        if name == GATEWAY or self._takes_part(name):
            return [name]
        return [source for need in self._node[name].needs for source in self._sources(need)]

    def _floating(self) -> dict[str, frozenset[str]]:
        groups: dict[str, list[str]] = {}
        for name in self.names:
            if self._node[name].is_floating:
                groups.setdefault(self._node[name].of or name, []).append(name)
        return {group[0]: frozenset(group) for group in groups.values()}

    def _ends(self) -> list[str]:
        awaited = {node.name: node.needs for node in self._node.values() if not node.is_floating}
        if not self.awaited:
            return [GATEWAY]
        needed = {need for needs in awaited.values() for need in needs}
        ends = [name for name in awaited if name not in needed]
        return [source for end in ends for source in self._sources(end)]
