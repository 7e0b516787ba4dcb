"""What people see when they typed a command that is not one: what is wrong, and what was meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperOption

from jina.suggest import nearest
from jinacli.screens.help import name_of, page, usage

_ALIKE = 0.75  # of the letters of two options; at 0.6, "--retries" could be "--parameters"
_MOST_COMMANDS = 3  # that are named as having an option
_OTHER_WORDS = {
    "create": "new",
    "init": "new",
    "kill": "down",
    "ls": "list",
    "remove": "down",
    "rm": "down",
    "run": "up",
    "serve": "up",
    "start": "up",
    "stop": "down",
    "validate": "check",
}
"""What other command lines call a command -> what it is called here."""


def usage_text(error: Any) -> str:
    """An error of the command line as it is shown.

    Args:
        error: as typer raises it.
    """
    ctx = error.ctx
    if type(error).__name__ == "NoArgsIsHelpError":
        return page(ctx.command, ctx, sys.stderr)
    hint = getattr(error, "hint", "")
    message = str(error.message)
    if hasattr(error, "possibilities"):
        message = f"unknown option {error.option_name}"
        hint = _near_option(error.option_name, ctx)
    elif hasattr(error, "option_name"):
        needs = "needs a value" if "requires" in message else "takes no value"
        message = f"{error.option_name}: {needs}"
    elif hasattr(error, "param_type"):
        message = f"{name_of(error.param).rstrip('.')} is missing"
        hint = f"usage: {usage(ctx.command, ctx)}"
    elif getattr(error, "param_hint", None):
        message = f"{error.param_hint}: {message}"
    elif param := getattr(error, "param", None):
        message = f"{name_of(param)}: {message}"
    if ctx is not None and not hint and "\nhelp: " not in message:
        hint = f"see `{ctx.command_path} --help`"
    return f"error: {message}" + (f"\nhelp: {hint}" if hint else "")


def near_command(word: str, ctx: Any) -> str:
    """What may have been meant by a word that names no command here; empty if nothing is near.

    Args:
        word: as it was typed.
        ctx: of the group that has no such command.
    """
    own, other = ctx.command.summaries(), _OTHER_WORDS.get(word, word)
    paths = [path for path, _ in _commands(ctx.find_root())]
    near = [f"{ctx.command_path} {other}"] if other in own else _ending(paths, word)
    if not near and other == word and (name := nearest(word, own)):
        near = [f"{ctx.command_path} {name}"]
    near = near or _ending(paths, other)
    return f"did you mean {_either(near)}?" if near else ""


def _ending(paths: list[str], word: str) -> list[str]:
    return [path for path in paths if path.split()[-1] == word]


def _near_option(typed: str, ctx: Any) -> str:
    """What may have been meant by an option that the command does not have."""
    word = typed.lstrip("-")
    own = {name.lstrip("-"): name for name in _options(ctx.command, ctx) if name[:2] == "--"}
    near = [name for name in own if len(word) > 2 and name.startswith(word)]
    near = near or [name for name in [nearest(word, own, cutoff=_ALIKE)] if name]
    if near:
        return f"did you mean {' or '.join(own[name] for name in near)}?"
    having = [path for path, one in _commands(ctx.find_root()) if typed in _options(one, ctx)]
    if len(word) < 2 or not having or len(having) > _MOST_COMMANDS:
        return ""
    return f"{typed} is an option of {_either(having, 'and')}"


def _commands(root: Any) -> Iterator[tuple[str, Any]]:
    """All commands, with what is typed to run them."""
    ahead: list[tuple[str, Any]] = [(str(root.command_path), root.command)]
    while ahead:
        path, command = ahead.pop(0)
        names = command.summaries() if hasattr(command, "summaries") else ()
        ahead += [(f"{path} {name}", command.get_command(root, name)) for name in names]
        yield path, command


def _options(command: Any, ctx: typer.Context) -> list[str]:
    params = (param for param in command.get_params(ctx) if isinstance(param, TyperOption))
    return [name for param in params if not param.hidden for name in param.opts]


def _either(paths: list[str], word: str = "or") -> str:
    *most, last = [f"`{path}`" for path in paths]
    return f"{', '.join(most)} {word} {last}" if most else last
