"""Turn each line into a JSON line: plain text, or JSON lines whose keys get other names.

A line stays one line, so line numbers, and with them ids and messages, are those of the source.
"""

from __future__ import annotations

from typing import Any

import msgspec

from jina.excepts import BadDocType
from jina.readers.lines import CutLines, LineCutter, Refused, not_utf8
from jina.readers.options import Renames
from jina.records.bad_lines import id_of
from jina.records.mapping import resolved

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _EachLine:
    """What both cutters share: each line is replaced by another, or refused, in its place.

    Args:
        max_line_bytes: see LineCutter.
        first_line: see LineCutter.
    """

    def __init__(self, max_line_bytes: int, first_line: int) -> None:
        self._lines = LineCutter(max_line_bytes, first_line)

    @property
    def held_bytes(self) -> int:
        """See Cutter."""
        return self._lines.held_bytes

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
        out = self._replaced(cut.data.split(b"\n")[:-1], refused)
        return cut._replace(pieces=[b"\n".join([*out, b""])], refused=tuple(refused))

    def _replaced(self, lines: list[bytes], refused: list[Refused]) -> list[bytes]:
        """A line of JSON for each; empty for a blank one, and for one that is put in `refused`."""
        raise NotImplementedError


class TextCutter(_EachLine):
    """Makes a Document of each line that is not blank.

    Args:
        max_line_bytes: see LineCutter.
        key: the field or tag that gets the line.
        first_line: see LineCutter.
    """

    def __init__(self, max_line_bytes: int, key: str = "text", first_line: int = 1) -> None:
        super().__init__(max_line_bytes, first_line)
        self._key = key

    def _replaced(self, lines: list[bytes], refused: list[Refused]) -> list[bytes]:
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
    """Gives the keys of JSON lines other names; values stay as they are.

    A line that is not a JSON object is passed on as it is: the parser will say what is wrong.

    Args:
        max_line_bytes: see LineCutter.
        renames: new names for keys.
        first_line: see LineCutter.
    """

    def __init__(self, max_line_bytes: int, renames: Renames, first_line: int = 1) -> None:
        super().__init__(max_line_bytes, first_line)
        self._renames = renames

    def _replaced(self, lines: list[bytes], refused: list[Refused]) -> list[bytes]:
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
