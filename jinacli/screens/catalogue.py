"""The list of the Executors that a catalogue has."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from jina.terminal_text import one_line


def show_catalogue(found: Mapping[str, str]) -> None:
    """Print a line for each Executor.

    Args:
        found: name -> what it does.
    """
    width = max(map(len, found), default=0)
    for name, text in found.items():
        sys.stdout.write(f"{name.ljust(width)}  {one_line(text)}".rstrip() + "\n")
