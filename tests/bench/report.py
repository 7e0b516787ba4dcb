"""Tables of medians and ratios, for people and as JSON."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Value = str | float | None
_PACKAGES = ("jinacli", "pyzmq", "msgspec", "msgpack", "orjson", "numpy")


@dataclass
class Figure:
    """A figure that the project promises to keep below a limit."""

    name: str
    value: float
    limit: float
    """The most that it may be."""
    is_difference: bool = False
    """Whether it may be negative; a time or a ratio that is not positive means nothing."""

    @property
    def verdict(self) -> str:
        """Whether the limit is kept, in words."""
        if not (self.value > 0 or self.is_difference):
            return "no verdict, too few Documents to tell"
        return "reached" if self.value <= self.limit else "MISSED"


@dataclass
class Table:
    """One table of a case."""

    title: str
    columns: Sequence[str]
    rows: list[list[Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Every single run, for the JSON file."""

    def text(self) -> str:
        """Return the table as Markdown."""
        cells = [list(self.columns), *([_shown(value) for value in row] for row in self.rows)]
        widths = [max(len(row[at]) for row in cells) for at in range(len(self.columns))]
        lines = [f"### {self.title}", ""]
        for number, row in enumerate(cells):
            padded = (
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            lines.append(f"| {' | '.join(padded)} |")
            if number == 0:
                rule = (
                    "-" * width if at == 0 else "-" * (width - 1) + ":"
                    for at, width in enumerate(widths)
                )
                lines.append(f"| {' | '.join(rule)} |")
        lines += ["", *self.notes] if self.notes else []
        if self.figures:
            lines.append("")
            for figure in self.figures:
                lines.append(
                    f"- {figure.name}: {figure.value:.2f} (at most {figure.limit:g}):"
                    f" {figure.verdict}"
                )
        return "\n".join(lines) + "\n"


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if value == 0:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def environment() -> dict[str, str]:
    """Return the interpreter, the system and the versions that the run used."""
    found = {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def as_json(table: Table) -> dict[str, Any]:
    """Return everything in a table, including every single run."""
    return asdict(table)
