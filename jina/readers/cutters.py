"""Choose the cutter that turns a stream of a given format into JSON lines."""

from __future__ import annotations

from jina.readers.delimited import DelimitedCutter
from jina.readers.jsonarray import JsonArrayCutter
from jina.readers.lines import Cutter
from jina.readers.options import Renames
from jina.readers.text import RenamingCutter, TextCutter


def new_cutter(
    form: str, renames: Renames, name: str, max_line_bytes: int, first_line: int = 1
) -> Cutter:
    """The cutter for a stream; JSON lines that keep their keys need only a LineCutter.

    Args:
        form: one of jina.readers.formats.STREAMED.
        renames: new names for keys and columns.
        name: of the input, for messages.
        max_line_bytes: most bytes of a line, row or element.
        first_line: number of the first line, of JSON lines and text.
    """
    if form == "json":
        return JsonArrayCutter(name, renames, max_line_bytes)
    if form in ("csv", "tsv"):
        renames.meet(renames.resolver)  # the table itself refuses names that no column has
        return DelimitedCutter(form, name, renames.resolver, max_line_bytes)
    if form == "text":
        renames.meet(["text"])
        return TextCutter(max_line_bytes, renames.resolver.get("text", "text"), first_line)
    return RenamingCutter(max_line_bytes, renames, first_line)
