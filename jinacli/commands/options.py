"""Options that several commands have: one spelling, one help text."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def _formats() -> list[str]:
    # Late: see jinacli.app.
    from jina.readers import FORMATS

    return ["auto", *FORMATS]


NoImport = Annotated[
    bool, typer.Option("--no-import", help="Look at the YAML alone, import no modules")
]
OutputFormat = Annotated[
    Literal["full", "concise", "json", "github"], typer.Option(help="How findings are written")
]
InputFormat = Annotated[
    str,
    typer.Option(
        "--format",
        help="Of all inputs: auto (by the name), jsonl, json, csv, tsv, text, npy, npz, parquet, "
        "arrow, or files (each one Document)",
        autocompletion=_formats,
    ),
]
FieldResolver = Annotated[
    list[str] | None,
    typer.Option("--field-resolver", help="Read columns or keys as others: question=text,url=uri"),
]
Content = Annotated[
    str,
    typer.Option(
        help="Of a file that is one Document: text, buffer, none (its uri alone), or auto",
        autocompletion=lambda: ["auto", "text", "buffer", "none"],
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameters",
        "-p",
        help="key=value, outer.key=value, a JSON map, or @FILE with a map in YAML",
    ),
]


def check_given(*options: tuple[str, str | None]) -> None:
    """Refuse an option that was given an empty value, such as `--flow "$NAME"` with NAME unset.

    Args:
        *options: how each is named, and its value; None when it was not given.

    Raises:
        typer.BadParameter: naming the first that is empty.
    """
    for name, value in options:
        if value == "":
            raise typer.BadParameter("is empty", param_hint=name)


def is_text(value: str) -> bool:
    """Whether a word of the command line is UTF-8; file names need not be."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
