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
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameters", "-p", help="key=value, value in JSON or text; or a JSON map"),
]
