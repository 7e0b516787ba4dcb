"""What the query of a stream's URL asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from jina.defaults import MAX_REQUEST_DOCS, REQUEST_DOCS
from jina.excepts import JinaError
from jina.http.answers import Answered
from jina.http.problems import Problem, refusal
from jina.http.targets import named_by
from jina.records.selection import names_of
from jina.suggest import nearest
from jina.wire.maps import ON_ERROR, SPLIT, Call, Welcome

_TENSORS = ("list", "typed", "base64")
_NAMES = ("parameters", "target", "request_size", "on_error", "tensors", "select", "exclude")


class StreamQuery(msgspec.Struct, frozen=True):
    """How the lines of a stream are sent.

    Attributes:
        targets: names of the nodes that take part; None for all.
        request_size: most lines in a request.
        on_error: what becomes of a request at a node that raises.
        call: for every request; source, key and oversize are filled in.
    """

    targets: tuple[str, ...] | None
    request_size: int
    on_error: str
    call: Call


class _Wrong(Exception):
    """A value that is not what its name says."""


def read_query(query: bytes, welcome: Welcome) -> StreamQuery | Answered:
    """Read the query of a stream's URL.

    Args:
        query: behind the question mark, encoded as in the URL.
        welcome: of the gateway.

    Returns:
        what it asks for, or an answer with status 422 that says what is wrong with it.
    """
    name = ""
    try:
        words = dict(parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True))
        for name in words:
            _check_name(name)
        name = "parameters"
        parameters = _object(words.get(name, "") or "{}")
        name = "target"
        targets = named_by(words.get(name, ""), welcome)
        name = "request_size"
        size = _count(words.get(name, str(REQUEST_DOCS)))
        name = "on_error"
        on_error = _one_of(words.get(name, SPLIT), ON_ERROR)
        name = "tensors"
        tensors = _one_of(words.get(name, "list"), _TENSORS)
        name = "select"
        select = names_of(filter(None, words.get(name, "").split(",")))
        name = "exclude"
        exclude = names_of(filter(None, words.get(name, "").split(",")))
    except JinaError as error:
        what = f"{error.what}; {error.hint}" if error.hint else error.what
        return refusal(Problem(["query", name], what, "value_error"))
    except (_Wrong, ValueError) as error:
        return refusal(Problem(["query", name], str(error), "value_error"))
    call = Call(parameters, lines=True, tensors=tensors, select=select, exclude=exclude)
    return StreamQuery(targets, size, on_error, call)


def _check_name(name: str) -> None:
    if name not in _NAMES:
        near = nearest(name, _NAMES)
        meant = f'did you mean "{near}"?' if near else f"expected one of {', '.join(_NAMES)}"
        raise _Wrong(f"there is no such setting; {meant}")


def _object(text: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _Wrong(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _Wrong("expected a JSON object")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_REQUEST_DOCS:
        raise _Wrong(f"expected a whole number from 1 to {MAX_REQUEST_DOCS}")
    return int(text)


def _one_of(text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise _Wrong(f"expected one of {', '.join(known)}")
    return text
