"""Small functions that published Jina 2 Executors import; jina itself does not use them."""

from __future__ import annotations

import asyncio
import random
import socket
import uuid
import warnings
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

__all__ = [
    "batch_iterator",
    "cached_property",
    "deprecated_alias",
    "get_or_reuse_loop",
    "is_url",
    "random_identity",
    "random_name",
    "random_port",
    "random_uuid",
    "run_async",
    "typename",
]

_T = TypeVar("_T")


def random_port() -> int:
    """Return a TCP port that was free a moment ago; jina itself binds first, then asks which."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def random_uuid(use_uuid1: bool = False) -> uuid.UUID:
    """Return a new UUID: a random one, or one made from the time if asked for."""
    return uuid.uuid1() if use_uuid1 else uuid.uuid4()


def random_identity(use_uuid1: bool = False) -> str:
    """Return a new UUID as text."""
    return str(random_uuid(use_uuid1))


def random_name() -> str:
    """Return a random name such as `jina_3f2a9c`."""
    return f"jina_{random.getrandbits(24):06x}"


def batch_iterator(data: Iterable[_T], batch_size: int, axis: int = 0) -> Iterator[Any]:
    """Cut something into batches.

    Args:
        data: a sequence, DocumentArray or array, which is sliced; or any iterable, cut into lists.
        batch_size: elements in each batch but the last; everything is one batch if 0 or less.
        axis: must be 0, the first dimension of an array.

    Raises:
        NotImplementedError: another axis.
    """
    if axis:
        raise NotImplementedError("batch_iterator cuts along the first axis only")
    if not batch_size or batch_size <= 0:
        yield data
        return
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, Mapping):
        whole: Any = data
        for start in range(0, len(whole), batch_size):
            yield whole[start : start + batch_size]
        return
    stream = iter(data)
    while batch := list(islice(stream, batch_size)):
        yield batch


def get_or_reuse_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop, or else a new one, which is set for this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        return loop


def run_async(func: Callable[..., Awaitable[_T]], *args: Any, **kwargs: Any) -> _T:
    """Run an `async def` function to its end; no event loop may be running in this thread."""

    async def call() -> _T:
        return await func(*args, **kwargs)

    return asyncio.run(call())


def typename(obj: object) -> str:
    """Return the dotted name of a class, or of an object's class."""
    cls = obj if isinstance(obj, type) else type(obj)
    return f"{cls.__module__}.{cls.__qualname__}"


def is_url(text: str) -> bool:
    """Whether a text is an http, https or data address."""
    return text.startswith(("http://", "https://", "data:"))


class cached_property:  # noqa: N801 - the published name
    """A property that is computed once per instance and kept under `CACHED_<name>`."""

    def __init__(self, func: Callable[[Any], Any]) -> None:
        """See the class."""
        self.func = func
        self.__doc__ = func.__doc__

    def __get__(self, obj: Any, cls: type | None = None) -> Any:
        if obj is None:
            return self
        key = f"CACHED_{self.func.__name__}"
        if key not in vars(obj):
            vars(obj)[key] = self.func(obj)
        return vars(obj)[key]

    def __delete__(self, obj: Any) -> None:
        vars(obj).pop(f"CACHED_{self.func.__name__}", None)


def deprecated_alias(**aliases: Any) -> Callable[[Callable[..., _T]], Callable[..., _T]]:
    """Accept older names of keyword arguments: `deprecated_alias(old='new')`, with a warning."""

    def decorate(func: Callable[..., _T]) -> Callable[..., _T]:
        def wrapper(*args: Any, **kwargs: Any) -> _T:
            for old, new in aliases.items():
                name = new[0] if isinstance(new, tuple) else new
                if old in kwargs:
                    warnings.warn(
                        f"{old!r} is the old name of {name!r}", DeprecationWarning, stacklevel=2
                    )
                    kwargs[name] = kwargs.pop(old)
            return func(*args, **kwargs)

        wrapper.__name__ = getattr(func, "__name__", "wrapper")
        wrapper.__doc__ = func.__doc__
        return wrapper

    return decorate
