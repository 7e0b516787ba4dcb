"""Input files and standard input, as raw chunks of lines.

Byte work only: who needs Documents parses the chunks with jina.types.jsonlines.
"""

from __future__ import annotations

from jina.readers.source import Chunk, LineSource, open_inputs

__all__ = ["Chunk", "LineSource", "open_inputs"]
