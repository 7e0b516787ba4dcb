"""The Executor of the lanes: it takes as long for a Document as a small encoder."""

from __future__ import annotations

import os
import time
from typing import Any

from jina import DocumentArray, Executor, requests

WORK_NS = 100_000


class Encoder(Executor):
    """Uses a core for 100 µs for each Document."""

    @requests(on="/encode")
    def encode(self, docs: DocumentArray, **kwargs: Any) -> None:
        """Tags say which process it was, and from when to when this call took, in seconds."""
        began = time.time()
        for _ in docs:
            until = time.thread_time_ns() + WORK_NS
            while time.thread_time_ns() < until:
                pass
        ended = time.time()
        for doc in docs:
            doc.tags.update(pid=os.getpid(), began=began, ended=ended)
