"""Turn tables of text, CSV and TSV, into JSON lines.

A row that spans several lines becomes one JSON line followed by blank ones, so line numbers, and
with them ids and messages, are those of the table.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from jina.defaults import KIB, MIB
from jina.excepts import DocumentError, InputError
from jina.readers.lines import CutLines, LineCutter, Refused, not_utf8
from jina.records.tables import TableHead

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines

_QUOTED = re.compile(rb'"(?:[^"]|"")*+"?')
_SEP_LINE = re.compile(rb"sep=([,;\t])\s*")  # spreadsheets write it above the head
_MAX_HEAD_BYTES = 256 * KIB  # of column names: each JSON line repeats them
_MAX_RUN_NAMES_BYTES = 8 * MIB  # of column names in the JSON lines of one run, about


class DelimitedCutter:
    """Makes a Document of each row below the head.

    A CSV whose head has no comma is split at semicolons or tabs, whichever the head has.

    Args:
        form: "csv" or "tsv".
        name: of the table, for messages.
        resolver: new names for columns.
        max_line_bytes: most bytes of a line; also of a row that has several.
    """

    def __init__(
        self, form: str, name: str, resolver: Mapping[str, str], max_line_bytes: int
    ) -> None:
        # The limit is one for the process; its default would refuse an embedding of 8,000 numbers.
        csv.field_size_limit(max(csv.field_size_limit(), max_line_bytes))
        self._lines = LineCutter(max_line_bytes)
        self._max_row_bytes = max_line_bytes
        self._name = name
        self._resolver = resolver
        self._set_delimiter("\t" if form == "tsv" else ",", is_final=form == "tsv")
        self._head: TableHead | None = None
        self._head_bytes = 1
        self._open: list[bytes] = []  # lines of a row whose last cell is not closed yet
        self._open_bytes = 0
        self._is_finished = False
        self._failure: InputError | None = None

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
        self._is_finished = True

    def take(self, max_lines: int, max_bytes: int, *, partial: bool = False) -> CutLines | None:
        """See Cutter. `max_lines` counts lines of the table."""
        most = max(1, min(max_lines, _MAX_RUN_NAMES_BYTES // self._head_bytes))
        if self._failure is not None:
            raise self._failure
        # The open row's lines come out as well, so there is room for that many fewer.
        while (
            cut := self._lines.take(max(1, most - len(self._open)), max_bytes, partial=partial)
        ) is not None:
            converted = self._all_good(cut) or self._row_by_row(cut)
            if converted is not None:
                return converted
            if self._failure is not None:
                raise self._failure
        if self._is_finished and self._open:
            raise self._unclosed(self._lines.next_line)
        return None

    def _all_good(self, cut: CutLines) -> CutLines | None:
        """Convert a run in which each line is a good row; None for any other run."""
        if self._head is None or self._open:
            return None
        try:
            lines = cut.data.decode().split("\n")
            del lines[-1]
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
            if len(rows) != cut.lines or set(map(len, rows)) != {len(self._head.names)}:
                return None
            values: list[dict[str, Any]] = [
                dict(zip(self._head.names, row, strict=True)) for row in rows
            ]
            self._head.read_fields(values)
        except (UnicodeDecodeError, csv.Error, DocumentError):
            return None
        return cut._replace(pieces=[_encode_lines(values)])

    def _row_by_row(self, cut: CutLines) -> CutLines | None:
        """Convert any run; None when no row ends in it."""
        first = cut.first_line - len(self._open)
        out: list[bytes] = []
        refused: list[Refused] = []
        rows = self._rows_of(cut)
        if self._head is None:
            rows, first = self._below_head(rows, first)
        encoded = self._encoded(rows)
        for index, row in enumerate(rows):
            line, why, known = (encoded[index], "", "") if encoded else self._line_of(row)
            if why:
                refused.append(Refused(len(out), why, known))
            out += [line, *[b""] * (len(row) - 1)]
        if not out:
            return None
        oversize = tuple((number - first, number, size) for _, number, size in cut.oversize)
        return CutLines([b"\n".join([*out, b""])], len(out), first, oversize, tuple(refused))

    def _encoded(self, rows: list[list[bytes]]) -> list[bytes] | None:
        """The JSON lines of rows that are all good; None when one is not."""
        if self._head is None:
            return None
        try:
            cells = list(self._reader([line for row in rows for line in row]))
            if len(cells) != len(rows):
                return None
            values = [self._head.values(each) for each in cells]
        except (UnicodeDecodeError, csv.Error, DocumentError):
            return None
        return _encode_lines(values).split(b"\n")

    def _line_of(self, row: list[bytes]) -> tuple[bytes, str, str]:
        """The JSON line of a row, empty for a blank one; or why it is refused, and its id."""
        if self._head is None or (len(row) == 1 and not row[0].strip(b" \r\n")):
            return b"", "", ""
        cells: list[str] = []
        try:
            (cells,) = self._reader(row)
            return _encode(self._head.values(cells)), "", ""
        except UnicodeDecodeError as err:
            return b"", not_utf8(err), ""
        except csv.Error as err:
            return b"", _why("row", err), ""
        except DocumentError as err:
            return b"", err.what, self._head.id_of(cells)

    def _rows_of(self, cut: CutLines) -> list[list[bytes]]:
        """The rows that end in a run, each as its lines; a row that is open at the end is kept."""
        rows: list[list[bytes]] = []
        oversize = {number for _, number, _ in cut.oversize}
        for number, line in enumerate(cut.data.split(b"\n")[:-1], cut.first_line):
            line += b"\n"
            if not self._is_delimiter_final:
                line = self._find_delimiter(line)
            is_open = self._quotes.are_open(line, was_open=bool(self._open))
            if not is_open and not self._open:
                rows.append([line])
                continue
            self._open.append(line)
            self._open_bytes += len(line)
            if self._open_bytes > self._max_row_bytes or number in oversize:
                self._failure = self._unclosed(number + 1)
                break
            if not is_open:
                rows.append(self._open)
                self._open, self._open_bytes = [], 0
        return rows

    def _find_delimiter(self, line: bytes) -> bytes:
        """Find the delimiter in a line above the head, or in the head's first line.

        Returns:
            The line; a blank one in place of `sep=…`.
        """
        sep_line = _SEP_LINE.fullmatch(line)
        if sep_line is not None:
            self._set_delimiter(sep_line[1].decode(), is_final=True)
            return b"\n"
        bare = _QUOTED.sub(b"", line)
        found = max(b";", b"\t", key=bare.count)
        if b"," not in bare and found in bare.strip(b" \r\n"):
            self._set_delimiter(found.decode())
        self._is_delimiter_final = bool(line.strip())
        return line

    def _set_delimiter(self, delimiter: str, *, is_final: bool = False) -> None:
        self._is_delimiter_final = is_final
        self._delimiter = delimiter
        self._quotes = _Quotes(delimiter.encode())

    def _unclosed(self, next_line: int) -> InputError:
        line = next_line - len(self._open)
        return InputError(
            "a quote opened in this row is never closed",
            where=f"{self._name}:{line}",
            hint="the rows before it were read; write a quote inside a cell twice",
        )

    def _below_head(self, rows: list[list[bytes]], line: int) -> tuple[list[list[bytes]], int]:
        """Read the head of the table, which is the first row that is not blank.

        Args:
            rows: the first rows.
            line: number of their first line.

        Returns:
            The rows below the head, and the number of their first line.
        """
        for index, row in enumerate(rows):
            if b"".join(row).strip():
                self._read_head(row, line)
                return rows[index + 1 :], line + len(row)
            line += len(row)
        return [], line

    def _read_head(self, row: list[bytes], line: int) -> None:
        where = f"{self._name}:{line}"
        try:
            (cells,) = self._reader(row)
            self._head = TableHead(cells, self._resolver, is_strict=True, is_raw=True)
        except UnicodeDecodeError as err:
            raise InputError(not_utf8(err), where=where) from err
        except csv.Error as err:
            raise InputError(_why("head", err), where=where) from err
        except DocumentError as err:
            raise InputError(err.what, where=where, hint=err.hint) from err
        self._head_bytes = len(_encode(self._head.names))
        if self._head_bytes > _MAX_HEAD_BYTES:
            raise InputError(
                f"the names of the columns take more than {_MAX_HEAD_BYTES // KIB} KiB",
                where=where,
                hint="the first row of a table names its columns",
            )

    def _reader(self, lines: list[bytes]) -> Iterator[list[str]]:
        """The rows of whole lines.

        Raises:
            UnicodeDecodeError: they are not UTF-8.
            csv.Error: quotes are wrong; raised while the rows are read.
        """
        # Lines keep their ends; without them, those within a cell would be lost.
        text = b"".join(lines).decode().split("\n")[:-1]
        return csv.reader([f"{line}\n" for line in text], delimiter=self._delimiter, strict=True)


def _why(what: str, err: csv.Error) -> str:
    text = str(err)
    if text.startswith("new-line character"):  # the rest of it is for programmers
        text = "a carriage return without a line feed after it"
    return f"not a {what} of a table: {text}"


class _Quotes:
    """Tells whether a line of a table ends within a quoted cell, in time linear in its length."""

    def __init__(self, delimiter: bytes) -> None:
        quoted = rb'"(?:[^"]|"")*+"'
        rest = rb"[^%b]*+" % delimiter
        cell = rb'(?:%b%b|[^"%b]%b|)' % (quoted, rest, delimiter, rest)
        opens = rb'(?:%b%b)*+"(?:[^"]|"")*+\Z' % (cell, delimiter)
        self._opens = re.compile(opens)
        self._closes = re.compile(rb'(?:[^"]|"")*+"')
        self._opens_again = re.compile(rb"%b%b%b" % (rest, delimiter, opens))

    def are_open(self, line: bytes, *, was_open: bool) -> bool:
        """Whether the last cell is open at the end of a line.

        Args:
            line: with its line end.
            was_open: whether a cell is open at its beginning.
        """
        if b'"' not in line:
            return was_open
        if not was_open:
            return self._opens.match(line) is not None
        end = self._closes.match(line)
        return end is None or self._opens_again.match(line, end.end()) is not None
