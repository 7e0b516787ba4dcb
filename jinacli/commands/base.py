"""What all commands have in common: twins in the environment, and `--color`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from jinacli import color, twins

if TYPE_CHECKING:
    from typer._click import Command as _Any
    from typer._click import Context, HelpFormatter, Parameter
else:
    _Any = object

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Common(_Any):
    """Steps of parsing and calling a command that every command takes."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        """Name the twins of this command's options first: only now is it known how it is called."""
        if not any(param.name == "color" for param in self.params):
            self.params.append(_color_option())
        path = _path(info_name, parent)
        twins.name_twins(self.params, path)
        if extra.get("resilient_parsing"):  # nothing will run
            # Late: only completion needs it.
            from jinacli.completion import values

            values.attach(self.params, path)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse; an error about a value from the environment names the variable."""
        with twins.naming_twins(ctx):
            rest = super().parse_args(ctx, args)
        twins.remember_taken(ctx)
        return rest

    def invoke(self, ctx: Context) -> Any:
        """Run the command, with nothing of the twins left in the environment."""
        if not isinstance(self, TyperGroup):
            twins.forget_twins(ctx)
        with twins.naming_twins(ctx):
            return super().invoke(ctx)

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Print the help, with colors or without as decided for everything."""
        # Late: it loads rich.
        from typer import rich_utils

        colored = color.is_colored(sys.stdout)
        rich_utils.COLOR_SYSTEM = "auto" if colored else None
        rich_utils.FORCE_TERMINAL = colored
        super().format_help(ctx, formatter)


class Command(_Common, TyperCommand):
    """A command."""


class Group(_Common, TyperGroup):
    """A group of commands."""


class App(typer.Typer):
    """Typer's app, whose commands and groups are ours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cls=Group, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[_Function], _Function]:
        """See typer."""
        return super().command(name, **{"cls": Command, **options})


def _path(info_name: str | None, parent: Context | None) -> list[str]:
    """The words after `jina` that name a command."""
    words = [info_name or ""] if parent is not None else []
    while parent is not None and parent.parent is not None:
        words.insert(0, parent.info_name or "")
        parent = parent.parent
    return words


@functools.cache
def _color_option() -> Parameter:
    """The option that every command has; `jinacli.color` has obeyed it already."""

    def declared(
        color: Annotated[
            color.When, typer.Option(help="When to use colors", expose_value=False)
        ] = "auto",
    ) -> None: ...

    app = typer.Typer(add_completion=False)
    app.command()(declared)
    return typer.main.get_command(app).params[0]
