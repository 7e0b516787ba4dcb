"""Keep Documents and their vectors in a SQLite database, and find them by words or by tags.

Any SQLite tool can read the file. It knows no distances: those are measured in memory
(`vectors.py`), under the row numbers that the database gives out. It never gives one out twice, so
whoever knows row n has seen all rows below it.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import tags
from filters import Condition
from older_log import older_documents
from words import Words

from jina.excepts import ExecutorError

NAME = "index.sqlite"
_VERSION = 2
_CACHE_KIB = 65_536  # of pages of the file
_VECTORS = """
CREATE TABLE vectors (
    row INTEGER PRIMARY KEY,  -- that of the Document
    width INTEGER NOT NULL,   -- how many numbers the vector has
    columns BLOB,             -- uint32: those that are not zero, or NULL if all are in `vector`
    vector BLOB NOT NULL      -- float32: one number for each column
);
"""
_SCHEMA = f"""
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL  -- JSON, without the embedding
);
{_VECTORS}
"""
# Version 1 kept the vectors beside the Documents; the columns stay, empty.
_FROM_1 = f"""
{_VECTORS}
INSERT INTO vectors SELECT row, width, columns, vector FROM documents WHERE width IS NOT NULL;
UPDATE documents SET width = NULL, columns = NULL, vector = NULL;
"""


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
                self._words = Words(self._open, self._fields)
                self._derive()
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
        query = (
            "SELECT documents.row, id, vectors.width, vectors.columns, vectors.vector"
            " FROM documents LEFT JOIN vectors ON vectors.row = documents.row"
            " ORDER BY documents.row"
        )
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
        """The rows of the Documents that fulfil a condition; some may come twice."""
        # As one text: half the time of a tuple for each row.
        query = f"SELECT '[' || group_concat(row) || ']' FROM ({condition.sql})"
        with self._explained():
            (rows,) = self._sql.execute(query, condition.values).fetchone()
            return list(json.loads(rows or "[]"))

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
        with self._explained():
            return self._words.find(text, limit, condition)

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
        query = "INSERT INTO documents (id, document) VALUES (?, ?)"
        row = self._sql.execute(query, (item.id, item.document)).lastrowid
        assert row is not None
        if item.vector is not None:
            self._sql.execute("INSERT INTO vectors VALUES (?, ?, ?, ?)", (row, *item.vector))
        content = json.loads(item.document)
        self._words.put(row, content)
        tags.put(self._sql, row, content)
        return row

    def _remove(self, id_: str) -> None:
        query = "SELECT row, document FROM documents WHERE id = ?"
        if (found := self._sql.execute(query, (id_,)).fetchone()) is None:
            return
        row, document = found
        tags.remove(self._sql, row, json.loads(document))
        self._words.remove(row)
        self._sql.execute("DELETE FROM vectors WHERE row = ?", (row,))
        self._sql.execute("DELETE FROM documents WHERE row = ?", (row,))

    def _opened(self) -> sqlite3.Connection:
        path = self._folder / NAME
        older = self._folder / "log"
        if not path.exists() and older.exists():
            self._convert(older, path)
        database = _connected(path)
        # WAL: a change is in the file's log, and with that safe from a kill, when it is committed.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {'FULL' if self._fsync else 'NORMAL'}")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
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
            _run(database, "BEGIN", _SCHEMA)
            for each in older_documents(older):
                row = database.execute(
                    "INSERT INTO documents (id, document) VALUES (?, ?)", (each.id, each.document)
                ).lastrowid
                vector = (row, each.width, each.columns, each.values)
                database.execute("INSERT INTO vectors VALUES (?, ?, ?, ?)", vector)
            database.execute("COMMIT")
        finally:
            database.close()
        os.replace(new, path)
        os.replace(older, older.with_suffix(".converted"))

    def _derive(self) -> None:
        """Make the tables that are missing, or that are about other fields."""
        fields = json.dumps(list(self._fields))
        with self._changes():
            (version,) = self._sql.execute("PRAGMA user_version").fetchone()
            has = {name for (name,) in self._sql.execute("SELECT name FROM sqlite_master")}
            if "documents" not in has:
                _run(self._sql, _SCHEMA)
            elif version == 1:
                _run(self._sql, _FROM_1)
            query = "SELECT value FROM settings WHERE name = 'fields'"
            without_words = self._sql.execute(query).fetchone() != (fields,)
            without_tags = "tags" not in has
            if without_words:
                self._words.make()
                self._sql.execute("INSERT OR REPLACE INTO settings VALUES ('fields', ?)", (fields,))
            if without_tags:
                self._sql.execute(tags.SCHEMA)
            if without_words or without_tags:
                for row, document in self._sql.execute("SELECT row, document FROM documents"):
                    content = json.loads(document)
                    if without_words:
                        self._words.put(row, content)
                    if without_tags:
                        tags.put(self._sql, row, content)
            self._sql.execute(f"PRAGMA user_version = {_VERSION}")

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


def _run(database: sqlite3.Connection, *scripts: str) -> None:
    """Run statements in the transaction that is open; `executescript` would commit it first."""
    for script in scripts:
        for statement in script.split(";"):
            database.execute(statement)


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
