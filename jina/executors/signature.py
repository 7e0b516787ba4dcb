"""How `with` fits the constructor of a class.

Both the worker, before it constructs, and `check`, before anything runs, ask here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from jina.suggest import nearest

#: What the constructor receives besides `with`.
INJECTED = ("metas", "requests", "runtime_args")


class Misfit(NamedTuple):
    """One thing that keeps `with` from fitting.

    Args:
        kind: "missing" (a required parameter that `with` lacks), "unknown" (a key that no parameter
            takes; the call would fail) or "swallowed" (a key that only `**kwargs` takes).
        name: the parameter or key.
        near: the parameter that the key may have meant, or empty.
    """

    kind: str
    name: str
    near: str


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The constructor's parameters that `with` may fill, by name."""
    signature = _signature(cls)
    found = list(signature.parameters.values())[1:]
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: p for p in found if p.kind in kinds and p.name not in INJECTED}


def injected(cls: type) -> tuple[str, ...]:
    """Which of `INJECTED` the constructor accepts."""
    found = _signature(cls).parameters
    if any(p.kind is p.VAR_KEYWORD for p in found.values()):
        return INJECTED
    return tuple(name for name in INJECTED if name in found)


def misfits(cls: type, with_: Mapping[str, Any]) -> list[Misfit]:
    """What is missing, unknown or swallowed, in that order."""
    known = parameters(cls)
    takes_all = injected(cls) == INJECTED and any(
        p.kind is p.VAR_KEYWORD for p in _signature(cls).parameters.values()
    )
    found = [
        Misfit("missing", p.name, "")
        for p in known.values()
        if p.default is p.empty and p.name not in with_
    ]
    for key in with_:
        if key not in known:
            kind = "swallowed" if takes_all else "unknown"
            found.append(Misfit(kind, key, nearest(key, known)))
    return found


def _signature(cls: type) -> inspect.Signature:
    # Of __init__ alone: the __new__ of the base class takes anything. By getattr, since mypy finds
    # `cls.__init__` unsound; here nothing is called.
    return inspect.signature(getattr(cls, "__init__"))  # noqa: B009
