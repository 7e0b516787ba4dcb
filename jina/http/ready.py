"""Tell whoever started a front how far it is, on a pipe that it inherited."""

from __future__ import annotations

import contextlib
import os

from jina.graph.http import MET, SERVES


class Ready:
    """The end of the pipe in a front: one byte when it serves, one when it has met its Flow.

    Args:
        descriptor: of the pipe; -1 if nobody listens.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left = {SERVES, MET}

    def tell(self, what: bytes) -> None:
        """Say one of both; each is said once."""
        if self._descriptor < 0 or what not in self._left:
            return
        self._left.discard(what)
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.write(self._descriptor, what)
        if not self._left:
            os.close(self._descriptor)
            self._descriptor = -1
