"""Loggers below the logger `jina`; each process adds its own handlers."""

from __future__ import annotations

from jina.logging.logger import JinaLogger
from jina.logging.predefined import default_logger

__all__ = ["JinaLogger", "default_logger"]
