"""Which parameters a method reads, itself or in functions that it hands them to.

Functions are followed that stand in the same folder: its own methods, functions and classes that
its module names. Nothing is called, no attribute of an object is looked up.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import re
from collections import deque
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, get_args

from jina.executors.reading import (
    PARAMETERS,
    Found,
    Passed,
    Reader,
    arguments_of,
    definition_of,
    keywords_of,
)
from jina.wire.described import Parameter

_REQUIREMENT = re.compile(r"^(Not)?Required\[(.*)\]$")
_MOST_FOUND = 100  # parameters of a method
_MOST_FUNCTIONS = 10  # that are read for one method


class _Step(NamedTuple):
    """A function that is to be read.

    Attributes:
        function: plain.
        name: of the argument that has the parameters; "**" where they are its keywords.
        owner: the class whose method it is; None for a function.
        given: arguments that are no parameters, because the caller gives them.
    """

    function: Any
    name: str
    owner: type | None
    given: tuple[str, ...] = ()


def parameters_of(function: Any, owner: type | None = None) -> list[Parameter]:
    """The parameters that a method reads, in the order of its code.

    Args:
        function: plain, not wrapped; of one without source its annotation is told.
        owner: the class whose method it is.
    """
    if not isinstance(function, FunctionType):
        return []
    found = Found()
    folder = os.path.dirname(function.__code__.co_filename)
    ahead = deque([_Step(function, PARAMETERS, owner)])
    seen: set[tuple[Any, str]] = set()
    while ahead and len(seen) < _MOST_FUNCTIONS:
        step = ahead.popleft()
        key = (step.function.__code__, step.name)
        if key in seen or os.path.dirname(step.function.__code__.co_filename) != folder:
            continue
        seen.add(key)
        # Whatever is wrong with a source, or too much for the parser: it is only read for people.
        with contextlib.suppress(Exception):
            ahead += _read(step, found)
    told: dict[str, Parameter] = {}
    with contextlib.suppress(Exception):
        told = _annotated(function)
    return list(_merged(told, found.all()).values())[:_MOST_FOUND]


def _read(step: _Step, found: Found) -> list[_Step]:
    """Read one function; returns those that it hands the parameters to."""
    tree = definition_of(step.function.__code__, step.function.__globals__)
    if tree is None:
        return []
    if step.name == "**":
        for each in keywords_of(tree):
            if each.name not in step.given:
                found.note(each, is_optional=not each.is_required)
        return []
    me = next((each.arg for each in arguments_of(tree)), "") if step.owner else ""
    steps = []
    for passed in Reader(tree, step.name, found).read():
        target, owner = _resolved(passed.callee, step, me)
        plain = inspect.unwrap(getattr(target, "__func__", target))
        if isinstance(plain, FunctionType):
            steps.append(_step(passed, plain, owner, is_bound=_is_bound(target, owner)))
    return steps


def _step(passed: Passed, plain: Any, owner: type | None, *, is_bound: bool) -> _Step:
    code = plain.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    place = passed.position + is_bound
    if passed.name:
        return _Step(plain, passed.name, owner, (*names[:place], *passed.given))
    name = names[place] if place < code.co_argcount else ""
    return _Step(plain, name, owner)


def _is_bound(target: Any, owner: type | None) -> bool:
    """Whether a call fills the first argument by itself."""
    return owner is not None and not isinstance(target, staticmethod)


def _resolved(callee: ast.expr, step: _Step, me: str) -> tuple[Any, type | None]:
    """What a call calls, as far as names tell, and the class whose method that is."""
    names = step.function.__globals__
    match callee:
        case ast.Name(id=name):
            target = names.get(name)
            if isinstance(target, type):
                return inspect.getattr_static(target, "__init__", None), target
            return target, None
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == me and me:
            return inspect.getattr_static(step.owner, attribute, None), step.owner
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            value = names.get(name)
        case ast.Attribute(value=ast.Call(func=ast.Name(id=name)), attr=attribute):
            value = names.get(name)
            if not isinstance(value, type):
                return None, None
        case _:
            return None, None
    if isinstance(value, ModuleType):
        return vars(value).get(attribute), None
    if isinstance(value, type):
        return inspect.getattr_static(value, attribute, None), value
    return None, None


def _merged(told: dict[str, Parameter], read: dict[str, Parameter]) -> dict[str, Parameter]:
    """An annotation is right about the type, and the code about the default."""
    both = {
        name: Parameter(name, each.default, told[name].type, told[name].is_required)
        for name, each in read.items()
        if name in told
    }
    return told | read | both


def _annotated(function: Any) -> dict[str, Parameter]:
    """The keys of a TypedDict."""
    hint = function.__annotations__.get(PARAMETERS)
    if isinstance(hint, str):  # `from __future__ import annotations`
        hint = function.__globals__.get(hint)
    required = getattr(hint, "__required_keys__", None)
    if required is None:
        return {}
    found = {}
    for name, each in hint.__annotations__.items():
        words = _words(each)
        kind = _REQUIREMENT.sub(r"\2", words)
        is_required = name in required and not words.startswith("NotRequired[")
        found[name] = Parameter(name, type=kind, is_required=is_required)
    return found


def _words(hint: Any) -> str:
    """A type, as the code has it."""
    text = getattr(hint, "__forward_arg__", hint)
    if isinstance(hint, type) and not get_args(hint):
        text = hint.__name__
    return str(text).replace("typing.", "")[:100]
