"""What every format of results has in common, and JSON lines, the format that results come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO


class Writer:
    """Turns the JSON lines of replies into one format; by itself, it passes them on.

    A caller begins a file, or takes up what an earlier run has left, hands in the lines of each
    reply in their order, and ends.
    """

    @property
    def is_behind(self) -> bool:
        """Whether lines were handed in that nothing has been returned for yet."""
        return False

    def take_up(self, file: IO[bytes]) -> None:
        """Read what must be known of results that an earlier run has written.

        Args:
            file: at its beginning.
        """

    def written(self, lines: bytes | memoryview) -> bytes | memoryview:
        """What to write for the lines of a reply.

        Raises:
            OutputError: a result that the format cannot hold.
        """
        return lines

    def end(self) -> bytes:
        """What to write after the last reply."""
        return b""

    def complete(self, path: str) -> None:
        """Finish a file that is of use only as a whole.

        Args:
            path: of the file with everything that was written; it may be replaced.

        Raises:
            OutputError: there is nothing that the format could hold.
        """

    def notes(self) -> Sequence[str]:
        """What whoever reads the results should know, a sentence each; for the end."""
        return ()


class JsonList(Writer):
    """One JSON list, an element in each line."""

    def __init__(self) -> None:
        self._is_begun = False

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer."""
        elements = bytes(lines).strip().replace(b"\n", b",\n")
        if not elements:
            return b""
        start = b",\n" if self._is_begun else b"[\n"
        self._is_begun = True
        return start + elements

    def end(self) -> bytes:
        """See Writer."""
        return b"\n]\n" if self._is_begun else b"[]\n"
