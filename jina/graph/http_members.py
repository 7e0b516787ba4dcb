"""Members of a Flow about HTTP, as Jina 2 has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from jina.graph.members import warn_caller

_T = TypeVar("_T")


class OfHttp:
    """A member that says where a Flow is reached over HTTP: while it runs, where it really is.

    What is set holds from the next start on.
    """

    def __init__(self) -> None:
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, flow: Any, owner: type) -> Any:
        value = None
        if flow is not None:
            value = _where(flow, self._name)
            value = flow._description.said.get(self._name) if value is None else value
        if value is None:
            raise AttributeError(
                f'a Flow has no `{self._name}` of its own; Flow(protocol="http") serves HTTP, and '
                "clients connect to `address`"
            )
        return value

    def __set__(self, flow: Any, value: object) -> None:
        flow._description = flow._description.with_option(self._name, value)
        if flow._running is not None:
            warn_caller(f"{self._name}={value!r}: the Flow runs; this holds from its next start on")


def _where(flow: Any, name: str) -> str | int | None:
    """Where a Flow that runs is reached; None if it does not, or is not."""
    url = flow._running.up.http if flow._running is not None else ""
    if not url or name == "protocol":
        return None
    found = urlsplit(url)
    return found.hostname if name == "host" else found.port


def expose_endpoint(
    flow: _T,
    exec_endpoint: str,
    path: str | None = None,
    *,
    methods: Sequence[str] | None = None,
    **shown: Any,
) -> _T:
    """Say how an endpoint is shown over HTTP.

    Args:
        flow: which is changed.
        exec_endpoint: of its Executors, such as "/foo".
        path: of the URL; the default is the endpoint.
        methods: of HTTP; the default is POST.
        **shown: `summary`, `description`, `tags`, for the documentation page.

    Returns:
        the Flow.

    Raises:
        ConfigError: when the Flow starts: a path without a slash, or a method that there is not.
    """
    described: Any = flow._description  # type: ignore[attr-defined]  # a Flow's
    said = described.said.get("expose_endpoints") or {}
    known = json.loads(said) if isinstance(said, str) else dict(said)
    entry = {"path": path, "methods": None if methods is None else list(methods), **shown}
    known[exec_endpoint] = {key: value for key, value in entry.items() if value is not None}
    flow._description = described.with_option(  # type: ignore[attr-defined]
        "expose_endpoints", known
    )
    return flow
