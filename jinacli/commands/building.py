"""The commands as typer builds them, with a help page and errors of our own.

A command is built when it is asked for: to build them all takes as long as to load typer.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as built_by_typer
from typer.main import get_group
from typer.models import CommandInfo, TyperInfo

from jinacli.commands.base import Common
from jinacli.commands.values import plain_value


class WrongUsage(typer.BadParameter):
    """The input is not a command line of jina.

    Args:
        message: what is wrong.
        hint: what to type instead; empty for where to look it up.
    """

    def __init__(self, message: str, *, ctx: typer.Context, hint: str = "") -> None:
        super().__init__(message, ctx=ctx)
        self.hint = hint


class Command(Common, TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its arguments and options, and `--help`."""
        return _read_plainly(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        formatter.write(_page(self, ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options and arguments.

        Raises:
            WrongUsage: some words are left over.
        """
        typed = list(args)
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise WrongUsage(f'unexpected argument "{rest[0]}"', ctx=ctx, hint=_pattern_hint(typed))
        return rest


class Group(Common, TyperGroup):
    """Commands under one name, which are built when they are asked for."""

    sources: dict[str, CommandInfo | TyperInfo]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sources = {}

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, and `--help`."""
        return _read_plainly(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, in the order of the help page."""
        return list(self.sources)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None when there is none."""
        if cmd_name not in self.commands and cmd_name in self.sources:
            self.commands[cmd_name] = _built(cmd_name, self.sources[cmd_name])
        return self.commands.get(cmd_name)

    def summaries(self) -> dict[str, str]:
        """Name -> what the command does, in a line; for this, nothing is built."""
        return {
            name: _summary(source) for name, source in self.sources.items() if not source.hidden
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names, and the other words.

        Raises:
            WrongUsage: there is none.
        """
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            # Late: only a mistake needs it.
            from jinacli.screens.usage import near_command

            of = f' of "{ctx.command_path}"' if ctx.parent else ""
            raise WrongUsage(
                f'"{args[0]}" is not a command{of}', ctx=ctx, hint=near_command(args[0], ctx)
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        formatter.write(_page(self, ctx))


def command_line(app: typer.Typer) -> Group:
    """The whole command line.

    Args:
        app: with all commands and groups; all its groups need `cls=Group`.
    """
    return _group(app, built_by_typer)


def _group(app: typer.Typer, build: Callable[[typer.Typer], Any]) -> Group:
    """A group whose commands are yet to be built."""
    empty = copy.copy(app)
    empty.registered_commands, empty.registered_groups = [], []
    group = build(empty)
    assert isinstance(group, Group)
    group.sources = _sources(app)
    return group


def _sources(app: typer.Typer) -> dict[str, CommandInfo | TyperInfo]:
    """Name -> what is needed to build the command."""
    found: dict[str, CommandInfo | TyperInfo] = {}
    for group in app.registered_groups:
        found[str(group.name)] = group
    for command in app.registered_commands:
        assert command.callback is not None
        found[command.name or command.callback.__name__.replace("_", "-")] = command
    return found


def _built(name: str, source: CommandInfo | TyperInfo) -> Any:
    if isinstance(source, TyperInfo):
        assert source.typer_instance is not None
        group = _group(source.typer_instance, get_group)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    source = copy.copy(source)
    source.cls = Command
    # typer would read each of these texts four times.
    function: Any = source.callback
    function.__annotations__ = get_type_hints(function, include_extras=True)
    alone.registered_commands = [source]
    return built_by_typer(alone)


def _summary(source: CommandInfo | TyperInfo) -> str:
    text = source.help
    if isinstance(source, TyperInfo):
        assert source.typer_instance is not None
        text = source.typer_instance.info.help
    elif text is None:
        text = inspect.getdoc(source.callback)
    return str(text or "").partition("\n")[0]


def _read_plainly(params: list[Any]) -> list[Any]:
    for param in params:
        # What `get_runtime_param` would make with pydantic, or keeps when it is there.
        param._runtime_param = param._runtime_param or plain_value(param)
    return params


def _page(command: Any, ctx: Any) -> str:
    # Late: most runs of a command show no help.
    from jinacli.color import is_colored
    from jinacli.screens.help import page

    ctx.color = is_colored(sys.stdout)  # else typer takes the escapes out again
    return page(command, ctx, sys.stdout)


def _pattern_hint(args: list[str]) -> str:
    """A hint about a pattern that was not quoted: the shell made several words of it."""
    if any(word.split("=")[0] in ("-i", "--inputs") for word in args):
        return "quote a pattern, as in --inputs '*.jsonl', or write --inputs before each file"
    return ""
