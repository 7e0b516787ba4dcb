"""What a Flow serves: the answer of its gateway to DESCRIBE, and what /flow.json says.

Plain data for the documentation page and for /openapi.json. Nothing here asks the gateway.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from jina import __version__
from jina.graph.http import HttpSettings
from jina.names import DEFAULT_ENDPOINT, with_slash

CRUD = {"/index": "POST", "/search": "POST", "/update": "PUT", "/delete": "DELETE"}
"""The endpoints that every Flow has over HTTP, and their methods; POST is always taken."""

# A POST to these is never for an Executor of the same endpoint; `/post` still reaches it.
OURS = ("/post", "/stream")


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One key of `parameters` that an endpoint reads.

    Attributes:
        name: the key.
        default: what the method uses without it; UNSET where there is none or it is not JSON.
        type: as it is written in Python, such as "int"; "" if unknown.
        is_required: whether the method fails without it.
    """

    name: str
    default: Any = msgspec.UNSET
    type: str = ""
    is_required: bool = False


class Endpoint(msgspec.Struct, frozen=True):
    """One endpoint that an Executor binds.

    Attributes:
        path: such as "/index"; "/default" serves what the Executor does not bind.
        method: name of the Python method.
        doc: its docstring; "" for none.
        once: whether each request is run at most once, as the decorator asks.
        parameters: those that are known.
    """

    path: str
    method: str = ""
    doc: str = ""
    once: bool = False
    parameters: tuple[Parameter, ...] = ()


class Node(msgspec.Struct, frozen=True):
    """One Executor of the Flow.

    Attributes:
        name: in the Flow.
        needs: whose results it gets; "gateway" is where requests enter.
        replicas: processes per shard.
        shards: 1 for none.
        is_floating: whether answers do not wait for it.
        executor: name of the class.
        title: `metas.name`.
        description: `metas.description`.
        endpoints: what it binds; empty until a worker is ready.
    """

    name: str
    needs: tuple[str, ...] = ()
    replicas: int = 1
    shards: int = 1
    is_floating: bool = False
    executor: str = ""
    title: str = ""
    description: str = ""
    endpoints: tuple[Endpoint, ...] = ()


class Description(msgspec.Struct, frozen=True):
    """A Flow.

    Attributes:
        flow: its name.
        nodes: in the order of the YAML, without the heads and tails of shards.
    """

    flow: str
    nodes: tuple[Node, ...] = ()


class Served(msgspec.Struct, frozen=True):
    """An endpoint of the Flow, whichever Executors bind it.

    Attributes:
        path: the endpoint.
        url: path of its URL, without `root_path`; "" where only `/post` reaches it.
        method: HTTP method of `url`.
        nodes: Executors that a request to it passes, in order.
        summary: the first line of the first docstring, or of `expose_endpoints`.
        parameters: of all these Executors, each name once.
    """

    path: str
    url: str
    method: str
    nodes: tuple[str, ...]
    summary: str
    parameters: tuple[Parameter, ...]


class Exposed(msgspec.Struct, frozen=True):
    """An entry of `expose_endpoints`: a path, and the endpoint that it is for."""

    endpoint: str
    path: str
    methods: tuple[str, ...]
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True):
    """What a client has to know of the front.

    Attributes:
        title: of the page; the Flow's name unless it was set.
        description: shown below it.
        version: of jina.
        api: 2 or 3, whose release's answers others get who do not tell theirs.
        docs: whether there is a page.
        root_path: goes before each path; without a slash at its end.
        needs_key: whether requests have to have an API key.
        has_post: whether there are /post, /status and /dry_run.
        crud: path -> method of Jina's own endpoints; empty with `no_crud_endpoints`.
        exposed: paths of `expose_endpoints`.
        max_docs: Documents of a request.
        max_body: bytes of a request.
        timeout: seconds within which an answer comes.
    """

    title: str
    description: str
    version: str
    api: int
    docs: bool
    root_path: str
    needs_key: bool
    has_post: bool
    crud: dict[str, str]
    exposed: tuple[Exposed, ...]
    max_docs: int
    max_body: int
    timeout: float


