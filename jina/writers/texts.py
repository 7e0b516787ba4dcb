"""The texts of results alone, one in each line."""

from __future__ import annotations

from collections.abc import Sequence

from jina.writers.base import Writer
from jina.writers.results import fields_of, text_of


class Texts(Writer):
    """A line for each result: its text, in which a space stands for each line end.

    A failed result, and one without a text, has an empty line.
    """

    def __init__(self) -> None:
        self._failed = 0

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer."""
        return "".join(map(self._line, bytes(lines).splitlines())).encode()

    def _line(self, line: bytes) -> str:
        result = fields_of(line)
        self._failed += "error" in result
        text = text_of(result["text"]) if "text" in result else ""
        return " ".join(text.splitlines()) + "\n"

    def notes(self) -> Sequence[str]:
        """See Writer."""
        if not self._failed:
            return ()
        return (f"there is an empty line for each of {self._failed:,} failed Documents",)
