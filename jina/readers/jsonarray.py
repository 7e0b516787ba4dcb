"""Turn a JSON list of Documents into JSON lines, one for each element.

Elements are found by their quotes and brackets; the parser will say what is wrong inside one.
An error between two elements ends the list there.
"""

from __future__ import annotations

import re

from jina.excepts import BadDocType, InputError
from jina.readers.lines import CutLines, Refused, too_long
from jina.readers.options import Renames
from jina.readers.text import renamed
from jina.records.bad_lines import id_of

_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb'[^ \t\r\n,\[\]{}":]*+')
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)  # up to its closing quote
_BETWEEN = re.compile(rb'[^"\[\]{}]*+')  # up to a bracket or a string
_NEWLINE_OR_STRING = re.compile(rb'\n|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def _nested(depth: int) -> bytes:
    """A pattern of brackets within brackets, `depth` deep, with no line end in a string."""
    within = rb'[^"\[\]{}]++|"(?:[^"\\\n]++|\\.)*+"'
    pattern = rb"[\[{](?:%b)*+[\]}]" % within
    for _ in range(depth):
        pattern = rb"[\[{](?:%b|%b)*+[\]}]" % (within, pattern)
    return pattern


_ELEMENT = re.compile(_nested(3))  # matches most elements whole; deeper ones take steps
_NEXT = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+(%b)" % _nested(3))  # after another one


class JsonArrayCutter:
    """Cuts the elements out of a list that arrives in blocks.

    Args:
        name: of the source, for messages.
        renames: new names for keys.
        max_bytes: a longer element is dropped while it is read, and refused.
    """

    def __init__(self, name: str, renames: Renames, max_bytes: int) -> None:
        self._name = name
        self._renames = renames
        self._max_bytes = max_bytes
        self._buffer = b""
        self._at = 0  # everything before it in the buffer has been read
        self._stage = "start"  # then "first", "after", "value", "after", …, "end"
        self._is_finished = False
        self._failure: InputError | None = None
        # Line ends are counted up to here; the line, and where in the buffer it begins.
        self._counted = 0
        self._line = 1
        self._line_start = 0  # negative when it began in an earlier block
        # The element whose end has not arrived yet.
        self._parts: list[bytes] | None = None
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._place = ""
        # The elements that are ready.
        self._ready: list[bytes] = []
        self._ready_bytes = 0
        self._places: list[str] = []
        self._refused: list[Refused] = []  # `row` is the element's number
        self._next = 1  # number of the first one that is ready

    @property
    def held_bytes(self) -> int:
        """See Cutter."""
        return len(self._buffer) - self._at + self._ready_bytes

    def feed(self, block: bytes) -> None:
        """See Cutter."""
        self._count_to(self._at)
        self._buffer = self._buffer[self._at :] + block
        self._line_start -= self._at
        self._counted = self._at = 0

    def finish(self) -> None:
        """See Cutter."""
        self._is_finished = True
        is_empty = self._stage == "start" and self._at == len(self._buffer)
        if is_empty or self._stage == "end" or self._failure is not None:
            return
        place = self._place if self._parts is not None else self._place_of(self._at)
        self._fail("the list is cut off: no ] at its end", place)

    def take(self, max_lines: int, max_bytes: int, *, partial: bool = False) -> CutLines | None:
        """See Cutter. A line is an element, and its number the element's."""
        ready = self._ready
        while len(ready) < max_lines and self._ready_bytes < max_bytes and self._cut_next():
            pass
        is_full = len(ready) >= max_lines or self._ready_bytes >= max_bytes
        is_last = self._is_finished or self._failure is not None
        if not ready or not (is_full or is_last or partial):
            if self._failure is not None and not ready:
                raise self._failure
            return None
        count = min(len(ready), max_lines)
        first, self._next = self._next, self._next + count
        cut = CutLines(
            [b"\n".join([*ready[:count], b""])],
            count,
            first,
            (),
            tuple(
                each._replace(row=each.row - first)
                for each in self._refused
                if each.row < self._next
            ),
            tuple(self._places[:count]),
        )
        self._refused = [each for each in self._refused if each.row >= self._next]
        self._ready_bytes -= sum(map(len, ready[:count]))
        del ready[:count], self._places[:count]
        return cut

    def _cut_next(self) -> bool:
        """Find the end of one more element; False when it has not arrived, or no more comes."""
        while self._failure is None:
            if self._parts is not None:
                return self._continue_element()
            if self._stage == "after" and (found := _NEXT.match(self._buffer, self._at)):
                # Nearly all elements; the rest of this loop would give the same, more slowly.
                self._place = self._place_of(found.start(1))
                return self._take_found(found[1], found.end())
            if self._stage == "start" and _BOM.startswith(head := self._buffer[:3]):
                if len(head) < len(_BOM):
                    return False
                self._at = self._counted = self._line_start = len(_BOM)
            self._at = at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]  # fits anything
            if at == len(self._buffer):
                return False
            if self._begins_element(self._buffer[at : at + 1]):
                self._place = self._place_of(at)
                # An element that does not match is cut step by step.
                found = _ELEMENT.match(self._buffer, at)
                if found is not None:
                    return self._take_found(found[0], found.end())
                self._parts, self._size, self._depth = [], 0, 0
        return False

    def _take_found(self, element: bytes, end: int) -> bool:
        self._at = end
        self._add(element.replace(b"\n", b" "), len(element))
        return True

    def _begins_element(self, sign: bytes) -> bool:
        """Take a character between elements; True when an element begins with it instead."""
        if self._stage == "start":
            if sign == b"[":
                self._stage = "first"
            else:
                self._fail(
                    "expected a JSON list, starting with [",
                    self._place_of(self._at),
                    hint="use --format jsonl for JSON lines, or put a single object in [ ]",
                )
        elif self._stage == "after":
            if sign == b",":
                self._stage = "value"
            elif sign == b"]":
                self._stage = "end"
            else:
                self._fail("expected a comma or ] after an element", self._place_of(self._at))
        elif self._stage == "end":
            self._fail("expected nothing after the list", self._place_of(self._at))
        elif sign == b"]" and self._stage == "first":
            self._stage = "end"
        elif sign in b",:]}":
            self._fail("expected an element", self._place_of(self._at))
        else:
            return True
        self._at += 1
        return False

    def _continue_element(self) -> bool:
        """Look further for the end of the element that has begun."""
        buffer, start, at = self._buffer, self._at, self._at
        is_whole = False
        while at < len(buffer):
            if self._in_string:
                at = _STRING.match(buffer, at).end()  # type: ignore[union-attr]  # fits anything
                if buffer[at : at + 1] != b'"':
                    break  # or at a backslash whose next character has not arrived
                at += 1
                self._in_string = False
                is_whole = not self._depth
            elif self._depth or (buffer[at] in b'"[{' and not self._size and at == start):
                at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]  # fits anything
                sign = buffer[at : at + 1]
                at += len(sign)
                if sign == b'"':
                    self._in_string = True
                elif sign:
                    self._depth += 1 if sign in b"[{" else -1
                    is_whole = not self._depth
            else:  # a number or a word
                at = _SCALAR.match(buffer, at).end()  # type: ignore[union-attr]  # fits anything
                is_whole = at < len(buffer)
                break
            if is_whole:
                break
        self._keep(buffer[start:at])
        self._at = at
        if not is_whole:
            return False
        parts, self._parts = self._parts or [], None
        self._add(_on_one_line(b"".join(parts)), self._size)
        return True

    def _keep(self, piece: bytes) -> None:
        """Keep a piece of the element, unless it is already too long."""
        self._size += len(piece)
        if self._parts is not None:
            if self._size > self._max_bytes:
                self._parts.clear()
            else:
                self._parts.append(piece)

    def _add(self, element: bytes, size: int) -> None:
        self._stage = "after"
        if size > self._max_bytes:
            self._refuse(too_long("an element", size, self._max_bytes))
            element = b""
        elif self._renames.resolver:
            try:
                element = renamed(element, self._renames)
            except BadDocType as err:
                self._refuse(err.what, id_of(element))
                element = b""
        self._ready.append(element)
        self._ready_bytes += len(element)
        self._places.append(self._place)

    def _refuse(self, why: str, known: str = "") -> None:
        self._refused.append(Refused(self._next + len(self._ready), why, known))

    def _fail(self, what: str, place: str, hint: str = "") -> None:
        self._failure = InputError(
            what,
            where=f"{self._name}:{place}",
            hint=hint or "the elements before it were read",
        )

    def _count_to(self, at: int) -> None:
        """Count line ends up to a position; each one is looked at once."""
        lines = self._buffer.count(b"\n", self._counted, at)
        if lines:
            self._line += lines
            self._line_start = self._buffer.rfind(b"\n", self._counted, at) + 1
        self._counted = at

    def _place_of(self, at: int) -> str:
        """Line and column of a position, both counted from 1; columns are bytes."""
        self._count_to(at)
        return f"{self._line}:{at - self._line_start + 1}"


def _on_one_line(element: bytes) -> bytes:
    """An element without line ends: spaces between values, an error within a string."""
    if b"\n" not in element:
        return element
    return _NEWLINE_OR_STRING.sub(
        lambda found: b" " if found[0] == b"\n" else found[0].replace(b"\n", b"\x01"), element
    )
