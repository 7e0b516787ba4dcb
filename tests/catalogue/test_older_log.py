"""An index that an earlier version of VectorIndexer wrote is read once, and kept as a database."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import ExecutorError

KEPT = Path(__file__).parent / "data" / "older-index.log"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "indexer" / "0"
    folder.mkdir(parents=True)
    shutil.copy(KEPT, folder / "log")
    return folder


@pytest.fixture
def open_indexer(catalogue: Any, tmp_path: Path) -> Any:
    cls = catalogue("VectorIndexer/executor.py").VectorIndexer
    metas = {"workspace": str(tmp_path), "name": "indexer"}
    return lambda: cls(metas=metas, runtime_args={"pea_id": 0})


def kept(indexer: Any) -> dict[str, str]:
    docs = DocumentArray([Document(embedding=np.array([1.0, 0.5, 1.0, 0.0]))])
    indexer.search(docs, parameters={})
    return {match.id: match.text for match in docs[0].matches}


def test_replaced_and_deleted_documents_stay_so(open_indexer: Any, folder: Path) -> None:
    for _ in range(2):
        indexer = open_indexer()
        assert kept(indexer) == {"a": "new", "b": "bee"}
        assert indexer.status()[0].tags["documents"] == 2
        indexer.close()
    assert not (folder / "log").exists()
    assert (folder / "log.converted").read_bytes() == KEPT.read_bytes()


def test_a_conversion_that_was_killed_begins_anew(open_indexer: Any, folder: Path) -> None:
    (folder / "index.new").write_bytes(b"half of a database")
    indexer = open_indexer()
    assert kept(indexer) == {"a": "new", "b": "bee"}
    indexer.close()
    assert not (folder / "index.new").exists()


def test_an_incomplete_last_record_was_never_confirmed(catalogue: Any, tmp_path: Path) -> None:
    read = catalogue("VectorIndexer/older_log.py").older_documents
    whole = KEPT.read_bytes()
    file = tmp_path / "log"
    ids = []
    for end in range(len(whole) + 1):
        file.write_bytes(whole[:end])
        ids.append([each.id for each in read(file)])
    steps = [each for n, each in enumerate(ids) if n == 0 or each != ids[n - 1]]
    assert steps == [
        [],
        ["a"],
        ["a", "b"],
        ["a", "b", "gone"],
        ["b", "gone", "a"],
        ["b", "a"],
    ]


def test_damage_in_the_middle_is_refused_at_its_byte(open_indexer: Any, folder: Path) -> None:
    whole = bytearray(KEPT.read_bytes())
    whole[30] ^= 1
    (folder / "log").write_bytes(whole)
    with pytest.raises(ExecutorError, match="the record at byte 8 is damaged"):
        open_indexer()
    assert (folder / "log").read_bytes() == whole
    assert not (folder / "index.sqlite").exists()


VERSION_1 = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    width INTEGER,
    columns BLOB,
    vector BLOB
);
CREATE VIRTUAL TABLE words USING fts5(field0, tokenize = 'porter unicode61 remove_diacritics 2');
INSERT INTO settings VALUES ('fields', '["text"]');
INSERT INTO words (rowid, field0) VALUES (3, 'ants'), (7, 'bees');
PRAGMA user_version = 1;
"""


def test_a_database_of_version_1_gets_tables_of_vectors_and_tags(
    open_indexer: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "indexer" / "0"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "index.sqlite")) as database:
        database.executescript(VERSION_1)
        for row, id_, text, vector in ((3, "a", "ants", [1, 0, 1, 0]), (7, "b", "bees", None)):
            document = Document(id=id_, text=text, tags={"legs": 6}).json()
            values = None if vector is None else np.array(vector, np.float32).tobytes()
            width = None if vector is None else 4
            inserted = "INSERT INTO documents VALUES (?, ?, ?, ?, NULL, ?)"
            database.execute(inserted, (row, id_, document, width, values))
        database.commit()
    for _ in range(2):
        indexer = open_indexer()
        assert kept(indexer) == {"a": "ants"}
        docs = DocumentArray([Document(text="bee ant")])
        indexer.search(docs, parameters={"mode": "text", "filter": {"legs": {"$gt": 4}}})
        assert [match.id for match in docs[0].matches] == ["a", "b"]
        indexer.close()
