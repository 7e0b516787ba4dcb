"""The courses of requests, each plotted once: requests in a row mostly have the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jina.graph.course import Course, plot_course
from jina.graph.plan import PlannedNode

_MOST = 1000  # endpoints are the client's words


class Courses:
    """What was plotted so far.

    Args:
        nodes: of the Flow, each after those that it needs.
        endpoints: node -> endpoints that it binds; it may change before `clear`.
    """

    def __init__(
        self, nodes: Sequence[PlannedNode], endpoints: Mapping[str, Sequence[str]]
    ) -> None:
        self._nodes = nodes
        self._endpoints = endpoints
        self._plotted: dict[tuple[str, tuple[str, ...] | None], Course] = {}

    def of(self, endpoint: str, targets: Sequence[str] | None) -> Course:
        """The course of one endpoint and target."""
        key = (endpoint, None if targets is None else tuple(targets))
        course = self._plotted.get(key)
        if course is None:
            if len(self._plotted) > _MOST:
                self._plotted.clear()
            course = plot_course(self._nodes, self._endpoints, endpoint, targets)
            self._plotted[key] = course
        return course

    def bound(self) -> dict[str, list[str]]:
        """Endpoints that each node binds, with its head and tail."""
        found: dict[str, list[str]] = {}
        for node in self._nodes:
            if node.name in self._endpoints:
                own = found.setdefault(node.of or node.name, [])
                own += [each for each in self._endpoints[node.name] if each not in own]
        return found

    def clear(self) -> None:
        """Forget them: some node binds other endpoints now."""
        self._plotted.clear()
