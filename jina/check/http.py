"""How a Flow is reached over HTTP: files that do not suit, and paths that mean something else."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jina.check.report import Endpoint
from jina.config.http import HttpConfig
from jina.config.problems import Problem
from jina.excepts import ConfigError
from jina.graph.http import HttpSettings
from jina.graph.planning import http_settings
from jina.launch.http_port import EXTRA_HINT, file_faults, is_harmless, missing_extra
from jina.launch.tls import tls_faults
from jina.names import DEFAULT_ENDPOINT
from jina.suggest import near_name

_OURS = frozenset(
    {
        *("/", "/status", "/dry_run", "/docs", "/metrics", "/flow.json", "/openapi.json"),
        *("/livez", "/healthz", "/readyz"),
    }
)
_ENCRYPT = (
    "set `ssl_certfile` and `ssl_keyfile` (--ssl-certfile, --ssl-keyfile) for HTTPS, or listen on "
    "127.0.0.1 behind a proxy that encrypts"
)
_BELOW = ("/post", "/stream")


def http_findings(
    config: HttpConfig, served: Sequence[Endpoint], wins: Mapping[str, Any] | None
) -> Iterator[Problem]:
    """What is suspicious about how a Flow is served over HTTP; nothing if it is not.

    Args:
        config: what its YAML says.
        served: what its Executors bind, as far as it is known.
        wins: settings that win over those of the YAML; None where it is not served.
    """
    try:
        settings = None if wins is None else http_settings(config, wins)
    except ConfigError as error:
        yield from (each for each in error.problems if isinstance(each, Problem))
        return
    if settings is None:
        return
    yield from http_files(config, settings)
    if missing := missing_extra():
        message = f"serving HTTP needs packages that are not installed: {', '.join(missing)}"
        yield config.problem("", "missing-package", message, EXTRA_HINT)
    yield from _met(settings, served)
    yield from _unserved(config, settings, served)


def http_files(config: HttpConfig, settings: HttpSettings) -> Iterator[Problem]:
    """Certificates and keys that are missing, or are no such thing, or that others can read."""
    faults = list(file_faults(settings))
    wrong = {key for key, _, fault in faults if not is_harmless(fault)}
    if not wrong & {"ssl_certfile", "ssl_keyfile"}:
        found = list(tls_faults(settings))
        wrong = {key for key, _, _ in found}
        faults = [*found, *(each for each in faults if each[0] not in wrong)]
    for key, path, fault in faults:
        message, _, hint = fault.partition("; ")
        what = f"`{key}`: {message} ({path})"
        yield config.problem(key, "http-file", what, hint, is_error=not is_harmless(fault))
    if settings.api_key_file and not settings.ssl_certfile and not settings.is_loopback:
        message = f"API keys travel unencrypted to {settings.host}, and can be read on the way"
        yield config.problem("api_key_file", "plain-keys", message, _ENCRYPT)


def _met(settings: HttpSettings, served: Sequence[Endpoint]) -> Iterator[Problem]:
    """Endpoints whose paths mean something else over HTTP."""
    told: set[tuple[str, str]] = set()
    for row in served:
        shown = settings.expose_endpoints.get(row.endpoint, {})
        path, key = str(shown.get("path") or row.endpoint), (row.endpoint, row.place)
        if key in told:
            continue
        told.add(key)
        below = next((each for each in _BELOW if f"{path}/".startswith(f"{each}/")), "")
        if below:
            what = f"{path} is not {row.method}"
            message = f"over HTTP, {what}: jina itself answers everything under {below}"
            hint = f"show it elsewhere: `expose_endpoints: {{{row.endpoint}: {{path: /my{path}}}}}`"
        elif path in _OURS:
            message = (
                f"over HTTP, only POST {path} reaches {row.method}: jina itself answers GET {path}"
            )
            hint = "" if "GET" not in shown.get("methods", ()) else "take GET out of its `methods`"
        else:
            continue
        yield _at(row.place, "http-path", message, hint)


def _unserved(
    config: HttpConfig, settings: HttpSettings, served: Sequence[Endpoint]
) -> Iterator[Problem]:
    """Endpoints that are to be shown and that nobody serves."""
    known = {row.endpoint for row in served}
    if not known or DEFAULT_ENDPOINT in known:
        return
    for endpoint in settings.expose_endpoints:
        if endpoint in known:
            continue
        near = near_name(endpoint, sorted(known))
        yield config.problem(
            "expose_endpoints",
            "unserved-expose_endpoints",
            f"`expose_endpoints` lists {endpoint}, which no executor serves",
            f"did you mean {near}?" if near else f"served: {', '.join(sorted(known))}",
        )


def _at(place: str, code: str, message: str, hint: str) -> Problem:
    """A warning at a line of Python code, `executor.py:12`."""
    file, _, number = place.rpartition(":")
    line = int(number) if number.isdigit() else 0
    text = linecache.getline(file, line).rstrip("\n") if line else ""
    start = len(text) - len(text.lstrip()) + 1
    return Problem(
        code,
        message,
        file=file if line else place,
        line=line,
        column=start if line else 0,
        end_column=len(text) + 1,
        hint=hint,
        severity="warning",
        source_line=text,
    )
