"""What the options of `jina post` mean; trial runs of `jina executor check` have some of them."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import msgspec
import typer

from jina.client.requests import call_for
from jina.readers import CONTENTS, FORMATS, ReadOptions
from jina.wire.maps import Call
from jina.writers import Form
from jinacli.post.failing import FailureOptions


class PostOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `jina post`, checked one by one."""

    endpoint: str
    inputs: list[str]
    reading: ReadOptions
    texts: list[str]
    parameters: dict[str, Any]
    flow: str
    address: str
    keys: str
    output: str
    form: Form
    restart: bool
    tensors: str
    target: str
    allow_unserved: bool
    failing: FailureOptions
    request_size: int | None
    limit: int | None
    timeout_s: float | None
    request_timeout_s: float | None
    is_timed: bool
    show_progress: bool
    quiet: bool
    is_strict: bool = False
    select: list[str] = []
    exclude: list[str] = []
    skip: int = 0
    window: int | None = None
    unordered: bool = False
    is_verbose: bool = False
    settings: tuple[str, ...] = ()
    env_file: Path | None = None

    @property
    def call(self) -> Call:
        """What every request says to the Executors."""
        call = Call(
            self.parameters,
            lines=True,
            tensors=self.tensors,
            select=self.select,
            exclude=self.exclude,
        )
        return call_for(self.form, call)


def check_together(options: PostOptions) -> None:
    """Refuse options that do not go together, before anything is started.

    Raises:
        typer.BadParameter: naming one of them.
        InputError: `--select` or `--exclude` leave out what the format is made of.
    """
    if options.unordered and options.form.name == "npy":
        raise typer.BadParameter(
            "the rows of an array have the order of the inputs", param_hint="--unordered"
        )
    _ = options.call


def read_options(form: str, resolver: list[str], content: str) -> ReadOptions:
    """Check the options that say how inputs are read.

    Args:
        form: one of FORMATS, or "auto".
        resolver: pairs such as "question=text", several of them with commas between.
        content: one of CONTENTS.

    Raises:
        typer.BadParameter: naming the option.
    """
    if form not in ("auto", *FORMATS):
        raise typer.BadParameter(
            f"must be one of auto, {', '.join(FORMATS)}", param_hint="--format"
        )
    if content not in CONTENTS:
        raise typer.BadParameter(f"must be one of {', '.join(CONTENTS)}", param_hint="--content")
    names: dict[str, str] = {}
    for pair in ",".join(resolver).split(",") if resolver else ():
        # A column may have an equals sign in its name; a field never has.
        column, equals, name = pair.rpartition("=")
        if not (equals and column.strip() and name.strip()):
            raise typer.BadParameter(
                f"{pair!r} is not column=field, such as question=text",
                param_hint="--field-resolver",
            )
        if column.strip() in names:
            raise typer.BadParameter(
                f"{column.strip()} is given twice", param_hint="--field-resolver"
            )
        names[column.strip()] = name.strip()
    return ReadOptions(form, names, content)


def check_expression(target: str) -> None:
    """Check the regular expression of `--target`, before anything is started.

    Raises:
        typer.BadParameter: it is not a regular expression.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of what it may mean in a later Python
            re.compile(target)
    except re.error as error:
        place = "" if error.pos is None else f"\n  {target}\n  {' ' * error.pos}^"
        raise typer.BadParameter(
            f"not a regular expression: {error.msg}{place}", param_hint="--target"
        ) from None
    except (RecursionError, OverflowError) as error:
        raise typer.BadParameter(
            f"not a usable regular expression: {error}", param_hint="--target"
        ) from None
