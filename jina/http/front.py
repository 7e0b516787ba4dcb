"""What the parts of a front share: settings, the link to the gateway, what the Flow serves."""

from __future__ import annotations

import asyncio
import time

from jina.graph.http import FrontAssignment
from jina.http.access import Access
from jina.http.access_log import Log, LogWriter
from jina.http.coalesce import Coalescer, Link
from jina.http.description import CRUD
from jina.http.forms import Forms
from jina.http.heads import Heads
from jina.http.hub import Hub
from jina.http.limits import Deadlines, max_connections
from jina.http.metrics import Metrics
from jina.http.probes import FlowStatus
from jina.http.turns import Turns
from jina.http.watch import Watch
from jina.names import with_slash

METHODS = frozenset(("POST", "PUT", "DELETE"))
"""Of requests with Documents."""


class Front:
    """One front process.

    Args:
        assignment: from whoever started it.
    """

    def __init__(self, assignment: FrontAssignment) -> None:
        self.assignment = assignment
        self.settings = assignment.settings
        self.flow = assignment.flow
        self.started_at = time.time()
        self.is_stopping = False
        self.access = Access(assignment.settings)
        self.heads = Heads()
        """Of requests that were let in."""
        self.forms = Forms()
        """Of bodies that could be read."""
        self.deadlines = Deadlines(assignment.settings)
        self.turns = Turns()
        self.max_connections = max_connections(assignment.settings)
        self.body_bytes = 0
        """Of the bodies that are being read."""
        self.hub = Hub(
            assignment.address,
            f"http/{assignment.slot}",
            self.settings.max_waiting,
            self.settings.max_waiting_bytes,
            assignment.keys,
        )
        wait_ms = self.settings.coalesce_ms
        self._coalescer = self._coalescer_of(wait_ms / 1000) if wait_ms > 0 else None
        self.link: Link = self._coalescer or self.hub
        """What takes whole requests."""
        self.status = FlowStatus(self.hub)
        self.log = Log(LogWriter(), self.settings.log_format == "json")
        self.metrics = Metrics(assignment.directory, assignment.slot, lambda: self.bound)
        self.watch = Watch(self.metrics, self.log if self.settings.access_log else None)
        self.bound: set[str] = set()
        """Endpoints that Executors bind."""
        self.endpoints: dict[bytes, str] = {}
        """Paths of POST requests whose bodies hold Documents -> the endpoint that they mean; ""
        where the body says it."""
        self.methods: dict[bytes, frozenset[str]] = {}
        """Paths of `expose_endpoints` with `methods` -> those methods; others take `METHODS`."""
        self.hub.on_change = self._on_change
        self._on_change()

    def _coalescer_of(self, wait_s: float) -> Coalescer:
        return Coalescer(self.hub, wait_s, lambda: len(self.deadlines.connections))

    def open(self) -> None:
        """Begin to connect to the Flow."""
        loop = asyncio.get_running_loop()
        self.log.install()
        self.hub.open(loop)
        self.deadlines.open(loop, self._look)

    def close(self) -> None:
        """Leave the Flow."""
        self.deadlines.close()
        self.hub.close()
        self.metrics.close()
        self.log.close()

    @property
    def served(self) -> dict[str, list[str]]:
        """Endpoint -> names of the Executors that bind it; empty before the Flow has been up."""
        served: dict[str, list[str]] = {}
        welcome = self.hub.welcome
        for node, endpoints in welcome.endpoints.items() if welcome is not None else ():
            for endpoint in endpoints:
                served.setdefault(endpoint, []).append(node)
        return served

    def _look(self) -> None:
        """See what has changed on the disk."""
        if self.access.look():
            self.heads.forget()

    def _on_change(self) -> None:
        self.heads.forget()
        self.forms.forget()
        if self._coalescer is not None:
            self._coalescer.changed()
        paths = dict.fromkeys(self.served)
        self.bound = set(paths)
        if self.settings.no_crud_endpoints:
            for path in CRUD:
                paths.pop(path, None)
        else:
            paths.update(dict.fromkeys(CRUD))
        self.endpoints = {path.encode(): path for path in paths}
        for endpoint, shown in self.settings.expose_endpoints.items():
            path = with_slash(str(shown.get("path") or endpoint))
            self.endpoints[path.encode()] = endpoint
            if shown.get("methods"):
                self.methods[path.encode()] = self._methods_of(path, shown["methods"])
        if not self.settings.no_debug_endpoints:
            self.endpoints[b"/post"] = ""

    def _methods_of(self, path: str, shown: list[str]) -> frozenset[str]:
        """The methods of a path that is shown with some; Jina's own paths keep theirs."""
        is_own = path in CRUD and not self.settings.no_crud_endpoints
        own = {CRUD[path], "POST"} if is_own else set()
        return frozenset(own | {method.upper() for method in shown})
