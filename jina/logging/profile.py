"""Measure how long a block takes, as published Executors do."""

from __future__ import annotations

import time
from typing import Any, Self

from jina.logging.logger import JinaLogger


class TimeContext:
    """Logs how long a `with` block took.

    Args:
        task_name: the block's name in the log lines.
        logger: anything with `info`; a JinaLogger if None.

    Attributes:
        duration: in seconds; set when the block ends.
        readable_duration: the same in words.
    """

    def __init__(self, task_name: str, logger: Any = None) -> None:
        """See the class."""
        self.task_name = task_name
        self.duration = 0.0
        self.readable_duration = ""
        self._logger = logger or JinaLogger("timer")
        self._start = 0.0

    def now(self) -> float:
        """Return the seconds since the block began."""
        return time.perf_counter() - self._start

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        self._logger.info("%s ...", self.task_name)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.duration = self.now()
        self.readable_duration = readable(self.duration)
        self._logger.info("%s takes %s", self.task_name, self.readable_duration)


def readable(seconds: float) -> str:
    """Return a duration in words: "0.25 seconds", "3 minutes and 5 seconds"."""
    if seconds < 60:
        return f"{seconds:.2f} seconds"
    parts = []
    rest = round(seconds)
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
