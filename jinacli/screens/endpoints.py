"""Draw what the Executors of a Flow serve: a table, and below each row what its method does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import UNSET

from jina.terminal_text import cell, escaped
from jina.wire.described import Parameter
from jinacli.screens.columns import in_columns, screen_width, wrapped

_INDENT = "    "
_MOST_DEFAULT = 60  # characters of a default


class Row(NamedTuple):
    """One endpoint of one Executor.

    Attributes:
        endpoint: such as "/index".
        executor: name of its node.
        method: such as "MyExecutor.index".
        place: `executor.py:12`, where that is written.
        doc: its docstring.
        parameters: that it reads.
        about: the description of its Executor.
    """

    endpoint: str
    executor: str
    method: str = ""
    place: str = ""
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    about: str = ""


def endpoints_table(rows: Sequence[Row]) -> str:
    """The rows in plain columns, each with the first line of its docstring and its parameters."""
    cells: list[tuple[str, ...]] = [("ENDPOINT", "EXECUTOR", "METHOD", "WRITTEN AT")]
    cells += [tuple(map(escaped, row[:4])) for row in rows]
    below = [(), *map(_details, rows)]
    lines = in_columns(cells).split("\n")
    if len(lines) == len(cells):
        told = [
            line
            for first, more in zip(lines, below, strict=True)
            for line in (first, *_indented(more))
        ]
    else:  # it does not fit: everything of a row stands below its first cell
        most = max(map(len, below))
        padded = [(*more, *[""] * (most - len(more))) for more in below]
        narrow = [(*row, *more) for row, more in zip(cells, padded, strict=True)]
        told = in_columns(narrow).split("\n")
    return "\n".join([*told, *_descriptions(rows)])


def _indented(texts: Iterable[str]) -> list[str]:
    width = screen_width() - len(_INDENT)
    return [f"{_INDENT}{line}" for text in texts for line in wrapped(text, width)]


def _details(row: Row) -> tuple[str, ...]:
    first = row.doc.strip().partition("\n")[0]
    read = ", ".join(map(in_words, row.parameters))
    return tuple(cell(each) for each in (first, f"parameters: {read}" if read else "") if each)


def _descriptions(rows: Iterable[Row]) -> list[str]:
    """What the Executors are, below the table."""
    about = {row.executor: row.about for row in rows if row.about}
    told = [cell(f"{name}: {text}") for name, text in about.items()]
    lines = [line for text in told for line in wrapped(text, screen_width())]
    return ["", *lines] if lines else []


def in_words(parameter: Parameter) -> str:
    """A parameter as Python has it: `top_k: int = 10`, `name (required)`."""
    kind = f": {parameter.type}" if parameter.type else ""
    needed = " (required)" if parameter.is_required else ""
    if parameter.default is UNSET:
        return f"{parameter.name}{kind}{needed}"
    default = json.dumps(parameter.default, ensure_ascii=False)
    if len(default) > _MOST_DEFAULT:
        default = f"{default[:_MOST_DEFAULT]}…"
    return f"{parameter.name}{kind} = {default}{needed}"
