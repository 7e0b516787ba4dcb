"""The list of the Executors that a catalogue has."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from jina.terminal_text import one_line
from jinacli.screens.columns import in_columns


def show_catalogue(found: Mapping[str, str]) -> None:
    """Print a line for each Executor.

    Args:
        found: name -> what it does.
    """
    rows = [(name, one_line(text)) for name, text in found.items()]
    if rows:
        sys.stdout.write(f"{in_columns(rows)}\n")
