"""Values and texts as YAML that is written by hand."""

from __future__ import annotations

import json
import re
from textwrap import indent

# What a block of YAML cannot hold as it is.
_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|[\x85\u2028\u2029]"
)


def quoted(value: str) -> str:
    """A text as YAML, whatever is in it."""
    return json.dumps(value)


def block(text: str, spaces: int) -> str:
    """A text of several lines as YAML: as it is where that is possible, else quoted.

    Args:
        text: of a file.
        spaces: before each line.
    """
    is_plain = text.endswith("\n") and text[:1] not in (" ", "\t", "\n")
    if not is_plain or _UNPRINTABLE.search(text):
        return quoted(text)
    kept = len(text) - len(text.rstrip("\n"))
    body = indent(text, " " * spaces, lambda line: line != "\n").rstrip("\n")
    return f"|{'+' if kept > 1 else ''}\n{body}" + "\n" * (kept - 1)
