"""What is wrong, or suspicious, about a class itself, whatever its YAML says.

`check` tells of it before anything runs, and a worker when it starts. No source is read.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

from jina.executors.signature import lacks_instance
from jina.executors.table import marked_methods

_SETTINGS = ("metas", "requests", "runtime_args")
_OF_VARIABLES = {*dis.haslocal, *dis.hasfree}  # instructions that name a parameter


class Fault(NamedTuple):
    """One such thing.

    Attributes:
        function: of the user's code that is to blame.
        code: a short name that does not change.
        message: one sentence.
        hint: how to mend it.
        is_error: it cannot work; otherwise it is only suspicious.
    """

    function: Any
    code: str
    message: str
    hint: str
    is_error: bool = False


def constructor_faults(cls: type[Any]) -> Iterator[Fault]:
    """What a constructor lacks; nothing for a class that inherits its own."""
    init = vars(cls).get("__init__")
    code = getattr(init, "__code__", None)
    if not inspect.isfunction(init) or code is None:
        return
    if "__init__" not in _names(code):
        yield from _missing_call(cls, init)
    elif not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(init).parameters.values()):
        yield Fault(
            init,
            "no-kwargs",
            f"the constructor of {cls.__name__} does not take **kwargs",
            "add **kwargs and pass them to super().__init__(**kwargs)",
        )


def _missing_call(cls: type[Any], init: Any) -> Iterator[Fault]:
    """What a constructor misses that calls no other; nothing if that is only Executor's own.

    What Executor's constructor sets is there before any constructor runs. So the call is only
    missed where another base class has a constructor, or where settings were prepared for it.
    """
    call = "super().__init__(**kwargs)"
    for base in cls.__mro__[1:]:
        if inspect.isfunction(vars(base).get("__init__")) and not _is_executor(base):
            yield Fault(
                init,
                "no-super-call",
                f"the constructor of {cls.__name__} never calls that of {base.__name__}, "
                "so what that one sets up is missing",
                f"begin it with `{call}`",
            )
            return
    for name in _SETTINGS:
        if _mentions(init.__code__, name):
            yield Fault(
                init,
                "no-super-call",
                f"the constructor of {cls.__name__} uses `{name}` but never calls {call}, "
                f"so changes to `{name}` have no effect",
                f"call `{call}` after changing them, or read `self.{name}` instead",
            )
            return


def _is_executor(base: type[Any]) -> bool:
    """Whether a class is that of all Executors."""
    return (base.__module__, base.__qualname__) == ("jina.executors", "BaseExecutor")


def decorator_faults(cls: type[Any]) -> Iterator[Fault]:
    """Suspicious endpoints of `@requests`."""
    for name, endpoints in marked_methods(cls).items():
        for message, hint in filter(None, map(odd_endpoint, endpoints)):
            yield Fault(getattr(cls, name), "odd-endpoint", message, hint)


def method_faults(cls: type[Any], name: str) -> Iterator[Fault]:
    """Why a method that serves an endpoint fails at each call, if it does."""
    static = inspect.getattr_static(cls, name)
    plain = getattr(static, "__func__", static)
    if not inspect.isfunction(plain):
        return
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        yield Fault(
            plain,
            "generator-method",
            f"{cls.__name__}.{name} contains `yield`, so it returns a generator; "
            "an endpoint method must return a DocumentArray or None",
            "collect the Documents, and `return DocumentArray(…)`",
            is_error=True,
        )
    if not isinstance(static, staticmethod) and lacks_instance(plain):
        word = "cls" if isinstance(static, classmethod) else "self"
        yield Fault(
            plain,
            "no-self",
            f"{cls.__name__}.{name} does not take `{word}`, so it cannot be called",
            f"write `{word}` first, as in `def {name}({word}, docs, **kwargs)`",
            is_error=True,
        )


def odd_endpoint(endpoint: str) -> tuple[str, str] | None:
    """What is suspicious about an endpoint, and how to fix it."""
    if endpoint.isprintable() and " " not in endpoint:
        return None
    plain = "".join(c for c in endpoint.strip() if c.isprintable())
    near = plain.replace("/ ", "/").replace(" ", "_")
    what = "a space" if " " in endpoint else "an invisible character"
    return f"the endpoint {endpoint!r} contains {what}", f"did you mean {near!r}?"


def _mentions(code: CodeType, name: str) -> bool:
    """Whether a constructor takes a key of this name from `kwargs`, or uses its parameter."""
    if name in code.co_consts:
        return True
    return any(
        each.argval == name and each.opname.startswith("LOAD_") and each.opname != "LOAD_ATTR"
        for each in dis.get_instructions(code)
        if each.opcode in _OF_VARIABLES
    )


def _names(code: CodeType) -> set[str]:
    """The names of attributes and globals that code uses, with what is defined inside it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _names(constant)
    return found
