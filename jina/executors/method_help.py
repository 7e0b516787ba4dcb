"""Help with what a method raised, which goes with the error to whoever reads it."""

from __future__ import annotations

import contextlib
import os
import sys

from jina.executors.empty_fields import add_help as add_empty_fields
from jina.executors.missing import missing_package
from jina.executors.user_errors import HELP
from jina.types.arrays.document import DocumentArray


def add_help(error: BaseException, executor: object, docs: DocumentArray | None) -> None:
    """Add a note to an error, if something is known that helps.

    Args:
        error: that a method raised.
        executor: whose method.
        docs: that it was given.
    """
    if not isinstance(error, ImportError):
        add_empty_fields(error, docs)
        return
    with contextlib.suppress(Exception):  # the error itself is what counts
        file = getattr(sys.modules.get(type(executor).__module__), "__file__", None) or ""
        folder = os.path.dirname(file)
        missing = missing_package(error, [folder, os.path.dirname(folder)] if folder else [])
        note = f"{HELP}{missing.help}" if missing else ""
        if note and note not in getattr(error, "__notes__", ()):
            error.add_note(note)
