"""Loggers: a tree below `jina`; each process adds its handlers."""

from __future__ import annotations

from typing import Any

__all__ = ["JinaLogger", "default_logger"]


def __getattr__(name: str) -> Any:
    """Give the names that published code also imports from here."""
    if name == "JinaLogger":
        # Late: other modules of this folder need neither.
        from jina.logging.logger import JinaLogger

        return JinaLogger
    if name == "default_logger":
        from jina.logging.predefined import default_logger

        return default_logger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
