"""Options that several commands have: one spelling, one help text."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

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
    ),
]
FieldResolver = Annotated[
    list[str] | None,
    typer.Option("--field-resolver", help="Read columns or keys as others: question=text,url=uri"),
]
Content = Annotated[
    str,
    typer.Option(
        help="Of a file that is one Document: text, buffer, none (its uri alone), or auto"
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameters", "-p", help="key=value, value in JSON or text; or a JSON map"),
]
