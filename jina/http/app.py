"""The routes of the front, in Starlette: all that does not take the short way in `protocol`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs
from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from jina.excepts import ConnectError
from jina.http import docs_routes, limits, probes, rest, status
from jina.http.answers import Answered, told
from jina.http.front import METHODS, Front
from jina.http.hub import Full
from jina.http.stream import Streams
from jina.http.watch import seen_of
from jina.http.websocket import DryRun, WebSockets
from jina.wire.maps import SPLIT


def app_of(front: Front) -> Starlette:
    """The routes of one front."""
    routes: list[BaseRoute] = [
        *Operations(front).routes(),
        Route("/stream/{path:path}", Streams(front)),
        WebSocketRoute("/", WebSockets(front)),
        WebSocketRoute("/dry_run", DryRun(front)),
        *debug_routes(front),
        *docs_routes.routes(front),
    ]
    routes.append(Route("/{path:path}", Documents(front, list(routes))))
    return Starlette(routes=routes, exception_handlers={Exception: _on_bug})


class Operations:
    """What tells how the front and the Flow are.

    Args:
        front: that is asked.
    """

    def __init__(self, front: Front) -> None:
        self._front = front

    def routes(self) -> list[Route]:
        """They take GET and HEAD."""
        return [
            Route("/livez", lambda request: Response("ok\n", media_type="text/plain")),
            Route("/healthz", lambda request: response_of(probes.health(self._front.hub))),
            Route("/readyz", self._readiness),
            Route("/metrics", self._metrics),
        ]

    async def _readiness(self, request: HttpRequest) -> Response:
        return response_of(await probes.readiness(self._front.hub, self._front.status))

    async def _metrics(self, request: HttpRequest) -> Response:
        try:
            status = await self._front.status.get()
        except (ConnectError, TimeoutError):
            status = None
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self._front.metrics.text(status), media_type=kind)


def debug_routes(front: Front) -> list[Route]:
    """GET /status and /dry_run, unless they are taken away."""
    if front.settings.no_debug_endpoints:
        return []
    return [
        Route("/status", lambda request: response_of(status.status(front)), methods=["GET"]),
        Route("/dry_run", lambda request: response_of(status.dry_run(front)), methods=["GET"]),
    ]


class Documents:
    """The application for all other paths: requests with Documents, and what there is not.

    `protocol` answers most of them itself.

    Args:
        front: that got them.
        routes: all others.
    """

    def __init__(self, front: Front, routes: Sequence[BaseRoute]) -> None:
        self._front = front
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = get_route_path(scope).encode()
        endpoint = self._front.endpoints.get(path)
        seen_of(scope).endpoint = endpoint or ""
        methods = METHODS if endpoint is not None else frozenset()
        methods = self._front.methods.get(path, methods)
        if endpoint is None or scope["method"] not in methods:
            response = response_of(self._missing(scope, set(methods)))
        else:
            response = await self._answer(HttpRequest(scope, receive), endpoint)
        await response(scope, receive, send)

    def _missing(self, scope: Scope, methods: set[str]) -> Answered:
        """The answer to a request for a path, or with a method, that there is not."""
        path = get_route_path(scope)
        for route in self._routes:
            if route.matches(scope)[0] != Match.NONE and isinstance(route, Route):
                methods |= route.methods or set()
        allow = [(b"allow", ", ".join(sorted({*methods, "OPTIONS"})).encode())]
        if methods and scope["method"] == "OPTIONS":
            return Answered(204, allow, b"")
        if methods:
            what = f"{path[:200]} does not take {scope['method']}"
            hint = rest.hint_for(self._front, path) if path == "/" else ""
            return structs.replace(told(405, "method_not_allowed", what, hint), headers=allow)
        if self._front.hub.welcome is None:
            return told(503, "unavailable", "the Flow is not ready yet")
        return rest.unserved(self._front, path)

    async def _answer(self, request: HttpRequest, endpoint: str) -> Response:
        front = self._front
        if refused := rest.foreign(request.headers.get("content-type", "").encode("latin-1")):
            return response_of(refused)
        body = await request.body()
        asked = rest.prepare(
            front, endpoint, dict(request.headers.raw), body, request.scope["query_string"]
        )
        if isinstance(asked, Answered):
            return response_of(asked)
        try:
            reply = await front.hub.post(
                asked.request,
                asked.endpoint,
                asked.targets,
                timeout_s=front.settings.timeout,
                on_error=SPLIT,
                is_timed=asked.is_timed,
            )
        except ConnectError as error:
            return response_of(told(503, "unavailable", error.what))
        except Full:
            return response_of(limits.full())
        front.watch.replied(seen_of(request.scope), asked.endpoint, reply)
        return response_of(rest.finish(asked, reply))


def _on_bug(request: HttpRequest, error: Exception) -> Response:
    """The answer; uvicorn logs the error, and the front lives on."""
    return response_of(limits.internal())


def response_of(answered: Answered) -> Response:
    """An answer as Starlette sends it."""
    response = Response(answered.body, answered.status, media_type=answered.content_type.decode())
    response.raw_headers += answered.headers
    return response
