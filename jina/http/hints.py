"""Where a request may have been meant for, that came to a path or an endpoint that there is not."""

from __future__ import annotations

from collections.abc import Iterable

from jina.suggest import near_name

_SHOWN = 5


def near_path(path: str, known: Iterable[str]) -> str:
    """The path that is most like another one, whatever its case; "" if none is."""
    names = sorted(known)
    lower = {name.lower(): name for name in reversed(names)}
    return lower.get(path.lower(), "") or near_name(path, names)


def some_of(known: Iterable[str]) -> str:
    """A few endpoints, for a hint."""
    names = sorted(known)
    return f"{', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"


def hint_of(path: str, served: Iterable[str], bound: Iterable[str], default: str) -> str:
    """What to do instead of a request to a path that nothing is served at; "" if nobody knows.

    Args:
        path: of the request.
        served: paths that take Documents.
        bound: endpoints of Executors.
        default: what to say where an Executor serves all endpoints; "" where none does.
    """
    if path.rstrip("/") == "/stream":
        return f"a stream goes to /stream/ENDPOINT; it serves {some_of(bound)}"
    if path == "/":
        return f"send Documents to one of {some_of(served)}"
    near = near_path(path, served)
    return f"did you mean {near}?" if near else default
