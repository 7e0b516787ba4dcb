"""The routes of the documentation page, /flow.json and /openapi.json."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jina.excepts import ConnectError
from jina.http import docs_page
from jina.http.answers import told
from jina.http.description import FlowPage, flow_page, read_description
from jina.http.front import Front
from jina.wire.header import DESCRIBE


def routes(front: Front) -> list[Route]:
    """The routes, also where the settings of the front turn the page off."""
    pages = _Pages(front)
    return [
        Route("/flow.json", pages.flow),
        Route("/openapi.json", pages.openapi),
        Route("/docs", pages.file),
        Route("/docs/{name:path}", pages.file),
        Route("/", pages.root),
    ]


class _Pages:
    def __init__(self, front: Front) -> None:
        self._front = front

    async def flow(self, request: Request) -> Response:
        return await self._described(request, docs_page.flow_json)

    async def openapi(self, request: Request) -> Response:
        return await self._described(request, docs_page.openapi_json)

    async def file(self, request: Request) -> Response:
        if not self._front.settings.docs:
            return _told(404, "not_found", "this front has no documentation page")
        name = request.path_params.get("name", "")
        if name == "key.json":
            has_keys = self._front.access.keys is not None
            return _response(docs_page.key_json(has_keys, *_conditions(request)))
        found = docs_page.page_file(name, *_conditions(request))
        if found is None:
            return _told(404, "not_found", f"the documentation page has no file {name[:100]!r}")
        return _response(found)

    async def root(self, request: Request) -> Response:
        settings = self._front.settings
        if settings.docs and docs_page.wants_page(request.headers.get("accept", "")):
            return await self.file(request)
        if settings.api == 3:
            return Response(b"{}", media_type="application/json")
        hint = "the documentation page is at /docs" if settings.docs else ""
        return _told(404, "not_found", "nothing is served at /", hint)

    async def _described(self, request: Request, made: docs_page.Made) -> Response:
        try:
            page = await self._page()
        except ConnectError as error:
            return _told(503, "unavailable", error.what)
        except (TimeoutError, msgspec.MsgspecError):
            return _told(503, "unavailable", "the gateway of the Flow does not say what it serves")
        return _response(made(page, *_conditions(request)))

    async def _page(self) -> FlowPage:
        described = read_description(await self._front.hub.question(DESCRIBE))
        return flow_page(described, self._front.settings)


def _conditions(request: Request) -> tuple[str, str]:
    headers = request.headers
    return headers.get("if-none-match", ""), headers.get("accept-encoding", "")


def _response(found: docs_page.Found) -> Response:
    return Response(found.body, found.status, found.headers)


def _told(status: int, kind: str, message: str, hint: str = "") -> Response:
    answered = told(status, kind, message, hint)
    response = Response(answered.body, answered.status, media_type="application/json")
    response.raw_headers += answered.headers
    return response
