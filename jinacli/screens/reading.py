"""How inputs are read: what the options of a command line say."""

from __future__ import annotations

import typer

from jina.readers import CONTENTS, FORMATS, LineSource, ReadOptions
from jina.suggest import nearest
from jinacli.screens.errors import say


def read_options(form: str, resolver: list[str], content: str) -> ReadOptions:
    """Check the options.

    Args:
        form: one of FORMATS, or "auto".
        resolver: pairs such as "question=text", several of them with commas between.
        content: one of CONTENTS.

    Raises:
        typer.BadParameter: naming the option.
    """
    if form not in ("auto", *FORMATS):
        raise typer.BadParameter(f"must be auto, {', '.join(FORMATS)}", param_hint="--format")
    if content not in CONTENTS:
        raise typer.BadParameter(f"must be {', '.join(CONTENTS)}", param_hint="--content")
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
                f"{column.strip()} is named twice", param_hint="--field-resolver"
            )
        names[column.strip()] = name.strip()
    return ReadOptions(form, names, content)


def say_unmet(reading: ReadOptions, lines: LineSource | None) -> None:
    """Say which names of `--field-resolver` nothing had that was read.

    Tables and arrays refuse such a name; each object of JSON has keys of its own, and the last one
    might have had it.

    Args:
        reading: the options.
        lines: read; None where there were texts, which have no keys.
    """
    unmet = reading.resolver.keys() if lines is None else lines.renames.unmet
    if not unmet:
        return
    first = lines.renames.first if lines is not None else ()
    for name in reading.resolver:
        if name in unmet:
            near = nearest(name, first)
            meant = f'; did you mean "{near}"?' if near else ""
            say(f'note: --field-resolver: nothing that was read has "{name}"{meant}')
    if first:
        say(f"help: the first that lacks it has {', '.join(first)}")
