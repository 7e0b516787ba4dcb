"""The routes of the front, in Starlette: all that does not take the short way in `protocol`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs
from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from jina.excepts import ConnectError
from jina.http import docs_routes, limits, rest, status
from jina.http.answers import Answered, told
from jina.http.front import Front
from jina.http.hub import Full
from jina.http.stream import Streams
from jina.wire.maps import SPLIT


def app_of(front: Front) -> Starlette:
    """The routes of one front."""
    routes = [
        Route("/livez", lambda request: Response("ok\n", media_type="text/plain")),
        *debug_routes(front),
        *docs_routes.routes(front),
        Route("/stream/{path:path}", Streams(front)),
        Route("/{path:path}", Documents(front).answer, methods=["POST", "PUT", "DELETE"]),
    ]
    routes.append(Route("/{path:path}", Missing(front, list(routes))))
    return Starlette(routes=routes, exception_handlers={Exception: _on_bug})


def debug_routes(front: Front) -> list[Route]:
    """GET /status and /dry_run, unless they are taken away."""
    if front.settings.no_debug_endpoints:
        return []
    return [
        Route("/status", lambda request: response_of(status.status(front)), methods=["GET"]),
        Route("/dry_run", lambda request: response_of(status.dry_run(front)), methods=["GET"]),
    ]


class Documents:
    """Requests whose bodies hold Documents, where `protocol` does not answer them itself.

    Args:
        front: that got them.
    """

    def __init__(self, front: Front) -> None:
        self._front = front

    async def answer(self, request: HttpRequest) -> Response:
        """Answer one."""
        front = self._front
        path = get_route_path(request.scope)
        endpoint = front.endpoints.get(path.encode())
        if endpoint is None:
            return response_of(nothing_at(front, path))
        if refused := rest.foreign(request.headers.get("content-type", "").encode("latin-1")):
            return response_of(refused)
        body = await request.body()
        asked = rest.prepare(
            front, endpoint, request.headers.raw, body, request.scope["query_string"]
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
        return response_of(rest.finish(asked, reply))


class Missing:
    """The application for what no other route takes: paths and methods that there are not.

    Args:
        front: that is asked.
        routes: all others.
    """

    def __init__(self, front: Front, routes: Sequence[BaseRoute]) -> None:
        self._front = front
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        methods = self._methods(scope)
        path = get_route_path(scope)
        allow = [(b"allow", ", ".join(sorted(methods)).encode())]
        if not methods:
            answered = nothing_at(self._front, path)
        elif scope["method"] == "OPTIONS":
            answered = Answered(204, allow, b"")
        else:
            what = f"{path} does not take {scope['method']}"
            answered = told(405, "method_not_allowed", what)
            answered = structs.replace(answered, headers=allow)
        await response_of(answered)(scope, receive, send)

    def _methods(self, scope: Scope) -> set[str]:
        """What a path takes; empty if there is no such path."""
        methods: set[str] = set()
        for route in self._routes:
            if route.matches(scope)[0] != Match.NONE and isinstance(route, Route):
                if not route.path.startswith("/{path"):
                    methods |= route.methods or {"POST", "PUT"}
                elif get_route_path(scope).encode() in self._front.endpoints:
                    methods |= route.methods or set()
        return methods | {"OPTIONS"} if methods else methods


def nothing_at(front: Front, path: str) -> Answered:
    """The answer to a request for a path that there is not.

    Args:
        front: that is asked.
        path: as asked, without a query.
    """
    if front.hub.welcome is None:
        return told(503, "unavailable", "the Flow is not ready yet")
    return rest.unserved(front, path)


def _on_bug(request: HttpRequest, error: Exception) -> Response:
    """The answer; uvicorn logs the error, and the front lives on."""
    return response_of(limits.internal())


def response_of(answered: Answered) -> Response:
    """An answer as Starlette sends it."""
    response = Response(answered.body, answered.status, media_type=answered.content_type.decode())
    response.raw_headers += answered.headers
    return response
