"""Keys that nobody reads: what stands under one would be lost without a word, so it is refused.

Jina's own clients send keys that mean nothing here; theirs are passed over, as their gateways do.
"""

from __future__ import annotations

from collections.abc import Iterable

from jina.http.problems import Problem
from jina.suggest import near_name

_MOST_TOLD = 10
_MOST_CHARS = 100  # of a key, in a message
_TYPE = "value_error.extra"

_MEANT = {
    **dict.fromkeys(("docs", "documents", "document", "doc", "inputs", "input", "items"), "data"),
    **dict.fromkeys(("text", "texts", "id", "uri", "tags", "buffer", "blob"), "data"),
    **dict.fromkeys(("params", "param", "args", "kwargs"), "parameters"),
    **dict.fromkeys(("endpoint", "on", "path"), "execEndpoint"),
    **dict.fromkeys(("target", "targets", "executor"), "targetExecutor"),
}
_BODY = (
    *("data", "parameters", "execEndpoint", "targetExecutor", "targetPeapod"),
    *("exec_endpoint", "target_executor", "target_peapod", "request_id", "header"),
)
_DATA = ("docs", "groundtruths")
_HEADER = (
    *("request_id", "exec_endpoint", "target_executor", "target_peapod"),
    *("no_propagate", "timeout", "status"),
)
URL_OF_LINES = ("endpoint", "parameters", "target")
"""What the URL of a request of JSON lines may say."""


def unknown_keys(
    body: Iterable[str], header: Iterable[str], data: Iterable[str] | None
) -> list[Problem]:
    """What is wrong with the keys of a body.

    Args:
        body: its keys.
        header: keys of its header.
        data: keys of `data` if that is an object, else None.
    """
    found = [_problem(["body"], key, _BODY, _in_body(key)) for key in body if key not in _BODY]
    found += [
        _problem(["body", "header"], key, _HEADER, _meant(key, _HEADER))
        for key in header
        if key not in _HEADER
    ]
    keys = list(data or ())
    if data is not None and not any(key in _DATA for key in keys):
        what = "value is an object, expected a list of Documents"
        hint = '; did you mean `"data": [{…}]`?' if keys else ""
        found.append(Problem(["body", "data"], what + hint, "type_error.list"))
    else:
        found += [
            _problem(["body", "data"], key, _DATA, _meant(key, _DATA))
            for key in keys
            if key not in _DATA
        ]
    return found[:_MOST_TOLD]


def unread_query(names: Iterable[str]) -> list[Problem]:
    """What is wrong with the URL of a JSON request, which says nothing: its body does."""
    found = []
    for name in names:
        short = name[:_MOST_CHARS]
        meant = _in_body(name) or f'"parameters": {{"{short}": …}}'
        what = f"the URL of a JSON request has no settings; did you mean `{meant}` in the body?"
        found.append(Problem(["query", short], what, _TYPE))
    return found[:_MOST_TOLD]


def unknown_in_query(names: Iterable[str]) -> list[Problem]:
    """What is wrong with the URL of a request of JSON lines."""
    return [
        _problem(["query"], name, URL_OF_LINES, _meant(name, URL_OF_LINES))
        for name in names
        if name not in URL_OF_LINES
    ][:_MOST_TOLD]


def _problem(place: list[str | int], key: str, known: tuple[str, ...], meant: str) -> Problem:
    hint = f"did you mean `{meant}`?" if meant else f"expected one of {', '.join(known[:5])}"
    return Problem([*place, key[:_MOST_CHARS]], f"there is no such key; {hint}", _TYPE)


def _in_body(key: str) -> str:
    return _MEANT.get(key.lower(), "") or _meant(key, _BODY)


def _meant(key: str, known: tuple[str, ...]) -> str:
    lower = {name.lower(): name for name in reversed(known)}
    return lower.get(key.lower(), "") or near_name(key, known)
