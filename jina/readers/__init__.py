"""Input files and standard input, as raw chunks of lines or as Documents.

JSON lines pass as they are: who needs Documents parses them with jina.records.jsonlines. The other
formats become JSON lines, or Documents where lines cannot hold them.
"""

from __future__ import annotations

from jina.readers.formats import FORMATS
from jina.readers.options import CONTENTS, ReadOptions
from jina.readers.source import Chunk, LineSource, open_inputs

__all__ = ["CONTENTS", "FORMATS", "Chunk", "LineSource", "ReadOptions", "open_inputs"]
