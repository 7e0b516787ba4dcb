"""Describe an Executor for people: what it is, what its endpoints do, which parameters they read.

It is read from the class and its source; nothing of it is called.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from jina.executors.following import parameters_of
from jina.executors.table import method_name
from jina.wire.described import Described, Endpoint

_MOST_NAME = 200  # characters of a name
_MOST_DESCRIPTION = 10_000
_DOCS = (10_000, 2_000, 500, 100, 0)  # characters of each docstring: the first that fits
_MOST_METHODS = 200  # whose source is read


def described(executor: Any, once: Collection[str], most_bytes: int) -> Described | None:
    """Describe an instance.

    Args:
        executor: the instance.
        once: its endpoints whose method must not see a Document twice.
        most_bytes: that it may have when it is sent: docstrings are cut first, then parameters are
            left out, then endpoints.

    Returns:
        None if it does not fit at all.
    """
    metas = getattr(executor, "metas", None)
    whole = Described(
        _text(type(executor).__name__, _MOST_NAME),
        _text(getattr(metas, "name", ""), _MOST_NAME),
        _text(getattr(metas, "description", "") or about(type(executor)), _MOST_DESCRIPTION),
        list(endpoints_of(executor.requests, type(executor), once)),
    )
    for smaller in _shortened(whole):
        if len(msgspec.msgpack.encode(smaller)) <= most_bytes:
            return smaller
    return None


def about(cls: type) -> str:
    """The first paragraph of a class's own docstring, in one line; not of the base of all."""
    doc = vars(cls).get("__doc__") if cls.__module__ != "jina.executors" else None
    first = inspect.cleandoc(doc).partition("\n\n")[0] if isinstance(doc, str) else ""
    return " ".join(first.split())


def endpoints_of(
    table: Mapping[str, Any], cls: type, once: Collection[str] = ()
) -> Iterator[Endpoint]:
    """Describe the endpoints of a table.

    Args:
        table: endpoint -> what serves it, as `instance_table` gives it.
        cls: whose table that is.
        once: endpoints whose method must not see a Document twice.
    """
    read: dict[int, Endpoint] = {}  # a method may serve several endpoints
    for path, target in table.items():
        found = getattr(cls, target, None) if isinstance(target, str) else target
        function = _plain(found)
        if id(function) not in read:
            parameters = parameters_of(function, cls) if len(read) < _MOST_METHODS else []
            doc = _text(_docstring(function), _DOCS[0])
            read[id(function)] = Endpoint(
                "", _text(method_name(target), _MOST_NAME), doc, False, parameters
            )
        yield msgspec.structs.replace(
            read[id(function)], path=_text(path, _MOST_NAME), once=path in once
        )


def _plain(target: Any) -> Any:
    """The function that the user wrote, below its decorators."""
    function = getattr(target, "__func__", target)
    with contextlib.suppress(Exception):
        return inspect.unwrap(function)
    return function


def _docstring(function: Any) -> str:
    doc = function.__doc__ if inspect.isfunction(function) else None
    return inspect.cleandoc(doc) if isinstance(doc, str) else ""


def _text(value: Any, most: int) -> str:
    """Text that can be sent, whatever the user's code gives."""
    text = value if isinstance(value, str) else ""
    if len(text) > most:
        text = f"{text[: max(0, most - 1)]}…" if most else ""
    return text.encode(errors="replace").decode()


def _shortened(whole: Described) -> Iterator[Described]:
    """The same, with less and less in it."""
    yield whole
    for most in _DOCS[1:]:
        yield _changed(whole, lambda each, most=most: {"doc": _text(each.doc, most)})  # type: ignore[misc]
    yield _changed(whole, lambda each: {"doc": "", "parameters": []})
    yield Described(whole.executor, whole.title, _text(whole.description, 1000))


def _changed(whole: Described, change: Callable[[Endpoint], dict[str, Any]]) -> Described:
    endpoints = [msgspec.structs.replace(each, **change(each)) for each in whole.endpoints]
    return msgspec.structs.replace(whole, endpoints=endpoints)
