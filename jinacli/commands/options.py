"""Options that several commands have: one spelling, one help text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from jinacli.flow.given import Given


def _formats() -> list[str]:
    # Late: see jinacli.app.
    from jina.readers import FORMATS

    return ["auto", *FORMATS]


NoImport = Annotated[
    bool, typer.Option("--no-import", help="Only check the YAML, without importing modules")
]
OutputFormat = Annotated[
    Literal["full", "concise", "json", "github", "sarif"],
    typer.Option(help="Format of the findings"),
]
ErrorOnWarning = Annotated[
    bool, typer.Option("--error-on-warning", help="Exit with 1 for warnings too")
]
ExitZero = Annotated[
    bool, typer.Option("--exit-zero", help="Exit with 0 even if there are findings")
]
InputFormat = Annotated[
    str,
    typer.Option(
        "--format",
        help="Format of all inputs: auto (by file name), jsonl, json, csv, tsv, text, npy, "
        "npz, parquet, "
        "arrow, or files (one Document per file)",
        autocompletion=_formats,
    ),
]
Select = Annotated[
    list[str] | None,
    typer.Option("--select", help="Only these fields of the results: id,uri,embedding,tags.price"),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Leave out these fields of the results: blob,buffer"),
]
FieldResolver = Annotated[
    list[str] | None,
    typer.Option("--field-resolver", help="Rename columns or keys: question=text,url=uri"),
]
Content = Annotated[
    str,
    typer.Option(
        help="Content of a file that becomes one Document: text, buffer, none (only its uri), "
        "or auto",
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

FlowOption = Annotated[
    str | None, typer.Option("--flow", hidden=True, help="Same as FLOW, as in other commands")
]
FlowFile = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILE]",
        help="Flow YAML, or - for standard input; default: flow.yml here or in a parent folder",
    ),
]
FurtherFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "-f",
        help="YAML to merge into the previous one, executors by name; repeatable",
        rich_help_panel="Flow",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Override a value, as in executors.encoder.with.batch=32; repeatable",
        rich_help_panel="Flow",
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        help="Read variables for the YAML from this file; the shell takes precedence",
        rich_help_panel="Flow",
    ),
]


def given_flow(
    file: str | None,
    further: list[Path] | None,
    settings: list[str] | None,
    env_file: Path | None,
) -> Given:
    """The Flow that a command's arguments name.

    Args:
        file: FILE; None takes the first of `further`, else that of the folder.
        further: `--file`.
        settings: `--set`.
        env_file: `--env-file`.

    Raises:
        typer.BadParameter: there is no file, or that of the variables cannot be read.
    """
    # Late: see jinacli.app.
    from jinacli.flow.given import Given, source_of
    from jinacli.flow.here import file_here

    names = [*([file] if file else []), *map(str, further or [])]
    base, *overlays = names or [file_here()]
    if "-" in overlays:
        raise typer.BadParameter("standard input can only be the first file", param_hint="--file")
    check_env_file(env_file)
    return Given(source_of(base), tuple(map(Path, overlays)), tuple(settings or ()), env_file)


def check_env_file(env_file: Path | None) -> None:
    """Refuse an `--env-file` that is not there."""
    if env_file is not None and not env_file.is_file():
        raise typer.BadParameter(f"no such file: {env_file}", param_hint="--env-file")


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


def one_flow(flow: str | None, as_option: str | None) -> str:
    """The Flow of a command that takes it as an argument, and as `--flow` like others.

    Args:
        flow: FLOW.
        as_option: `--flow`, which wins over a FLOW that only the environment has.

    Returns:
        its name or file; "" for the only one that runs.

    Raises:
        typer.BadParameter: one of them is empty.
    """
    check_given(("FLOW", flow), ("--flow", as_option))
    return as_option or flow or ""


def is_text(value: str) -> bool:
    """Whether a word of the command line is UTF-8; file names need not be."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
