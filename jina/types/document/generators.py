"""Documents out of files and arrays: the published path of `jina.types.sources`."""

from __future__ import annotations

from jina.types.sources import from_csv, from_files, from_lines, from_ndarray, from_ndjson

__all__ = ["from_csv", "from_files", "from_lines", "from_ndarray", "from_ndjson"]
