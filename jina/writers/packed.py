"""Results in gzip, in members: one for what a reply brought, so that a file may be cut at each."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import IO

from jina.writers.base import Writer

_LEVEL = 6  # as `gzip` has it


class Packed(Writer):
    """Packs what another writer writes.

    Args:
        inner: the other one.
    """

    def __init__(self, inner: Writer) -> None:
        self._inner = inner

    @property
    def is_behind(self) -> bool:
        """See Writer."""
        return self._inner.is_behind

    def take_up(self, file: IO[bytes]) -> None:
        """See Writer."""
        with gzip.GzipFile(fileobj=file) as unpacked:
            self._inner.take_up(unpacked)  # type: ignore[arg-type]  # it is read like any file

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer."""
        return _packed(self._inner.written(lines))

    def end(self) -> bytes:
        """See Writer."""
        return _packed(self._inner.end())

    def notes(self) -> Sequence[str]:
        """See Writer."""
        return self._inner.notes()


def _packed(data: bytes | memoryview) -> bytes:
    # Without a time in it, the same results give the same bytes.
    return gzip.compress(data, _LEVEL, mtime=0) if data else b""
