"""One input, as it was found: what the readers are given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Input(NamedTuple):
    """One input that was checked."""

    name: str
    """As the user gave it, but printable; "<stdin>" for standard input."""
    path: Path | None
    """None for standard input."""
    size_bytes: int | None
    """On disk; None when it is no regular file."""
    is_gzip: bool
    is_fifo: bool
    format: str = "jsonl"
    """One of jina.readers.formats.FORMATS."""


def shown(name: str) -> str:
    """A file's name as text that can be sent and shown: bytes that are no UTF-8 are escaped."""
    return os.fsencode(name).decode(errors="backslashreplace")
