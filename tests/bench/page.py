"""Put the figures of a run into the page that shows them, docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_HEADING = "## Figures\n"


def write_figures(page: Path, printed: Sequence[str]) -> None:
    """Replace everything below the page's heading "Figures".

    Args:
        page: a Markdown file with that heading.
        printed: what the run printed; its headings become one level lower.

    Raises:
        ValueError: the page does not have the heading.
    """
    before, found, _ = page.read_text(encoding="utf-8").partition(_HEADING)
    if not found:
        raise ValueError(f"{page} has no heading {_HEADING.strip()!r}")
    lines = "\n".join(printed).strip("\n").splitlines()
    lowered = (f"#{line}" if line.startswith("#") else line for line in lines)
    page.write_text(before + _HEADING + "\n" + "\n".join(lowered) + "\n", encoding="utf-8")
