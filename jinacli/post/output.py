"""Where the results of `jina post` go, and in which form."""

from __future__ import annotations

import sys
from collections.abc import Callable

from jina.client.results import ResultFile
from jina.excepts import OutputError
from jinacli.color import is_colored
from jinacli.streams import closed


def open_results(path: str) -> ResultFile:
    """Open the file of the results, "-" for standard output.

    Raises:
        InputError: it cannot be opened, or another post writes to it.
        OutputError: standard output is closed.
    """
    if path == "-" and "stdout" in closed:
        raise OutputError("standard output is closed", hint="name a file: --output FILE")
    return ResultFile(path)


def drawing(path: str, form: str) -> Callable[[bytes | memoryview], bytes | memoryview]:
    """A function that turns the lines of a reply into what is written.

    Args:
        path: as for `open_results`.
        form: "jsonl", "table", or "auto": a table where a person reads along.
    """
    is_terminal = path == "-" and sys.stdout.isatty()
    if form == "jsonl" or (form == "auto" and not is_terminal):
        return lambda lines: lines
    # Late: rich is only needed where people look.
    from jinacli.screens.documents import DocumentScreen

    return DocumentScreen(colored=is_colored(sys.stdout if path == "-" else None)).drawn
