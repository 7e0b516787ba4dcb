"""Call the method that serves an endpoint, by the rules of the Jina 2 API.

It decides what the method receives and what is passed on. It knows no processes and no sockets.
"""

from __future__ import annotations

import atexit
import inspect
from collections.abc import Coroutine, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from jina.executors.signature import ARGUMENTS, accepted_arguments
from jina.executors.table import bound, lookup
from jina.types.arrays.document import DocumentArray

if TYPE_CHECKING:
    from jina.executors.event_loop import EventLoop


class Callee(Protocol):
    """The parts of an Executor that are used here. The class itself imports this file."""

    metas: SimpleNamespace
    requests: dict[str, Any]


def endpoints(executor: Callee) -> list[str]:
    """The endpoints that an instance serves, "/default" included, in the order of its table."""
    return list(executor.requests)


def call(
    executor: Callee,
    endpoint: str,
    *,
    docs: DocumentArray | None,
    parameters: Mapping[str, Any] | None,
    docs_matrix: list[DocumentArray] | None = None,
    groundtruths: DocumentArray | None = None,
    groundtruths_matrix: list[DocumentArray] | None = None,
) -> DocumentArray:
    """Serve one request.

    Args:
        executor: the instance.
        endpoint: as the client named it; one that is not bound goes to the default handler.
        docs: all Documents of the request; on a join, those of every branch in the order of
            `needs`.
        parameters: as posted; a dict under the Executor's own name overrides the rest.
        docs_matrix: on a join, one DocumentArray per branch; None for a single request.
        groundtruths: the request's groundtruths; like `docs`.
        groundtruths_matrix: like `docs_matrix`.

    Returns:
        the Documents that go on: `docs` itself where the method changed them in place or where no
        method serves the endpoint; the array it returned; an empty one when there are none.

    Raises:
        TypeError: the method returned something else. What the method raises goes through as it is;
            a SystemExit gets a text of its own, since a method cannot end its process.
    """
    try:
        returned = _invoke(
            executor,
            endpoint,
            {
                "docs": docs,
                "parameters": parameters,
                "docs_matrix": docs_matrix,
                "groundtruths": groundtruths,
                "groundtruths_matrix": groundtruths_matrix,
            },
        )
    except SystemExit as error:
        # Its own text is the exit code alone: nobody who reads a result knows what a "3" is.
        code = 0 if error.code is None else error.code
        error.args = (
            f"{code}; a method must not end its process: raise another exception instead",
        )
        raise
    except Exception as error:
        _add_help(error, executor, docs)
        raise
    if returned is not None:
        return returned
    return DocumentArray() if docs is None else docs


def invoke(executor: Callee, endpoint: str, **arguments: Any) -> DocumentArray | None:
    """Like `call`, but return what the method returned, checked; None where no method serves.

    Args:
        executor: the instance.
        endpoint: as in `call`.
        **arguments: those of `call`; any may be missing.

    Raises:
        TypeError: an argument that no method receives; or as in `call`.
    """
    unknown = arguments.keys() - set(ARGUMENTS)
    if unknown:
        raise TypeError(
            f"no endpoint receives {sorted(unknown)[0]!r}; the arguments are {', '.join(ARGUMENTS)}"
        )
    return _invoke(executor, endpoint, arguments)


def _invoke(executor: Callee, endpoint: str, arguments: Mapping[str, Any]) -> DocumentArray | None:
    target = lookup(executor.requests, endpoint)
    if target is None:
        return None
    method = bound(executor, target)
    names = accepted_arguments(getattr(method, "__func__", method))
    given = {}
    for name in ARGUMENTS:
        if name in names:
            value = arguments.get(name)
            if name == "parameters":
                value = specific_parameters(value, getattr(executor.metas, "name", ""))
            elif value is not None and not len(value):  # len() decodes nothing
                value = None  # zero Documents reach a method as None
            given[name] = value
    returned = method(**given)
    if returned is None:
        return None
    if inspect.iscoroutine(returned):
        returned = _complete(returned)
    if returned is None or isinstance(returned, DocumentArray):
        return returned
    kind = type(returned).__name__
    if inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        kind = "a generator: it contains `yield`"
    raise TypeError(
        f"{_name(method)} returned {kind}; an endpoint method must return "
        "a DocumentArray, or None if it changed the Documents in place"
    )


def specific_parameters(parameters: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """The parameters of one Executor: a dict under its name overrides the common ones.

    Args:
        parameters: as posted.
        name: the Executor's `metas.name`.

    Returns:
        a new dict, which still has the nested one too. A value under the name that is not a dict
        has no effect.
    """
    common = dict(parameters or {})
    own = common.get(name)
    return {**common, **own} if isinstance(own, dict) else common


def _add_help(error: Exception, executor: Callee, docs: DocumentArray | None) -> None:
    from jina.executors.method_help import add_help  # late: few methods raise

    add_help(error, executor, docs)


def _name(method: Any) -> str:
    return getattr(method, "__qualname__", None) or type(method).__name__


_loops: list[EventLoop] = []  # at most one, made at the first call of an `async def` method


def _complete(coroutine: Coroutine[Any, Any, Any]) -> Any:
    if not _loops:
        # Late: few Executors are async, and asyncio is slow to load.
        from jina.executors.event_loop import EventLoop

        _loops.append(EventLoop())
        atexit.register(close_loop)
    return _loops[0].complete(coroutine)


def close_loop() -> None:
    """Close the event loop of `async def` methods, if there is one; the next call makes a new one.

    Call it after the `close()` of an Executor, from the same thread; otherwise the
    interpreter does so at its end.
    """
    while _loops:
        _loops.pop().close()
