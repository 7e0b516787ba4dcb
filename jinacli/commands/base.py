"""What all commands and groups take: twins in the environment, and `--color`."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from jinacli import color, twins

if TYPE_CHECKING:
    from typer._click import Command as _Any
    from typer._click import Context, Parameter
else:
    _Any = object


class Common(_Any):
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
        extra.setdefault("color", color.is_colored(sys.stdout))  # typer takes them out otherwise
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
