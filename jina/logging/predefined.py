"""The logger that published code shares: `from jina.logging.predefined import default_logger`."""

from __future__ import annotations

from jina.logging.logger import JinaLogger

__all__ = ["default_logger"]

default_logger = JinaLogger("jina")
