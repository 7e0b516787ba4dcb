"""`JinaLogger`: the logger that published Executors make for themselves.

It is a thin name over Python's logging: a child of the logger `jina`, to which each process adds
its handlers.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

_SUCCESS = 25  # between INFO and WARNING, as Jina 2 has it


class JinaLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger for one thing: an Executor, a script.

    Args:
        context: name of the thing, shown with each line.
        name: older spelling; used where `context` is empty.
        log_config: accepted and ignored; Jina 2 read a file there.
        **kwargs: accepted and ignored, such as the `runtime_args` that Jina 2 passes.
    """

    def __init__(
        self, context: str = "", name: str | None = None, log_config: Any = None, **kwargs: Any
    ) -> None:
        """See the class."""
        # A dot would make it a grandchild of something that does not exist.
        label = (context or name or "executor").replace(".", "_")
        super().__init__(logging.getLogger(f"jina.{label}"), {})

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Leave the message as it is; the logger's name says whose it is."""
        return msg, kwargs

    def success(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log that something worked: shown like info, only stronger."""
        self.log(_SUCCESS, msg, *args, **kwargs)

    def close(self) -> None:
        """Do nothing: the process owns the handlers."""

    def __enter__(self) -> JinaLogger:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
