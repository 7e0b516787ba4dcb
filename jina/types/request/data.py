"""The path of `Response` in the later Jina 2 releases."""

from __future__ import annotations

from jina.types.request import DataRequest, Response

__all__ = ["DataRequest", "Response"]
