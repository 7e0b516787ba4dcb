"""Results as CSV or TSV: a row for each, which `readers` reads as the same Document again.

The columns are fields, `tags.KEY` for each key of the tags, `tags` for keys that no column can have
in its name, and `error`. A cell of `tags.KEY` is JSON unless it is text that cannot be taken for
JSON, see `jina.records.tables`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from io import TextIOWrapper
from types import SimpleNamespace
from typing import IO, Any

import msgspec

from jina.records.record import FIELDS, TEXT_FIELDS
from jina.records.tables import TAG, tag_cell
from jina.writers.base import Writer
from jina.writers.results import Raw, fields_of, reason_of, tags_of, text_of

ERROR = "error"
_TEXTS = TEXT_FIELDS | {"text", "buffer"}  # what a JSON string holds
_MOST_BEHIND = 10_000  # rows, all failed, after which the columns are guessed
_GUESSED = ("id", "text", "tags")


class Delimited(Writer):
    """A table of text.

    Args:
        delimiter: between cells.
        select: fields and `tags.KEY`: the columns; without any, they are those that the first
            results have.
        first_rows: how many results those are; fewer if there are no more.
    """

    def __init__(self, delimiter: str, select: Sequence[str], first_rows: int) -> None:
        self._delimiter = delimiter
        self._first_rows = first_rows
        self._columns: list[str] = []
        self._fields: frozenset[str] = frozenset()
        self._keys: frozenset[str] = frozenset()
        self._waiting: list[dict[str, Raw]] = []  # results before the columns are known
        self._left_out: Counter[str] = Counter()  # values that no column takes
        self._head: list[str] = []  # columns that are still to be written
        if select:
            self._set_columns([*select, ERROR])
            self._head = self._columns

    @property
    def is_behind(self) -> bool:
        """See Writer."""
        return bool(self._waiting)

    def take_up(self, file: IO[bytes]) -> None:
        """See Writer."""
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        columns = next(csv.reader(text, delimiter=self._delimiter), [])
        text.detach()  # whoever opened it closes it
        if columns:
            self._set_columns(columns)
            self._head = []

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer."""
        results = list(map(fields_of, bytes(lines).splitlines()))
        if self._columns:
            return self._rows(results)
        self._waiting += results
        are_enough = len(self._waiting) >= self._first_rows and not all(map(_failed, self._waiting))
        return self._first() if are_enough or len(self._waiting) >= _MOST_BEHIND else b""

    def end(self) -> bytes:
        """See Writer."""
        return self._first() if self._waiting else self._rows([])

    def notes(self) -> Sequence[str]:
        """See Writer."""
        if not self._left_out:
            return ()
        shown = ", ".join(f"{name} ({count:,})" for name, count in self._left_out.most_common(10))
        return (
            f"warning: values were left out, because the first results had none of these: {shown}; "
            "choose the columns with --select, or write .jsonl",
        )

    def _first(self) -> bytes:
        """Choose the columns, and write what has waited for them."""
        results, self._waiting = self._waiting, []
        self._set_columns([*(_columns_of(results) or _GUESSED), ERROR])
        self._head = self._columns
        return self._rows(results)

    def _set_columns(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._fields = frozenset({*columns, "tags"})
        self._keys = frozenset(name[len(TAG) :] for name in columns if name.startswith(TAG))

    def _rows(self, results: list[dict[str, Raw]]) -> bytes:
        rows: list[str] = []
        # It quotes a carriage return in a cell only where that is part of the line's end.
        write = csv.writer(
            SimpleNamespace(write=rows.append), delimiter=self._delimiter, lineterminator="\r\n"
        ).writerow
        if self._head:
            write(self._head)
            self._head = []
        for result in results:
            write(self._cells(result))
        return "".join([f"{row[:-2]}\n" for row in rows]).encode()

    def _cells(self, result: dict[str, Raw]) -> list[str]:
        """The cells of a row; what no column takes is counted."""
        tags: dict[str, Raw] = tags_of(result)
        # The uri of an error is in its message, too.
        if not self._fields.issuperset(result) and not _failed(result):
            self._left_out.update(result.keys() - self._fields)
        has_rest = "tags" in self._columns
        if tags and not has_rest and not self._keys.issuperset(tags):
            self._left_out.update(f"{TAG}{key}" for key in tags.keys() - self._keys)
        cells = []
        for name in self._columns:
            if name == "tags":
                rest = {key: value for key, value in tags.items() if key not in self._keys}
                cells.append(msgspec.json.encode(rest).decode() if rest else "")
            elif name in result:
                cells.append(_cell(name, result[name]))
            elif name.startswith(TAG) and name[len(TAG) :] in tags:
                cells.append(tag_cell(tags[name[len(TAG) :]]))
            else:
                cells.append("")
        return cells


def _cell(name: str, value: Raw) -> str:
    if name == ERROR:
        return reason_of(value)
    return text_of(value) if name in _TEXTS else bytes(value).decode()


def _is_name(key: str) -> bool:
    """Whether a key can stand in the name of a column, which is read without white space around."""
    return key != "" and key == key.strip()


def _failed(result: dict[str, Any]) -> bool:
    return ERROR in result


def _columns_of(results: list[dict[str, Raw]]) -> list[str]:
    """The fields and tags that results have, `id` first; empty if all have failed."""
    good = [result for result in results if not _failed(result)]
    found = {name for result in good for name in result}
    keys = dict.fromkeys(key for result in good for key in tags_of(result))
    columns: list[str] = []
    for name in FIELDS:
        if name == "tags":
            columns += (f"{TAG}{key}" for key in keys if _is_name(key))
            columns += () if all(map(_is_name, keys)) else ("tags",)
        elif name in found:
            columns.append(name)
    return columns
