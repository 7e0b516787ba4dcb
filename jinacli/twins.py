"""Every option has a twin in the environment: `JINA_POST_TIMEOUT` is `jina post --timeout`.

The name is made of the command and the option. A few options mean the same everywhere and have a
shared twin too, such as JINA_FLOW; the command's own one wins. An option that is typed wins over
both. An empty variable counts as unset. An option that may be repeated takes one value per line.

The twins speak to the command that is typed and to nobody else: those that it reads, and the
shared ones, are taken out of the environment before it starts anything. So no Executor sees them,
nor does a `jina` that an Executor runs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperOption

from jina.excepts import JinaError

if TYPE_CHECKING:
    from typer._click import Context, Parameter

SHARED = {
    "flow": "JINA_FLOW",
    "address": "JINA_ADDRESS",
    "quiet": "JINA_QUIET",
    "no_progress": "JINA_NO_PROGRESS",
    "color": "JINA_COLOR",
}
"""Name of a parameter -> the variable that means it in every command."""

NOT_SHARED = frozenset({("flow", "config", "quiet")})
"""Parameters that mean something else than their name does in other commands."""

NO_TWIN = frozenset({"--help", "--version"})
"""They ask for something, once; they set nothing."""

RIVALS = (("flow", "address"), ("every", "flow"), ("inputs", "text"))
"""Pairs of which a command takes one: what is typed silences the other's variable."""

_TAKEN = "jina.twins.taken"

_forgotten: dict[str, str] = {}
"""The shared variables that were taken out of the environment."""


def name_twins(params: Sequence[Parameter], path: Sequence[str]) -> None:
    """Tell the options of a command which variables are their twins.

    Args:
        params: of the command; the argument FLOW has the shared twin as well.
        path: the words that name the command after `jina`, such as ["flow", "up"].
    """
    for param in params:
        names = twins_of(param, path)
        if names:
            param.envvar = names
        if names and isinstance(param, TyperOption):
            param.show_envvar = True
            if param.multiple:
                param.split_envvar_value = _lines  # type: ignore[method-assign]


def twins_of(param: Parameter, path: Sequence[str]) -> list[str]:
    """The variables of one parameter, the strongest first; none for what has no twin."""
    shared = SHARED.get(param.name)
    if getattr(param, "hidden", False):
        return []
    if isinstance(param, TyperArgument):
        return [shared] if shared and param.name == "flow" else []
    if shared and param.name == "color":
        return [shared]
    if (*path, param.name) in NOT_SHARED:
        shared = None
    if NO_TWIN.intersection(param.opts):
        return []
    option = max(param.opts, key=len)
    own = "_".join(["JINA", *path, option.lstrip("-")]).replace("-", "_").upper()
    return [own, shared] if shared and option == f"--{param.name.replace('_', '-')}" else [own]


def _lines(rv: str) -> list[str]:  # named as in the method that it replaces
    return [line for line in rv.splitlines() if line.strip()]


def remember_taken(ctx: Context) -> None:
    """Note which variables were read; where rivals were typed, forget those of the others."""
    taken = ctx.meta.setdefault(_TAKEN, {})
    for param in ctx.command.params:
        if _source(ctx, param.name) == "ENVIRONMENT":
            names = [param.envvar] if isinstance(param.envvar, str) else param.envvar or []
            taken[param.name] = next(name for name in names if os.environ.get(name))
    for pair in RIVALS:
        for typed, silenced in (pair, pair[::-1]):
            if _source(ctx, typed) == "COMMANDLINE" and silenced in taken:
                del taken[silenced]
                ctx.params[silenced] = None


def _source(ctx: Context, name: str) -> str:
    source = ctx.get_parameter_source(name)
    return "" if source is None else source.name


def forget_twins(ctx: Context) -> None:
    """Take out of the environment what this command has read, and what all commands share."""
    for name in {*ctx.meta.get(_TAKEN, {}).values(), *SHARED.values()}:
        if (value := os.environ.pop(name, "")) and name in SHARED.values():
            _forgotten[name] = value


def shared_value(name: str) -> str:
    """The value of a shared variable, for a command that has no option for it; "" without one."""
    return _forgotten.get(name) or os.environ.get(name, "")


@contextlib.contextmanager
def naming_twins(ctx: Context) -> Iterator[None]:
    """Name the variable in the error about its value.

    Wrong usage names it instead of the option. Any other error that ends a command says which
    variables took part, because nobody sees them on the command line.
    """
    try:
        yield
    except typer.BadParameter as error:
        if hint := _hint(ctx, error):
            error.param_hint = hint
        raise
    except JinaError as error:
        said = {name: f"{name}={value}" for name, value in _values(ctx).items()}
        if said and not getattr(error, "__notes__", None):
            error.add_note(f"note: from the environment: {', '.join(said.values())}")
        raise


def _hint(ctx: Context, error: typer.BadParameter) -> str | None:
    """The variable of an error's value, with the option; None if the value was typed."""
    for param in ctx.command.params:
        names = param.opts if isinstance(param, TyperOption) else [param.name.upper()]
        if param is not error.param and error.param_hint not in names:
            continue
        if variable := ctx.meta.get(_TAKEN, {}).get(param.name) or _variable(ctx, param):
            return f"{variable} ({max(names, key=len)})"
    return None


def _variable(ctx: Context, param: Parameter) -> str | None:
    if _source(ctx, param.name) != "ENVIRONMENT":
        return None
    names = [param.envvar] if isinstance(param.envvar, str) else param.envvar or []
    return next((name for name in names if os.environ.get(name)), None)


def _values(ctx: Context) -> dict[str, Any]:
    """The variables that gave a value other than yes or no -> that value."""
    values = {variable: ctx.params.get(name) for name, variable in ctx.meta.get(_TAKEN, {}).items()}
    return {name: value for name, value in values.items() if not isinstance(value, bool | None)}
