"""`@dynamic_batching`, and the settings of an instance: decorators, overridden by YAML.

As with `@requests`, the decorated function stays a plain function with one more attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any, Protocol, TypeVar, overload

from jina.defaults import BATCH_TIMEOUT_MS
from jina.executors.table import method_name
from jina.names import DEFAULT_ENDPOINT, endpoint_name
from jina.wire.batching import Batching

#: The attribute of a function that holds what its decorator said.
MARK = "__jina_batching__"

_F = TypeVar("_F", bound=Callable[..., Any])


class Served(Protocol):
    """The part of an Executor that is used here."""

    requests: dict[str, Any]


@overload
def dynamic_batching(func: _F, /) -> _F: ...
@overload
def dynamic_batching(
    *,
    preferred_batch_size: int | None = None,
    timeout: float = BATCH_TIMEOUT_MS,
    flush_all: bool = False,
    custom_metric: Any = None,
    use_custom_metric: bool = False,
    use_dynamic_batching: bool = True,
) -> Callable[[_F], _F]: ...


def dynamic_batching(
    func: Any = None,
    /,
    *,
    preferred_batch_size: int | None = None,
    timeout: float = BATCH_TIMEOUT_MS,
    flush_all: bool = False,
    custom_metric: Any = None,
    use_custom_metric: bool = False,
    use_dynamic_batching: bool = True,
) -> Any:
    """Combine requests that arrive at about the same time into one call of this method.

    Use it before or after `@requests`. The requests have equal parameters. The method returns
    one Document for each that it got, in their order, or changes them in place.

    Args:
        func: the method, where the decorator is used bare.
        preferred_batch_size: Documents that are enough for a call, and the most that one gets; the
            default is 4.
        timeout: how long the oldest request waits for others, in ms.
        flush_all: the call gets all waiting Documents, however many there are.
        custom_metric: ignored: batches are sized by Documents.
        use_custom_metric: ignored.
        use_dynamic_batching: False turns it off; YAML overrides the decorator.

    Returns:
        the function itself, marked; or a decorator that does so.

    Raises:
        TypeError: it decorates no method, or an argument has another type.
        ValueError: the size is below 1 or the timeout below 0.
    """
    settings = {
        "preferred_batch_size": preferred_batch_size,
        "timeout": timeout,
        "flush_all": flush_all,
        "use_dynamic_batching": use_dynamic_batching,
    }
    _check(settings)
    given = {key: value for key, value in settings.items() if value is not None}
    if custom_metric is not None or use_custom_metric:
        given["custom_metric"] = True  # for `check`, which says that it is ignored
    return (lambda method: _mark(method, given)) if func is None else _mark(func, given)


def _check(settings: Mapping[str, Any]) -> None:
    size, timeout = settings["preferred_batch_size"], settings["timeout"]
    if size is not None and (isinstance(size, bool) or not isinstance(size, int)):
        raise TypeError(f"preferred_batch_size is {size!r}; it must be a whole number of Documents")
    if size is not None and size < 1:
        raise ValueError(f"preferred_batch_size is {size}; it must be at least 1")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout is {timeout!r}; it must be a number of milliseconds")
    if not 0 <= timeout < inf:
        raise ValueError(f"timeout is {timeout}; it must be 0 or more milliseconds")
    for key in ("flush_all", "use_dynamic_batching"):
        if not isinstance(settings[key], bool):
            raise TypeError(f"{key} is {settings[key]!r}; it must be True or False")


def _mark(func: Any, settings: Mapping[str, Any]) -> Any:
    plain = func.__func__ if isinstance(func, staticmethod | classmethod) else func
    if not callable(plain):
        raise TypeError(
            f"@dynamic_batching must be applied to a method, got {type(func).__name__}; "
            "pass its settings by name: @dynamic_batching(preferred_batch_size=32)"
        )
    setattr(plain, MARK, dict(settings))
    return func


def batched_methods(cls: type) -> dict[str, dict[str, Any]]:
    """What decorators say: name of the method -> settings.

    A method that overrides a decorated one keeps its settings, unless it is decorated itself.
    """
    found = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            marks = getattr(getattr(value, "__func__", value), "__dict__", {}).get(MARK)
            if marks is not None:
                found[name] = marks
    return found


def settings_of(executor: Served, given: Mapping[str, Mapping[str, Any]]) -> dict[str, Batching]:
    """The batched endpoints of an instance.

    Args:
        executor: the instance.
        given: endpoint, or name of a method for all of its endpoints -> settings from YAML. What
            they leave out is as the decorator says.
    """
    by_method = batched_methods(type(executor))
    table = executor.requests
    methods = {endpoint: method_name(target) for endpoint, target in table.items()}
    of_endpoint, of_method = _sorted_out(given, set(methods.values()))
    found = {}
    for endpoint in (*table, *(name for name in of_endpoint if name not in table)):
        method = methods.get(endpoint, methods.get(DEFAULT_ENDPOINT))
        if method is None:
            continue  # nobody serves it: `check` and the worker's start say so
        said = [by_method.get(method), of_method.get(method), of_endpoint.get(endpoint)]
        merged = {key: value for each in said if each is not None for key, value in each.items()}
        is_on = merged.pop("use_dynamic_batching", True)
        merged.pop("custom_metric", None)
        if is_on and any(each is not None for each in said):
            found[endpoint] = Batching(**merged)
    return found


def unserved(table: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """The keys of `given` that neither name an endpoint of a table nor a method in it."""
    if DEFAULT_ENDPOINT in table:
        return
    methods = set(map(method_name, table.values()))
    yield from (key for key in given if key not in methods and endpoint_name(key) not in table)


def _sorted_out(
    given: Mapping[str, Mapping[str, Any]], methods: set[str]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """The settings by endpoint, and those by method."""
    of_method = {key: settings for key, settings in given.items() if key in methods}
    of_endpoint = {
        endpoint_name(key): settings for key, settings in given.items() if key not in of_method
    }
    return of_endpoint, of_method
