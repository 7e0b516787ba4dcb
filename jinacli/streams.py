"""The standard streams that were closed when the command began."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

closed: set[str] = set()
"""Their names, of "stdin", "stdout" and "stderr"."""


def open_closed_streams() -> None:
    """Put /dev/null where a standard stream was closed (`>&-`): a socket would take its number."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            closed.add(name)
            if (null := os.open(os.devnull, os.O_RDWR)) != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", closefd=False))


def escape_foreign_letters() -> None:
    """Have what standard output cannot encode (`LC_ALL=C`, a name of other bytes) written escaped.

    Standard error does so by itself, and results are written as bytes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def forget(stream: TextIO) -> None:
    """Keep the interpreter's last flush from complaining about a closed pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