class FlowPage(msgspec.Struct, frozen=True):
    """What /flow.json says.

    Attributes:
        flow: name of the Flow.
        nodes: its Executors.
        endpoints: what they serve together, in the order in which they bind them.
        http: what a client has to know of the front.
    """

    flow: str
    nodes: tuple[Node, ...]
    endpoints: tuple[Served, ...]
    http: Page


_decode = msgspec.json.Decoder(Description).decode


def read_description(payload: bytes | memoryview) -> Description:
    """The gateway's answer to DESCRIBE.

    Raises:
        msgspec.MsgspecError: it is not JSON, or not a description.
    """
    return _decode(payload)


def flow_page(described: Description, settings: HttpSettings) -> FlowPage:
    """What /flow.json says of a Flow whose front has these settings."""
    exposed = tuple(_exposed(settings))
    page = Page(
        title=settings.title or described.flow,
        description=settings.description,
        version=__version__,
        api=settings.api,
        docs=settings.docs,
        root_path=settings.root_path.rstrip("/"),
        needs_key=bool(settings.api_key_file),
        has_post=not settings.no_debug_endpoints,
        crud={} if settings.no_crud_endpoints else CRUD,
        exposed=exposed,
        max_docs=settings.max_docs,
        max_body=settings.max_body,
        timeout=settings.timeout,
    )
    paths = dict.fromkeys(each.path for node in described.nodes for each in node.endpoints)
    served = tuple(served_at(path, described.nodes, page) for path in paths)
    return FlowPage(described.flow, described.nodes, served, page)


def _exposed(settings: HttpSettings) -> Iterator[Exposed]:
    for endpoint, shown in settings.expose_endpoints.items():
        yield Exposed(
            endpoint=endpoint,
            path=with_slash(str(shown.get("path") or endpoint)),
            methods=tuple(str(method).upper() for method in shown.get("methods") or ["POST"]),
            summary=str(shown.get("summary") or ""),
            description=str(shown.get("description") or ""),
            tags=tuple(map(str, shown.get("tags") or ())),
        )


def served_at(path: str, nodes: tuple[Node, ...], page: Page) -> Served:
    """An endpoint as a request sees it, bound or not; those at "/default" take what is not."""
    bound = [found for node in nodes if (found := _serving(node, path))]
    shown = next((each for each in page.exposed if each.endpoint == path), None)
    doc = next((each.doc for _, each in bound if each.path == path and each.doc), "")
    parameters: dict[str, Parameter] = {}
    for _, each in bound:
        for parameter in each.parameters:
            parameters.setdefault(parameter.name, parameter)
    url, method = _url(path, shown, page)
    return Served(
        path=path,
        url=url,
        method=method,
        nodes=tuple(node.name for node, _ in bound),
        summary=(shown.summary if shown else "") or doc.strip().partition("\n")[0],
        parameters=tuple(parameters.values()),
    )


def _serving(node: Node, path: str) -> tuple[Node, Endpoint] | None:
    """What of a node takes requests to the endpoint."""
    by_path = {each.path: each for each in node.endpoints}
    found = by_path.get(path) or by_path.get(DEFAULT_ENDPOINT)
    return (node, found) if found else None


def _url(path: str, shown: Exposed | None, page: Page) -> tuple[str, str]:
    """Path and method of an endpoint's URL; "" where only /post reaches it."""
    if shown:
        return shown.path, "POST" if "POST" in shown.methods else shown.methods[0]
    is_ours = any(path == each or path.startswith(f"{each}/") for each in OURS)
    if is_ours or path == DEFAULT_ENDPOINT or (path in CRUD and path not in page.crud):
        return "", "POST"
    return path, "POST"
