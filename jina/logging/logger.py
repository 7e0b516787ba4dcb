"""`JinaLogger`, the logger that published Executors make for themselves.

It is a thin layer over Python's logging: a child of the logger `jina`. If the program has set up
logging, its settings apply. Otherwise, as in a worker, lines go to standard error as in Jina 2:
from `INFO` upwards, or from the level in `JINA_LOG_LEVEL`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

_SUCCESS = 25  # between INFO and WARNING, as Jina 2 has it
_LEVELS = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "SUCCESS": _SUCCESS,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}


class JinaLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger for one thing: an Executor, a script.

    Args:
        context: name of the thing, shown with each line.
        name: the older name of `context`, used if `context` is empty.
        log_config: no effect; in Jina 2, the path of a file.
        **kwargs: no effect; Jina 2 passes `runtime_args`, for one.
    """

    def __init__(
        self, context: str = "", name: str | None = None, log_config: Any = None, **kwargs: Any
    ) -> None:
        """See the class."""
        # A dot would make it the child of a logger that does not exist.
        label = (context or name or "executor").replace(".", "_")
        super().__init__(logging.getLogger("jina" if label == "jina" else f"jina.{label}"), {})

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's name
        """Whether lines of this level are shown; set up logging first if nobody has."""
        _set_up()
        return super().isEnabledFor(level)

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Return the message as it is: the logger's name says where it comes from."""
        return msg, kwargs

    def success(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log that something worked, at a level between info and warning."""
        self.log(_SUCCESS, msg, *args, **kwargs)

    def close(self) -> None:
        """Do nothing: the process owns the handlers."""

    def __enter__(self) -> JinaLogger:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class _OnStandardError(logging.StreamHandler[Any]):
    """Writes to whatever `sys.stderr` is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        self.stream = sys.stderr
        super().emit(record)


def _set_up() -> None:
    root = logging.getLogger("jina")
    if root.hasHandlers():
        return
    logging.addLevelName(_SUCCESS, "SUCCESS")
    handler = _OnStandardError()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    if root.level == logging.NOTSET:
        root.setLevel(_LEVELS.get(os.environ.get("JINA_LOG_LEVEL", "").upper(), logging.INFO))
