"""`@requests`: name the endpoints that a method serves.

The decorated function stays a plain function; it gets one more attribute. There is no
registry: the table of a class is read from its methods when it is needed (`jina.executors.table`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from jina.executors.signature import ARGUMENTS, takes_any, unfillable
from jina.names import DEFAULT_ENDPOINT, endpoint_name

#: The attribute of a function that names its endpoints.
MARK = "__jina_endpoints__"
#: That of a function that must not see a Document twice.
ONCE = "__jina_once__"

_F = TypeVar("_F", bound=Callable[..., Any])


@overload
def requests(func: _F, /) -> _F: ...
@overload
def requests(
    on: str | Iterable[str] | None = None, *, once: bool = False
) -> Callable[[_F], _F]: ...


def requests(*args: Any, on: Any = None, once: bool = False) -> Any:
    """Bind a method: `@requests`, `@requests(on='/index')`, `@requests(on=['/a', '/b'])`.

    Without endpoints, the method is the default handler: it serves every endpoint that is not
    bound. The endpoints may also be given positionally. Decorating twice binds both.

    Args:
        *args: the function (when used bare), or the endpoints.
        on: one endpoint or several. The leading slash may be left out.
        once: the method must not see a Document twice. Its calls are never repeated: when it raises
            or its worker dies, the whole request fails. See "Documents that fail" in
            docs/running.md.

    Returns:
        the function itself, marked; or a decorator that does so.

    Raises:
        TypeError: an endpoint is not text, or `once` no bool; or the method requires a parameter
            that no call fills, and has no `**kwargs` either.
    """
    if len(args) > 1:
        raise TypeError(f"@requests takes one argument, got {len(args)}")
    if args and on is not None:
        raise TypeError("@requests got its endpoints twice: by position and as `on=`")
    if args and _is_function(args[0]):
        return _mark(args[0], (DEFAULT_ENDPOINT,))
    if not isinstance(once, bool):
        raise TypeError(f"@requests(once=…) takes True or False, got {once!r}")
    endpoints = _endpoints(args[0] if args else on)
    return lambda func: _mark(func, endpoints, once)


def _is_function(value: object) -> bool:
    return callable(value) or isinstance(value, staticmethod | classmethod)


def _endpoints(on: object) -> tuple[str, ...]:
    if on is None:
        return (DEFAULT_ENDPOINT,)
    names = [on] if isinstance(on, str) else on
    if not isinstance(names, Iterable) or isinstance(names, bytes | dict):
        raise TypeError(
            f"@requests(on=…) takes an endpoint or a list of them, got {type(on).__name__}"
        )
    found: dict[str, None] = {}
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"@requests(on=…) takes endpoints as text, got {type(name).__name__}: {name!r}"
            )
        found[endpoint_name(name)] = None
    return tuple(found)


def _mark(func: Any, endpoints: tuple[str, ...], once: bool = False) -> Any:
    if not _is_function(func):
        raise TypeError(f"@requests must be applied to a method, got {type(func).__name__}")
    plain = func.__func__ if isinstance(func, staticmethod | classmethod) else func
    missing = unfillable(plain, is_bound=isinstance(func, staticmethod))
    # With `**kwargs`, Jina 2 takes it, and published classes import for their other methods.
    if missing and not takes_any(plain):
        name = getattr(plain, "__qualname__", repr(plain))
        raise TypeError(
            f"{name} cannot serve an endpoint: nothing fills its parameter {missing[0]!r}. "
            f"The arguments a method can take are {', '.join(ARGUMENTS)}; "
            "give any other one a default"
        )
    earlier: tuple[str, ...] = vars(plain).get(MARK, ())
    setattr(plain, MARK, tuple(dict.fromkeys((*earlier, *endpoints))))
    if once:
        setattr(plain, ONCE, True)
    return func
