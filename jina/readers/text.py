"""Plain lines of text, and JSON lines with other names for their keys, as JSON lines.

A line stays a line: numbers, and with them ids and messages, are those of the source.
"""

from __future__ import annotations

from typing import Any

import msgspec

from jina.excepts import BadDocType
from jina.readers.lines import CutLines, LineCutter, Refused
from jina.readers.options import Renames
from jina.records.bad_lines import id_of
from jina.records.mapping import resolved

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _EachLine:
    """What both cutters are: each line is made another one, or refused, and stays in its place.

    Args:
        max_line_bytes: see LineCutter.
    """

    def __init__(self, max_line_bytes: int) -> None:
        self._lines = LineCutter(max_line_bytes)

    def feed(self, block: bytes) -> None:
        """See Cutter."""
        self._lines.feed(block)

    def finish(self) -> None:
        """See Cutter."""
        self._lines.finish()

    def take(self, max_lines: int, max_bytes: int, *, partial: bool = False) -> CutLines | None:
        """See Cutter."""
        cut = self._lines.take(max_lines, max_bytes, partial=partial)
        if cut is None:
            return None
        refused: list[Refused] = []
        out = self._made_of(cut.data.split(b"\n")[:-1], refused)
        return cut._replace(data=b"\n".join([*out, b""]), refused=tuple(refused))

    def _made_of(self, lines: list[bytes], refused: list[Refused]) -> list[bytes]:
        """A line of JSON for each, empty for a blank one and for one that is added to `refused`."""
        raise NotImplementedError


class TextCutter(_EachLine):
    """Makes each line that is not blank one Document.

    Args:
        max_line_bytes: see LineCutter.
        key: what holds the line; a field, or a tag.
    """

    def __init__(self, max_line_bytes: int, key: str = "text") -> None:
        super().__init__(max_line_bytes)
        self._key = key

    def _made_of(self, lines: list[bytes], refused: list[Refused]) -> list[bytes]:
        out: list[bytes] = []
        for row, line in enumerate(lines):
            try:
                text = line.decode().rstrip("\r")
            except UnicodeDecodeError as err:
                refused.append(Refused(row, not_utf8(err)))
                text = ""
            out.append(_encode({self._key: text}) if text.strip() else b"")
        return out


class RenamingCutter(_EachLine):
    """Gives the keys of JSON lines other names; no value is touched.

    A line that is no JSON object passes as it is: who parses it says what is wrong.

    Args:
        max_line_bytes: see LineCutter.
        renames: new names for keys.
    """

    def __init__(self, max_line_bytes: int, renames: Renames) -> None:
        super().__init__(max_line_bytes)
        self._renames = renames

    def _made_of(self, lines: list[bytes], refused: list[Refused]) -> list[bytes]:
        out: list[bytes] = []
        for row, line in enumerate(lines):
            try:
                out.append(renamed(line, self._renames))
            except BadDocType as err:
                refused.append(Refused(row, err.what, id_of(line)))
                out.append(b"")
        return out


def renamed(line: bytes, renames: Renames) -> bytes:
    """A JSON object with other names for its keys; anything else as it is.

    Raises:
        BadDocType: two keys get the same name.
    """
    try:
        value: dict[str, Any] = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return line
    if value.keys() == {"document", "groundtruth"}:
        pair = {key: msgspec.Raw(renamed(bytes(part), renames)) for key, part in value.items()}
        return _encode(pair)
    renames.meet(value)
    return _encode(resolved(value, renames.resolver))


def not_utf8(err: UnicodeDecodeError) -> str:
    """Which byte of a line is wrong, counted from 1; in the words of jina.records.jsonlines."""
    return f"not UTF-8: byte 0x{err.object[err.start]:02x} at byte {err.start + 1}"
