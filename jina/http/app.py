"""The routes of the front, in Starlette: all that does not take the short way in `protocol`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from jina.excepts import ConnectError
from jina.http import docs_routes, rest, status
from jina.http.answers import Answered, told
from jina.http.front import Front
from jina.http.hub import Full
from jina.http.stream import Streams
from jina.http.websocket import DryRun, WebSockets
from jina.wire.maps import SPLIT


def app_of(front: Front) -> Starlette:
    """The routes of one front."""
    routes: list[BaseRoute] = [
        Route("/livez", lambda request: Response("ok\n", media_type="text/plain")),
        Route("/stream/{path:path}", Streams(front)),
        WebSocketRoute("/", WebSockets(front)),
        WebSocketRoute("/dry_run", DryRun(front)),
        *debug_routes(front),
        *docs_routes.routes(front),
        Route("/{path:path}", Documents(front).answer, methods=["POST", "PUT", "DELETE"]),
    ]
    return Starlette(routes=routes)


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
        endpoint = front.endpoints.get(request.url.path.encode())
        if endpoint is None:
            return response_of(rest.unserved(front, request.url.path))
        body = await request.body()
        asked = rest.prepare(front, endpoint, request.headers.raw, body, request.url.query.encode())
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
            return response_of(told(503, "full", "too many requests wait for their turn"))
        return response_of(rest.finish(asked, reply))


def response_of(answered: Answered) -> Response:
    """An answer as Starlette sends it."""
    response = Response(answered.body, answered.status, media_type=answered.content_type.decode())
    response.raw_headers += answered.headers
    return response
