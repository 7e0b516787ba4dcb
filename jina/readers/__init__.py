"""Read input files and standard input, as raw chunks of lines or as Documents.

JSON lines are passed on as they are; jina.records.jsonlines parses them. Other formats become JSON
lines, or Documents where lines cannot hold them.
"""

from __future__ import annotations

from jina.readers.formats import FORMATS
from jina.readers.options import CONTENTS, ReadOptions
from jina.readers.source import Chunk, LineSource, open_inputs

__all__ = ["CONTENTS", "FORMATS", "Chunk", "LineSource", "ReadOptions", "open_inputs"]
