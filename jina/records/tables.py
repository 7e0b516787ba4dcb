"""Turn the rows of a text table into keys and values, as its head says.

This file knows which columns are fields, which are tags, and how a field's cells are read. It does
not read files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from jina.excepts import DocumentError
from jina.records.mapping import KEYS
from jina.records.record import CHILD_FIELDS, COUNT_FIELDS, SCORE_FIELDS, TENSOR_FIELDS

_JSON_FIELDS = TENSOR_FIELDS | SCORE_FIELDS | CHILD_FIELDS | {"tags", "location"}

TAG = "tags."
"""What the name of a column begins with that holds one key of the tags."""
_ERROR = "error"  # a column of results, in which most rows have none
_JSON_STARTS = frozenset('{["-0123456789tfn')


class TableHead:
    """The first row of a table.

    Args:
        columns: the cells of the first row.
        resolver: new names for columns.
        is_strict: refuse a resolver that names a column that does not exist.
        is_raw: leave cells of JSON undecoded (msgspec.Raw), for a caller that writes them as JSON.

    Raises:
        DocumentError: two columns with one name, or a column that does not exist.

    Attributes:
        names: one for each column: a field or the key of a tag.
        fields: those of the names that are fields, or `content`.
    """

    def __init__(
        self,
        columns: Sequence[str],
        resolver: Mapping[str, str] | None = None,
        *,
        is_strict: bool = False,
        is_raw: bool = False,
    ) -> None:
        given = [column.removeprefix("\ufeff").strip() for column in columns]
        if is_strict:
            check_resolver(given, resolver or {})
        self.names = unique_names(given, resolver or {})
        self.fields = [name for name in self.names if name in KEYS or name == "content"]
        readers = [(name, _reader_of(name, is_raw=is_raw)) for name in self.fields]
        self._typed = [(name, read) for name, read in readers if read is not None]
        self._tags = [(name, name[len(TAG) :]) for name in self.names if _is_tag(name)]
        self._has_errors = _ERROR in self.names
        self._is_raw = is_raw

    def values(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return the keys and values of a row; an empty cell leaves its field unset.

        Raises:
            DocumentError: too many or too few cells, or a cell that its field cannot hold.
        """
        if len(cells) != len(self.names):
            cells_found = f"{len(cells)} column{'s' * (len(cells) != 1)}"
            raise DocumentError(f"{cells_found}, but the header has {len(self.names)}")
        row: dict[str, Any] = dict(zip(self.names, cells, strict=True))
        self.read_fields((row,))
        return row

    def id_of(self, cells: Sequence[str]) -> str:
        """Return the id of a row that is not a Document; empty if it is not certain."""
        if len(cells) != len(self.names) or "id" not in self.names:
            return ""
        return cells[self.names.index("id")]

    def read_fields(self, rows: Sequence[dict[str, Any]]) -> None:
        """Read the cells of fields, in place: remove empty ones, decode numbers and JSON.

        Raises:
            DocumentError: a cell that its field cannot hold.
        """
        for name in self.fields:
            for row in rows:
                if not row[name]:
                    del row[name]
        for name, read in self._typed:
            for row in rows:
                if name in row:
                    row[name] = _read(name, row[name], read)
        if self._has_errors:
            for row in rows:
                if not row[_ERROR]:
                    del row[_ERROR]
        if self._tags:
            for row in rows:
                self._gather_tags(row)

    def _gather_tags(self, row: dict[str, Any]) -> None:
        """Put the cells of `tags.KEY` into the row's tags; an empty one leaves its key unset."""
        found = {}
        for name, key in self._tags:
            if cell := row.pop(name):
                found[key] = _tag(cell, is_raw=self._is_raw)
        if not found:
            return
        tags = row.get("tags", {})
        if isinstance(tags, msgspec.Raw):
            tags = _read("tags", tags, msgspec.json.Decoder(dict[str, msgspec.Raw]).decode)
        if not isinstance(tags, dict) or not found.keys().isdisjoint(tags):
            raise DocumentError("a key appears both in `tags` and in its own column")
        row["tags"] = {**tags, **found}


def tag_cell(value: msgspec.Raw) -> str:
    """The cell of a `tags.KEY` column that holds a JSON value.

    Text stands as it is, unless it would be read as another value: then it is written as JSON.
    """
    json = bytes(value).decode()
    if not json.startswith('"'):
        return json
    text: str = msgspec.json.decode(json)
    return json if not text or _is_json(text) else text


def _tag(cell: str, *, is_raw: bool) -> Any:
    """The value of a `tags.KEY` cell."""
    if not _is_json(cell):
        return cell
    return _raw(cell) if is_raw else msgspec.json.decode(cell)


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in _JSON_STARTS:
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _is_tag(name: str) -> bool:
    return name.startswith(TAG) and len(name) > len(TAG)


def check_resolver(columns: Sequence[str], resolver: Mapping[str, str]) -> None:
    """Refuse new names for columns that do not exist.

    Raises:
        DocumentError: names the first such column, and the columns that exist.
    """
    for name in resolver:
        if name not in columns:
            raise DocumentError(
                f'there is no column "{name}"', hint=f"the columns are: {', '.join(columns)}"
            )


def unique_names(columns: Sequence[str], resolver: Mapping[str, str]) -> list[str]:
    """Return the new name of each column.

    Raises:
        DocumentError: two columns get one name, so that one of their values would be lost.
    """
    names = [resolver.get(column, column) for column in columns]
    seen: dict[str, str] = {}
    for column, name in zip(columns, names, strict=True):
        field = KEYS.get(name, name)
        if field in seen:
            twice = seen[field] == column
            raise DocumentError(
                f'the column "{column}" appears twice'
                if twice
                else f'the columns "{seen[field]}" and "{column}" both set `{field}`',
                hint="give each column a unique name" if twice else "",
            )
        seen[field] = column
    return names


def _reader_of(name: str, *, is_raw: bool) -> Callable[[str], Any] | None:
    """Return the function that reads a field's cells; None if they are text."""
    field = KEYS.get(name, name)
    if field in COUNT_FIELDS:
        return _read_int
    if field == "weight":
        return _read_float
    if field in _JSON_FIELDS:
        return _raw if is_raw else msgspec.json.Decoder().decode
    return None


_read_int = msgspec.json.Decoder(int).decode
_read_float = msgspec.json.Decoder(float).decode
_read_raw = msgspec.json.Decoder(msgspec.Raw).decode


def _raw(cell: str) -> Any:
    # A line end between two tokens would end the line that the cell is written to.
    return msgspec.json.decode(cell) if "\n" in cell or "\r" in cell else _read_raw(cell)


def _read(name: str, cell: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(cell)
    except (msgspec.MsgspecError, RecursionError) as err:
        field = KEYS.get(name, name)
        if field in COUNT_FIELDS or field == "weight":
            wanted = "number" if field == "weight" else "whole number"
            shown = cell if len(cell) <= 40 else f"{cell[:40]}…"
            raise DocumentError(f"`{name}` is {shown!r}, expected a {wanted}") from err
        raise DocumentError(f"`{name}` is not JSON: {err}") from err
