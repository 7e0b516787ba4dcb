"""The progress of a post, for people at a terminal: bytes read, outcomes written, time left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from jina.readers import LineSource
from jinacli.color import console_for


@contextlib.contextmanager
def progress_of(lines: LineSource | None) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of outcomes; it shows them if a person looks.

    Args:
        lines: that are read; None to show nothing.
    """
    if lines is None or not (sys.stderr.isatty() and sys.stdout.isatty()):
        yield lambda outcomes: None
        return
    with _bar(lines) as update:
        yield update


@contextlib.contextmanager
def _bar(lines: LineSource) -> Iterator[Callable[[int], None]]:
    """Draw a bar on standard error."""
    # Late: rich is only needed where people look.
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TextColumn("{task.fields[outcomes]:,} outcomes"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console_for(sys.stderr), transient=True) as progress:
        task = progress.add_task("post", total=lines.total_bytes, outcomes=0)

        def update(outcomes: int) -> None:
            progress.update(task, completed=lines.bytes_read, outcomes=outcomes)

        yield update
