"""Progress of a post: bytes read, outcomes written, time left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from jina.readers import LineSource


@contextlib.contextmanager
def show_progress(lines: LineSource) -> Iterator[Callable[[int], None]]:
    """Draw a bar on standard error; yields a function to call with the number of outcomes."""
    columns = (
        BarColumn(),
        TextColumn("{task.fields[outcomes]:,} outcomes"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("post", total=lines.total_bytes, outcomes=0)

        def update(outcomes: int) -> None:
            progress.update(task, completed=lines.bytes_read, outcomes=outcomes)

        yield update
