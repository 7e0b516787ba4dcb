"""Make up a Flow: its graph, its rules, and which of the features it has."""

from __future__ import annotations

from random import Random

from jina.graph.course import in_order
from jina.graph.plan import PlannedNode, Retries
from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.wire.batching import Batching

ENDPOINTS = ["/index", "/search", "/status"]
TARGETS = [None, None, None, None, ["n0", "n1", "n2", "n3"], ["n0", "n3", "n6"], ["nobody"], []]
ALONE: dict[str, object] = {"use_dynamic_batching": False}
PARAMETERS: list[dict[str, object]] = [{}, {}, {}, {"top": 1}, {"top": 1.0}, ALONE]

# Seconds of the different timers, so that each is known by them.
LIMITS = [17.0, 23.0]  # of calls
BACKOFF_S = 0.75  # doubled up to twice
TIMES_S = [5.0, 10.0, 40.0]  # of requests
GROUPS_MS = [0, 400, 3000]  # of groups that wait to become one call

FEATURES = [
    "shards",
    "heads and tails",
    "floating",
    "batching",
    "timeouts",
    "retries",
    "continue",
    "split",
    "once",
    "deadlines",
    "cancels",
    "changes",
    "stops",
    "drain",
    "failed starts",
]

Place = tuple[str, int]  # a node and one of its shards


class MadeUpFlow:
    """One Flow.

    Args:
        draw: decides everything.

    Attributes:
        features: those of FEATURES that it has: one, some or all.
        nodes: each after those that it needs.
        bound: node -> endpoints that its workers bind.
        once: node -> endpoints whose method must not see a Document twice, if it binds them.
        most_done: frames of the results so far of a request that is done in halves.
        batching: node -> endpoint -> how its requests become one call.
        parameters: of which each request has one.
        asked: endpoints that clients ask for.
        max_attempts: deaths after which a request is narrowed down.
        deadly: how many of the requests kill workers.
        mortal: how many of the workers that die do not come back.
        pause_s: how long it is left in peace at most.
    """

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        few = draw.choice([1, draw.randint(2, 6), len(FEATURES), len(FEATURES)])
        self.features = set(draw.sample(FEATURES, few))
        self.nodes = in_order(self._graph())
        self.rules = {node.name: node for node in self.nodes}
        self.bound = {
            node.name: [] if node.reduces and draw.random() < 0.5 else self.endpoints()
            for node in self.nodes
        }
        share = draw.choice([0.4, 1.0]) if self.has("batching") else 0.0  # of the endpoints
        self.batching = {node.name: self._settings(node.name, share) for node in self.nodes}
        self.parameters: list[dict[str, object]] = (
            draw.choice([PARAMETERS, [{}], [{}]]) if share else [{}]
        )
        self.once = {node.name: self._once() for node in self.nodes}
        self.most_done = draw.choice([0, 1, 3, 32])
        self.asked = draw.choice([ENDPOINTS, ENDPOINTS, ENDPOINTS[:1]])
        self.max_attempts = draw.choice([1, 2, 2, 3])
        self.deadly = draw.choice([0.05, 0.05, 0.3])
        self.mortal = draw.choice([0.06, 0.06, 0.3])
        self.pause_s = draw.choice([20.0, 20.0, 2.0])
        self.places: list[Place] = [
            (node.name, shard) for node in self.nodes for shard in range(node.shards)
        ]

    def has(self, feature: str) -> bool:
        """Whether something of this kind may happen."""
        assert feature in FEATURES
        return feature in self.features

    def limit(self, node: str, endpoint: str) -> float:
        """How long a call may take; below 0 for ever."""
        timeouts = self.rules[node].timeouts
        return timeouts.get(endpoint, timeouts.get("*", -1.0))

    def endpoints(self) -> list[str]:
        """What an Executor may bind."""
        bound = [endpoint for endpoint in ENDPOINTS if self._draw.random() < 0.6]
        return [*bound, DEFAULT_ENDPOINT] if self._draw.random() < 0.1 else bound

    def on_error(self) -> str:
        """What a node, or a request, says of errors."""
        words = ["", "", "stop"]
        words += ["continue"] * self.has("continue") + ["split"] * 2 * self.has("split")
        return self._draw.choice(words)

    def _once(self) -> list[str]:
        often = 0.3 if self.has("once") else 0.0
        return [name for name in [*ENDPOINTS, DEFAULT_ENDPOINT] if self._draw.random() < often]

    def _graph(self) -> list[PlannedNode]:
        draw = self._draw
        nodes: list[PlannedNode] = []
        outlets = [GATEWAY]  # whose results others may take
        for index in range(draw.randint(1, 8)):
            needs = draw.sample(outlets, min(len(outlets), draw.choice([1, 1, 1, 2, 3])))
            parts = self._parts(f"n{index}", needs)
            nodes += parts
            if not parts[-1].is_floating:
                outlets.append(parts[-1].name)
        draw.shuffle(nodes)
        return nodes

    def _parts(self, name: str, needs: list[str]) -> list[PlannedNode]:
        """A node, perhaps with shards, a head and a tail."""
        draw = self._draw
        parts = []
        is_floating = self.has("floating") and draw.random() < 0.15
        if self.has("heads and tails") and draw.random() < 0.1:
            parts.append(self._node(f"{name}/head", needs, of=name, is_floating=is_floating))
            needs = [f"{name}/head"]
        shards = draw.choice([1, 1, 2, 3]) if self.has("shards") else 1
        polling = {each: draw.choice(["ANY", "ALL"]) for each in [*ENDPOINTS[:2], "*"]}
        node = self._node(
            name,
            needs,
            replicas=draw.randint(1, 3 if shards == 1 else 2),
            shards=shards,
            polling=polling if shards > 1 else {},
            is_floating=is_floating,
        )
        parts.append(node)
        often = 0.7 if shards > 1 else 0.1 if self.has("heads and tails") else 0.0
        if draw.random() < often:
            reduces = shards > 1 and draw.random() < 0.8
            parts.append(
                self._node(
                    f"{name}/tail", [name], of=name, reduces=reduces, is_floating=is_floating
                )
            )
        return parts

    def _node(self, name: str, needs: list[str], **others: object) -> PlannedNode:
        return PlannedNode(
            name=name,
            needs=needs,
            timeouts=self._timeouts(),
            on_error=self.on_error(),
            retries=self._retries(),
            **others,  # type: ignore[arg-type]  # those of a node
        )

    def _timeouts(self) -> dict[str, float]:
        if not self.has("timeouts"):
            return {}
        names = self._draw.choice([[], [], ["*"], ["/index", "*"], ["/search"]])
        return {name: self._draw.choice([*LIMITS, -1.0]) for name in names}

    def _retries(self) -> Retries | None:
        draw = self._draw
        if not self.has("retries") or draw.random() < 0.6:
            return None
        on = draw.choice([[], ["ConnectionError"], ["Busy", "KeyError"], ["KeyError"]])
        return Retries(times=draw.randint(1, 2), on=on, backoff_s=BACKOFF_S)

    def _settings(self, node: str, share: float) -> dict[str, Batching]:
        draw = self._draw
        return {
            endpoint: Batching(draw.choice([1, 8, 20]), draw.choice(GROUPS_MS), draw.random() < 0.2)
            for endpoint in self.bound[node]
            if draw.random() < share
        }
