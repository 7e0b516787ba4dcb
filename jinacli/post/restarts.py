"""Tell somebody who waits for a post that a worker of the Flow has died and is started again.

Requests wait for it meanwhile, and nothing else would say why.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from jina.launch.logreading import LogReader
from jina.launch.rundir import FlowRecord
from jina.launch.runlog import EVENT, LogLine
from jina.terminal_text import escaped

_LOOK_S = 0.25
_ERASE = "\r\x1b[K"  # of a progress that is drawn


@contextlib.contextmanager
def restarts_told(record: FlowRecord) -> Iterator[None]:
    """Tell of them on standard error, a terminal, from entering to leaving the `with` block.

    Args:
        record: of a Flow that runs; its log says what happens.
    """
    if not record.log:
        yield
        return
    is_over = threading.Event()
    with LogReader(Path(record.log)) as reader:
        reader.skip()
        thread = threading.Thread(
            target=_follow, args=(reader, is_over), name="restarts", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def _follow(reader: LogReader, is_over: threading.Event) -> None:
    told: set[str] = set()
    while not is_over.wait(_LOOK_S):
        for text in filter(None, [_words(line, told) for line in reader.read()]):
            with contextlib.suppress(OSError, ValueError):  # nobody can be told
                sys.stderr.write(f"{_ERASE}{escaped(text)}\n")
                sys.stderr.flush()


def _words(line: LogLine, told: set[str]) -> str:
    """What is said of a line; "" for nothing."""
    if line.kind != EVENT or not line.worker:
        return ""
    if "; restarting " in line.text:
        told.add(line.worker)
        return f"{line.worker} {line.text}"
    if line.text.endswith("it will not be restarted"):
        return f"error: {line.worker} {line.text.removeprefix('error: ')}"
    if line.worker in told and line.text.startswith("is ready"):
        told.discard(line.worker)
        return f"{line.worker} is ready again"
    return ""
