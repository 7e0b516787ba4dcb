"""Turn the words of the command line into values, and say what is wrong with one.

typer would do it with pydantic, which takes as long to load as all the rest of `jina post`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperOption

Convert = Callable[[str], Any]
_TRUE = ("1", "true", "t", "yes", "y", "on")
_FALSE = ("0", "false", "f", "no", "n", "off")


class PlainValue:
    """How the text of a parameter becomes its value; typer asks for it by `coerce`.

    Args:
        convert: from text; raises ValueError with the rest of a sentence that begins with the
            parameter's name.
    """

    def __init__(self, convert: Convert) -> None:
        self.convert = convert

    def coerce(self, value: Any, param: TyperOption | TyperArgument, ctx: typer.Context) -> Any:
        """The value of what was given; a default passes as it is.

        Args:
            value: a text, several of them, a default, or None when nothing was given.
            param: whose value it is.
            ctx: of the command.

        Raises:
            typer.BadParameter: the text is not such a value.
        """
        is_multiple = param.multiple or param.nargs == -1
        if value is None:
            return () if is_multiple else None
        try:
            if is_multiple:
                return tuple(self._converted(each) for each in value)
            return self._converted(value)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from None

    def _converted(self, value: Any) -> Any:
        return self.convert(value) if isinstance(value, str) else value


def plain_value(param: TyperOption | TyperArgument) -> PlainValue | None:
    """How to read a parameter without pydantic; None for a type that only pydantic knows."""
    kind: Any = param.type_descriptor.annotation
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    if choices := param.type_descriptor.choices:
        return PlainValue(lambda text: _choice(text, [str(one) for one in choices]))
    if kind is int or kind is float:
        return PlainValue(lambda text: _number(text, kind, param.min, param.max))
    known: dict[object, Convert] = {str: str, Path: Path, bool: _switch}
    return PlainValue(known[kind]) if kind in known else None


def _choice(text: str, choices: list[str]) -> str:
    if text in choices:
        return text
    raise ValueError(f'must be {either(choices)}, not "{text}"')


def either(names: list[str]) -> str:
    """Several names as a choice: `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _number(text: str, kind: Any, least: float | None, most: float | None) -> Any:
    try:
        number = kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f'must be {wanted}, not "{text}"') from None
    if (least is not None and number < least) or (most is not None and number > most):
        between = "" if least is None or most is None else "from "
        raise ValueError(f"must be {between}{number_range(least, most)}, not {text}")
    return number


def number_range(least: float | None, most: float | None) -> str:
    """In words, which numbers are allowed, such as `0 to 10,000`; empty when all are."""
    if least is None:
        return "" if most is None else f"{most:,} or less"
    return f"{least:,} or more" if most is None else f"{least:,} to {most:,}"


def _switch(text: str) -> bool:
    """A flag that was set by a variable of the environment."""
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError(f'must be 1 or 0, not "{text}"')
    return text.lower() in _TRUE
