"""The words of Documents as a table of FTS5, SQLite's full-text search."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from filters import Condition

# Stems of English words, without accents; other languages lose nothing by it.
_TOKENIZE = "porter unicode61 remove_diacritics 2"
_WORD = re.compile(r"\w+")
# Words that hold a sentence together: they are in most texts, so they cost time and tell nothing.
_STOP_WORDS = frozenset(
    _WORD.findall("""
    a an and are as at be been being but by can could did do does doing for from had has have having
    how i in into is it its itself me my of on or our should so some such than that the their them
    then there these they this those to too was we were what when where which who whom whose why
    will with would you your
    """)
)


class Words:
    """The table, in an open database.

    Args:
        sql: the database.
        fields: the texts whose words are kept, `text` or `tags.` and a name, with their weights.
    """

    def __init__(self, sql: sqlite3.Connection, fields: Mapping[str, float]) -> None:
        self._sql = sql
        self._fields = fields
        self._columns = ", ".join(f"field{n}" for n in range(len(fields)))

    def make(self) -> None:
        """Make the table anew, without any words."""
        self._sql.execute("DROP TABLE IF EXISTS words")
        self._sql.execute(
            f"CREATE VIRTUAL TABLE words USING fts5({self._columns}, tokenize = '{_TOKENIZE}')"
        )

    def put(self, row: int, content: Mapping[str, Any]) -> None:
        """Add the words of a Document, given as the content of its JSON."""
        texts = [_text(content, field) for field in self._fields]
        if any(texts):
            marks = ", ?" * len(texts)
            query = f"INSERT INTO words (rowid, {self._columns}) VALUES (?{marks})"
            self._sql.execute(query, (row, *texts))

    def remove(self, row: int) -> None:
        """Remove the words of a Document, if it has any."""
        self._sql.execute("DELETE FROM words WHERE rowid = ?", (row,))

    def find(self, text: str, limit: int, condition: Condition | None) -> list[tuple[int, float]]:
        """The rows of the Documents that answer a text best; see `Store.rows_with_words`."""
        expression = _expression(text)
        if not expression:
            return []
        weights = ", ".join(repr(float(weight)) for weight in self._fields.values())
        # The + has it go through the words and not, one by one, through the rows of the condition.
        among = f"AND +rowid IN ({condition.sql})" if condition else ""
        query = (
            f"SELECT rowid, -bm25(words, {weights}) AS score FROM words"
            f" WHERE words MATCH ? {among} ORDER BY score DESC, rowid LIMIT ?"
        )
        values = condition.values if condition else ()
        return list(self._sql.execute(query, (expression, *values, limit)))


def _expression(text: str) -> str:
    """A query of FTS5 for any of the words of a text."""
    words = dict.fromkeys(_WORD.findall(text.lower()))
    telling = [word for word in words if word not in _STOP_WORDS]
    # In quotes, so that no word is taken for one of the query language.
    return " OR ".join(f'"{word}"' for word in telling or words)


def _text(content: Mapping[str, Any], field: str) -> str:
    """The text of a field; "" where there is none."""
    found: Any = content
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    parts = found if isinstance(found, list) else [found]
    return " ".join(part for part in parts if isinstance(part, str))
