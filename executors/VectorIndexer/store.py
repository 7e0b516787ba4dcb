"""Keep Documents and their vectors in a SQLite database, and find them by words or by tags.

Any SQLite tool can read the file. It knows no distances: those are measured in memory
(`vectors.py`), under the row numbers that the database gives out. It never gives one out twice, so
whoever knows row n has seen all rows below it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from filters import Condition
from older_log import older_documents

from jina.excepts import ExecutorError

NAME = "index.sqlite"
_SCHEMA = """
BEGIN;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL, -- JSON, without the embedding
    width INTEGER,          -- of the vector; NULL if there is none
    columns BLOB,           -- uint32: those that are not zero; NULL if all are in `vector`
    vector BLOB             -- float32: one number for each column
);
PRAGMA user_version = 1;
COMMIT;
"""
_WORD = re.compile(r"\w+")


class Vector(NamedTuple):
    """A vector as it is stored.

    Args:
        width: how many numbers it has.
        columns: uint32, which of them are not zero; None if all are in `values`.
        values: float32.
    """

    width: int
    columns: bytes | None
    values: bytes


class Item(NamedTuple):
    """A Document to keep: its id, its JSON, and its vector."""

    id: str
    document: str
    vector: Vector | None


class Store:
    """A database in a folder that only this process may use until `close`.

    Args:
        folder: which must exist; the database need not.
        fields: the texts whose words are looked for, `text` or `tags.` and a name, with the weight
            of the words in each.
        fsync: make each change wait for the disk, so that it also survives a power cut.

    Raises:
        ExecutorError: another process uses the folder, or the database is damaged.
    """

    def __init__(
        self, folder: str | os.PathLike[str], fields: Mapping[str, float], *, fsync: bool = False
    ) -> None:
        self._folder = Path(folder)
        self._fields = dict(fields)
        self._fsync = fsync
        self._lock_fd = _locked(self._folder)
        self._open: sqlite3.Connection | None = None
        try:
            with self._explained():
                self._open = self._opened()
                self._index_words()
        except BaseException:
            self.close()
            raise

    @property
    def size_bytes(self) -> int:
        """The size of the database."""
        files = (self._folder / f"{NAME}{end}" for end in ("", "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def put(self, items: Sequence[Item]) -> list[int]:
        """Keep Documents, instead of those with the same ids; they are kept once this returns.

        Returns:
            The row of each item, in their order.

        Raises:
            ExecutorError: they cannot be written (the disk may be full); none of them is kept.
        """
        with self._changes():
            return [self._put(item) for item in items]

    def delete(self, ids: Sequence[str]) -> None:
        """Forget the Documents with these ids; unknown ones are no error.

        Raises:
            ExecutorError: this cannot be written; all of them are still kept.
        """
        with self._changes():
            for id_ in ids:
                self._remove(id_)

    def vectors(self) -> Iterator[tuple[int, str, Vector | None]]:
        """Yield row, id and vector of every Document, in the order of the rows."""
        query = "SELECT row, id, width, columns, vector FROM documents ORDER BY row"
        with self._explained():
            for row, id_, width, *parts in self._sql.execute(query):
                yield row, id_, None if width is None else Vector(width, *parts)

    def document(self, row: int) -> str:
        """The JSON of the Document of a row."""
        with self._explained():
            query = "SELECT document FROM documents WHERE row = ?"
            (document,) = self._sql.execute(query, (row,)).fetchone()
            return str(document)

    def rows_where(self, condition: Condition) -> list[int]:
        """The rows of the Documents that fulfil a condition."""
        query = f"SELECT row FROM documents WHERE {condition.sql} ORDER BY row"
        with self._explained():
            return [row for (row,) in self._sql.execute(query, condition.values)]

    def rows_with_words(
        self, text: str, limit: int, condition: Condition | None
    ) -> list[tuple[int, float]]:
        """The rows of the Documents that answer a text best by BM25, the best first.

        Args:
            text: whose words are looked for; a Document need not have all of them.
            limit: most rows.
            condition: that they must fulfil; None for none.

        Returns:
            Rows and their scores, above 0.
        """
        words = dict.fromkeys(_WORD.findall(text))
        if not words:
            return []
        # In quotes, so that no word is taken for one of the query language.
        expression = " OR ".join(f'"{word}"' for word in words)
        weights = ", ".join(repr(float(weight)) for weight in self._fields.values())
        sql, values = condition or Condition("1", ())
        query = (
            f"SELECT documents.row, -bm25(words, {weights}) AS score"
            " FROM words JOIN documents ON documents.row = words.rowid"
            f" WHERE words MATCH ? AND {sql} ORDER BY score DESC, documents.row LIMIT ?"
        )
        with self._explained():
            return list(self._sql.execute(query, (expression, *values, limit)))

    def close(self) -> None:
        """Let go of the database; a second call does nothing."""
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    @property
    def _sql(self) -> sqlite3.Connection:
        if self._open is None:
            raise ExecutorError("the index is closed", where=str(self._folder))
        return self._open

    def _put(self, item: Item) -> int:
        self._remove(item.id)
        width, columns, values = item.vector or (None, None, None)
        row = self._sql.execute(
            "INSERT INTO documents (id, document, width, columns, vector) VALUES (?, ?, ?, ?, ?)",
            (item.id, item.document, width, columns, values),
        ).lastrowid
        assert row is not None
        self._put_words(row, item.document)
        return row

    def _put_words(self, row: int, document: str) -> None:
        texts = _texts(document, self._fields)
        if any(texts):
            marks = ", ".join("?" * len(texts))
            names = ", ".join(_column(n) for n in range(len(texts)))
            query = f"INSERT INTO words (rowid, {names}) VALUES (?, {marks})"
            self._sql.execute(query, (row, *texts))

    def _remove(self, id_: str) -> None:
        found = self._sql.execute("SELECT row FROM documents WHERE id = ?", (id_,)).fetchone()
        if found is not None:
            self._sql.execute("DELETE FROM words WHERE rowid = ?", found)
            self._sql.execute("DELETE FROM documents WHERE row = ?", found)

    def _opened(self) -> sqlite3.Connection:
        path = self._folder / NAME
        older = self._folder / "log"
        if not path.exists() and older.exists():
            self._convert(older, path)
        database = _connected(path)
        # WAL: a change is in the file's log, and with that safe from a kill, when it is committed.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {'FULL' if self._fsync else 'NORMAL'}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(_SCHEMA)
        elif version != 1:
            database.close()
            raise ExecutorError(
                f"this index was written by a newer version of VectorIndexer ({version})",
                where=str(path),
            )
        return database

    def _convert(self, older: Path, path: Path) -> None:
        """Make a database of an older file; a kill leaves the older one as it is."""
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        database = _connected(new)
        try:
            database.executescript(_SCHEMA)
            rows = (
                (each.id, each.document, each.width, each.columns, each.values)
                for each in older_documents(older)
            )
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO documents (id, document, width, columns, vector)"
                " VALUES (?, ?, ?, ?, ?)",
                rows,
            )
            database.execute("COMMIT")
        finally:
            database.close()
        os.replace(new, path)
        os.replace(older, older.with_suffix(".converted"))

    def _index_words(self) -> None:
        """Make the table of words, if there is none yet of these fields."""
        wanted = json.dumps(list(self._fields))
        query = "SELECT value FROM settings WHERE name = 'fields'"
        if self._sql.execute(query).fetchone() == (wanted,):
            return
        names = ", ".join(_column(n) for n in range(len(self._fields)))
        with self._changes():
            self._sql.execute("DROP TABLE IF EXISTS words")
            # Stems of English words, without accents; other languages lose nothing by it.
            tokenize = "tokenize = 'porter unicode61 remove_diacritics 2'"
            self._sql.execute(f"CREATE VIRTUAL TABLE words USING fts5({names}, {tokenize})")
            for row, document in self._sql.execute("SELECT row, document FROM documents"):
                self._put_words(row, document)
            self._sql.execute("INSERT OR REPLACE INTO settings VALUES ('fields', ?)", (wanted,))

    @contextmanager
    def _changes(self) -> Iterator[None]:
        """All of the changes or, after an exception, none."""
        with self._explained():
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._sql.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell
                    self._sql.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            hint = None
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(
                error, sqlite3.OperationalError
            ):
                hint = "restore the file from a backup, or move it away and index again"
            raise ExecutorError(
                f"SQLite: {error}", where=str(self._folder / NAME), hint=hint
            ) from error


def _connected(path: Path) -> sqlite3.Connection:
    # Async Executors run in threads of one loop, one call at a time.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _column(number: int) -> str:
    return f"field{number}"


def _texts(document: str, fields: Mapping[str, float]) -> list[str]:
    """The texts of these fields in the JSON of a Document; "" where there is none."""
    content: dict[str, Any] = json.loads(document)
    texts = []
    for field in fields:
        found: Any = content
        for name in field.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        parts = found if isinstance(found, list) else [found]
        texts.append(" ".join(part for part in parts if isinstance(part, str)))
    return texts


def _locked(folder: Path) -> int:
    """Lock the folder for this process; the system unlocks it when the process dies."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(fd, 32).decode("ascii", "replace").strip()
        os.close(fd)
        raise ExecutorError(
            f"this index is in use by process {holder or '?'}",
            where=str(folder),
            hint="stop that process, or give this Executor a workspace of its own",
        ) from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd
