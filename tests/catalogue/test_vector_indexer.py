"""VectorIndexer: what it answers, and what it still knows after a restart or a kill."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import ExecutorError

AXES = np.eye(4, dtype=np.float32)


@pytest.fixture
def indexer_class(catalogue: Any) -> Any:
    return catalogue("VectorIndexer/executor.py").VectorIndexer


class Opener:
    """Opens an indexer on one workspace, closing the one before."""

    def __init__(self, indexer_class: Any, workspace: Path) -> None:
        self._class = indexer_class
        self._workspace = workspace
        self.current: Any = None

    def __call__(self, **with_: Any) -> Any:
        self.close()
        metas = {"workspace": str(self._workspace), "name": "indexer"}
        self.current = self._class(metas=metas, runtime_args={"pea_id": 0}, **with_)
        return self.current

    def close(self) -> None:
        if self.current is not None:
            self.current.close()

    @property
    def folder(self) -> Path:
        return self._workspace / "indexer" / "0"


@pytest.fixture
def opened(indexer_class: Any, tmp_path: Path) -> Iterator[Opener]:
    opener = Opener(indexer_class, tmp_path)
    yield opener
    opener.close()


def docs_of(vectors: dict[str, Any], **fields: Any) -> DocumentArray:
    return DocumentArray(
        [Document(id=id_, embedding=np.asarray(row), **fields) for id_, row in vectors.items()]
    )


def found(indexer: Any, vector: Any, **parameters: Any) -> list[str]:
    """The ids of the matches of one query."""
    docs = docs_of({"query": vector})
    indexer.search(docs, parameters=parameters)
    return [match.id for match in docs[0].matches]


def test_index_answers_with_ids_and_search_with_whole_documents(opened: Opener) -> None:
    indexer = opened(metric="cosine")
    doc = Document(id="a", text="apple", tags={"n": 1, "deep": {"list": [1, 2]}}, weight=0.5)
    doc.embedding = np.array([1.0, 1.0, 0, 0])
    answer = indexer.index(DocumentArray([doc]))
    assert [one.dict() for one in answer] == [Document(id="a").dict()]

    query = Document(id="q", text="?", embedding=np.array([1.0, 0, 0, 0]))
    docs = DocumentArray([query])
    assert indexer.search(docs, parameters={}) is None
    assert docs[0].embedding is None
    (match,) = docs[0].matches
    assert (match.id, match.text, match.tags, match.weight) == ("a", "apple", doc.tags, 0.5)
    assert (match.embedding, match.adjacency) == (None, 1)
    assert match.scores["cosine"].value == pytest.approx(1 - 0.5**0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("metric", "order"), [("cosine", "abc"), ("euclidean", "bac"), ("dot", "cab")]
)
def test_the_nearest_by_each_metric_come_first(opened: Opener, metric: str, order: str) -> None:
    indexer = opened(metric=metric)
    indexer.index(docs_of({"a": [3.0, 0.1, 0.1], "b": [1.0, 0.4, 0.1], "c": [9.0, 9.0, 9.0]}))
    assert found(indexer, [1.0, 0.0, 0.0]) == list(order)


def test_top_k_is_the_default_and_a_request_may_ask_otherwise(opened: Opener) -> None:
    indexer = opened(top_k=2)
    indexer.index(docs_of({str(n): [1.0, n, 0.5] for n in range(5)}))
    assert found(indexer, [1.0, 0.0, 0.5]) == ["0", "1"]
    assert found(indexer, [1.0, 0.0, 0.5], top_k=3) == ["0", "1", "2"]
    assert found(indexer, [1.0, 0.0, 0.5], top_k="4") == ["0", "1", "2", "3"]
    assert len(found(indexer, [1.0, 0.0, 0.5], top_k=99.0)) == 5


@pytest.mark.parametrize("top_k", [0, -1, 1.5, "many", None, True, [3]])
def test_a_top_k_that_is_no_count_is_refused(opened: Opener, top_k: Any) -> None:
    with pytest.raises(ValueError, match="is not a whole number of at least 1"):
        found(opened(), [1.0], top_k=top_k)


def test_an_empty_index_has_no_matches(opened: Opener) -> None:
    assert found(opened(), [1.0, 2.0]) == []


def test_old_matches_of_a_query_are_replaced(opened: Opener) -> None:
    indexer = opened()
    indexer.index(docs_of({"a": [1.0, 0.5]}))
    docs = docs_of({"query": [1.0, 0.5]})
    docs[0].matches.append(Document(id="old"))
    indexer.search(docs, parameters={})
    assert [match.id for match in docs[0].matches] == ["a"]


def test_the_same_id_replaces(opened: Opener) -> None:
    indexer = opened()
    indexer.index(docs_of({"a": AXES[0], "b": AXES[1]}, text="old"))
    indexer.index(docs_of({"a": AXES[2]}, text="new"))
    for is_restarted in (False, True):
        indexer = opened() if is_restarted else indexer
        assert found(indexer, AXES[2]) == ["a"]
        assert found(indexer, AXES[0]) == []
        assert indexer.status()[0].tags["documents"] == 2


def test_calls_may_repeat_as_after_a_crash_or_an_error(opened: Opener) -> None:
    """A request that fails is repeated in halves, and a Flow repeats what a crash interrupted."""
    rows = {str(n): [1.0, n, 0.5, 0.0] for n in range(8)}
    docs = docs_of(rows, text="kept")
    bad = DocumentArray([*docs[:5], Document(id="bad"), *docs[5:]])
    indexer = opened()
    for start, stop in [(0, 9), (0, 4), (4, 9), (4, 6), (4, 5), (5, 6), (6, 9), (0, 5), (6, 9)]:
        some = bad[start:stop]
        if "bad" in [doc.id for doc in some]:
            with pytest.raises(ValueError, match="Document 'bad' has no embedding"):
                indexer.index(some)
        else:
            indexer.index(some)
    for _ in range(2):
        assert indexer.status()[0].tags["documents"] == 8
        assert found(indexer, rows["3"], top_k=99)[0] == "3"
        assert sorted(found(indexer, rows["3"], top_k=99)) == list(rows)
        indexer = opened()
    for _ in range(2):
        indexer.delete(docs[:2])
    assert indexer.status()[0].tags["documents"] == 6


def test_the_last_of_one_id_in_a_request_stays(opened: Opener) -> None:
    indexer = opened()
    twice = [Document(id="a", text=text, embedding=AXES[0]) for text in ("first", "last")]
    assert len(indexer.index(DocumentArray(twice))) == 2
    docs = docs_of({"query": AXES[0]})
    indexer.search(docs, parameters={})
    assert [match.text for match in docs[0].matches] == ["last"]


def test_delete_forgets_for_good_and_unknown_ids_are_no_error(opened: Opener) -> None:
    indexer = opened()
    indexer.index(docs_of({"a": AXES[0], "b": AXES[0]}))
    indexer.delete(DocumentArray([Document(id="a"), Document(id="nobody"), Document(id="a")]))
    assert found(indexer, AXES[0]) == ["b"]
    assert found(opened(), AXES[0]) == ["b"]


def test_an_emptied_index_takes_vectors_of_another_width(opened: Opener) -> None:
    indexer = opened()
    indexer.index(docs_of({"a": [1.0, 1.0]}))
    indexer.delete(DocumentArray([Document(id="a")]))
    indexer.index(docs_of({"b": [1.0, 1.0, 1.0]}))
    assert found(indexer, [1.0, 0.0, 0.0]) == ["b"]
    assert found(opened(), [1.0, 0.0, 0.0]) == ["b"]


def test_no_documents_are_no_error(opened: Opener) -> None:
    indexer = opened()
    assert indexer.index(None) is None
    indexer.search(None, parameters={})
    indexer.delete(None)
    assert indexer.status()[0].tags["documents"] == 0


def test_dense_and_sparse_vectors_come_back_the_same_after_a_restart(opened: Opener) -> None:
    random_ = np.random.default_rng(3)
    dense = random_.random((20, 64))
    sparse = np.where(random_.random((20, 64)) < 0.1, dense, 0)
    for name, rows in (("dense", dense), ("sparse", sparse)):
        indexer = opened()
        indexer.index(docs_of({f"{name}-{n}": row for n, row in enumerate(rows)}))
        queries = random_.random((5, 64))
        before = [found(indexer, query) for query in queries]
        assert [found(opened(), query) for query in queries] == before


def test_distinct_leaves_out_repeated_texts_and_fills_up(opened: Opener) -> None:
    vectors = {f"same-{n}": [1.0, 0.01 * n] for n in range(30)}
    indexer = opened(distinct=True, top_k=3)
    indexer.index(docs_of(vectors, text="the same\n text"))
    indexer.index(docs_of({"x": [1.0, 1.0]}, text="another"))
    indexer.index(docs_of({"y": [1.0, 2.0], "z": [1.0, 3.0]}))
    assert found(indexer, [1.0, 0.0]) == ["same-0", "x", "y"]
    assert found(indexer, [1.0, 0.0], top_k=9) == ["same-0", "x", "y", "z"]


def test_rare_columns_count_more_with_idf(opened: Opener) -> None:
    vectors = {f"common-{n}": AXES[0] for n in range(9)}
    indexer = opened(metric="dot", weigh="idf", top_k=1)
    indexer.index(docs_of({**vectors, "rare": AXES[1] * 0.5}))
    assert found(indexer, AXES[0] + AXES[1]) == ["rare"]


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        (None, "Document 'bad' has no embedding; is an encoder before the indexer?"),
        (np.zeros(0), "Document 'bad' has an empty embedding"),
        (np.ones(3), "Document 'bad' has an embedding of 3 numbers; those kept have 4"),
        (np.array([1, np.nan, 0, 0]), "Document 'bad' has an embedding with NaN or infinity"),
    ],
)
def test_a_bad_embedding_is_refused_and_its_request_keeps_nothing(
    opened: Opener, embedding: Any, message: str
) -> None:
    indexer = opened()
    indexer.index(docs_of({"a": AXES[0]}))
    bad = Document(id="bad") if embedding is None else Document(id="bad", embedding=embedding)
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        indexer.index(DocumentArray([Document(id="good", embedding=AXES[1]), bad]))
    assert indexer.status()[0].tags["documents"] == 1
    assert found(indexer, AXES[1]) == []
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        indexer.search(DocumentArray([bad]), parameters={})


@pytest.mark.parametrize("with_", [{"metric": "manhattan"}, {"weigh": "tf"}, {"top_k": 0}])
def test_unknown_settings_are_refused(opened: Opener, with_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(with_)))):
        opened(**with_)


def test_a_workspace_that_is_open_is_refused_to_another_process(
    opened: Opener, indexer_class: Any, tmp_path: Path
) -> None:
    opened()
    with pytest.raises(ExecutorError, match="this index is in use by process"):
        indexer_class(
            metas={"workspace": str(tmp_path), "name": "indexer"}, runtime_args={"pea_id": 0}
        )


def test_the_file_does_not_grow_when_documents_are_replaced(opened: Opener) -> None:
    docs = docs_of({str(n): [1.0, n] for n in range(20)}, text="word " * 400)
    opened().index(docs)
    first = opened().status()[0].tags["size_bytes"]
    indexer = opened()
    for _ in range(100):
        indexer.index(docs)
    assert opened().status()[0].tags["size_bytes"] <= 2 * first


def test_a_damaged_database_is_told(opened: Opener) -> None:
    opened().index(docs_of({"a": AXES[0]}))
    opened.close()
    (opened.folder / "index.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(ExecutorError, match="file is not a database") as caught:
        opened()
    assert "restore the file from a backup" in str(caught.value.hint)


def test_a_database_of_a_later_version_is_refused(opened: Opener) -> None:
    opened().close()
    with closing(sqlite3.connect(opened.folder / "index.sqlite")) as database:
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(ExecutorError, match="newer version"):
        opened()


def test_the_database_can_be_read_while_it_is_open(opened: Opener) -> None:
    indexer = opened()
    indexer.index(docs_of({"a": AXES[0]}, text="apple", tags={"n": 1}))
    with closing(sqlite3.connect(opened.folder / "index.sqlite")) as database:
        query = "SELECT id, document ->> 'text', document ->> '$.tags.n' FROM documents"
        assert database.execute(query).fetchall() == [("a", "apple", 1)]


# --- words, both together, filters ---------------------------------------------------------------


def library(**more: Any) -> DocumentArray:
    """Three Documents whose nearness by words and by vectors differs."""
    rows = [
        ("fox", "The quick foxes jump", AXES[0], {"lang": "en", "year": 2019, "by": ["Ada", "Bo"]}),
        ("dog", "A lazy dog and a fox", AXES[1], {"lang": "en", "year": 2021, "deep": {"k": True}}),
        ("igel", "Der Igel schläft", AXES[2], {"lang": "de", "year": 2021.5, "note": None}),
    ]
    return DocumentArray(
        [
            Document(id=id_, text=text, embedding=vector, tags=tags, **more)
            for id_, text, vector, tags in rows
        ]
    )


def asked(indexer: Any, text: str, vector: Any = None, **parameters: Any) -> list[str]:
    docs = DocumentArray([Document(text=text, embedding=vector)])
    indexer.search(docs, parameters=parameters)
    return [match.id for match in docs[0].matches]


def test_words_are_found_by_their_stems_and_without_accents(opened: Opener) -> None:
    indexer = opened(mode="text")
    indexer.index(library())
    for is_restarted in (False, True):
        indexer = opened(mode="text") if is_restarted else indexer
        assert asked(indexer, "fox jumping") == ["fox", "dog"]
        assert asked(indexer, 'SCHLAFT "OR* (NEAR') == ["igel"]
        assert asked(indexer, "") == asked(indexer, "!?") == asked(indexer, "zebra") == []
    docs = DocumentArray([Document(text="lazy")])
    indexer.search(docs, parameters={})
    assert docs[0].matches[0].scores["bm25"].value > 0


def test_words_need_no_vectors(opened: Opener) -> None:
    indexer = opened(mode="text")
    indexer.index(DocumentArray([Document(id="a", text="apple"), Document(id="b")]))
    assert asked(indexer, "apples") == ["a"]
    assert indexer.status()[0].tags["documents"] == 2
    indexer.delete(DocumentArray([Document(id="a")]))
    assert asked(opened(mode="text"), "apples") == []


def test_other_fields_are_indexed_anew_and_weighed(opened: Opener) -> None:
    docs = [
        Document(id="a", text="pears", tags={"title": "apples"}, embedding=AXES[0]),
        Document(id="b", text="apples", tags={"title": "pears"}, embedding=AXES[1]),
    ]
    opened().index(DocumentArray(docs))
    assert asked(opened(), "apple", mode="text") == ["b"]
    for weight, order in ((5, ["a", "b"]), (0.1, ["b", "a"])):
        indexer = opened(fields={"text": 1, "tags.title": weight})
        assert asked(indexer, "apple", mode="text") == order


def test_hybrid_joins_both_by_their_ranks(opened: Opener) -> None:
    indexer = opened(mode="hybrid")
    indexer.index(library())
    vector = AXES[0] + 0.9 * AXES[1]
    docs = DocumentArray([Document(text="lazy", embedding=vector)])
    indexer.search(docs, parameters={"top_k": 2})
    first, second = docs[0].matches
    assert (first.id, second.id) == ("dog", "fox")
    assert first.scores["rrf"].value == pytest.approx(1 / 4 + 1 / 3, abs=1e-6)
    assert {*first.scores} == {"rrf", "cosine", "bm25"}
    assert {*second.scores} == {"rrf", "cosine"}
    assert asked(indexer, "igel", AXES[0], mode="text") == ["igel"]
    assert asked(indexer, "igel", AXES[0], mode="vector", limit=1) == ["fox"]
    indexer.close()
    indexer = opened(mode="hybrid", rank_constant=1)
    docs = DocumentArray([Document(text="lazy", embedding=vector)])
    indexer.search(docs, parameters={"top_k": 2})
    assert docs[0].matches[0].scores["rrf"].value == pytest.approx(1 / 3 + 1 / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ({}, ["fox", "dog", "igel"]),
        ({"lang": "en"}, ["fox", "dog"]),
        ({"lang": {"$ne": "en"}}, ["igel"]),
        ({"year": {"$gte": 2020}}, ["dog", "igel"]),
        ({"year": {"$gt": 2019, "$lt": 2021.5}}, ["dog"]),
        ({"year": {"$lte": 2019}}, ["fox"]),
        ({"year": "2021"}, []),
        ({"lang": {"$gt": 1}}, []),
        ({"lang": {"$in": ["de", "fr"]}}, ["igel"]),
        ({"lang": {"$nin": ["de", "fr"]}}, ["fox", "dog"]),
        ({"year": {"$in": []}}, []),
        ({"by": "Bo"}, ["fox"]),
        ({"by": {"$gt": "A"}}, ["fox"]),
        ({"by": {"$ne": "Bo"}}, ["dog", "igel"]),
        ({"deep.k": True}, ["dog"]),
        ({"deep.k": 1}, []),
        ({"deep": {"$exists": True}}, ["dog"]),
        ({"note": {"$exists": False}}, ["fox", "dog", "igel"]),
        ({"$or": [{"lang": "de"}, {"year": {"$lt": 2020}}]}, ["fox", "igel"]),
        ({"$and": [{"lang": "en"}, {"$not": {"by": "Ada"}}]}, ["dog"]),
        ({"lang": "en", "year": 2021}, ["dog"]),
    ],
)
def test_a_filter_leaves_only_those_with_such_tags(
    opened: Opener, condition: Any, ids: list[str]
) -> None:
    indexer = opened(mode="hybrid")
    indexer.index(library(weight=1.0))
    query = AXES[0] + 0.9 * AXES[1] + 0.8 * AXES[2]
    assert asked(indexer, "", query, mode="vector", filter=condition) == ids
    assert sorted(asked(indexer, "fox dog igel", query, mode="text", filter=condition)) == sorted(
        ids
    )
    assert sorted(asked(indexer, "fox dog igel", query, filter=condition)) == sorted(ids)


def test_tags_of_replaced_and_deleted_documents_are_found_no_more(opened: Opener) -> None:
    indexer = opened()
    indexer.index(library())
    indexer.index(docs_of({"fox": AXES[0]}, tags={"lang": ["fr", "fr", None], "empty": []}))
    indexer.delete(DocumentArray([Document(id="dog")]))
    assert asked(indexer, "", AXES[0], filter={"lang": {"$in": ["en", "fr"]}}) == ["fox"]
    assert asked(indexer, "", AXES[0], filter={"by": {"$exists": True}}) == []
    assert asked(indexer, "", AXES[0], filter={"empty": {"$exists": True}}) == ["fox"]
    with closing(sqlite3.connect(opened.folder / "index.sqlite")) as database:
        query = (
            "SELECT DISTINCT name, type, value FROM tags WHERE row = (SELECT max(row) FROM tags)"
        )
        rows = {("empty", "other", ""), ("lang", "other", ""), ("lang", "text", "fr")}
        assert {*database.execute(query)} == rows


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (3, "expected a map such as {'lang': 'en'}, got 3"),
        ({"$foo": 1}, "'$foo' is neither a tag nor $and, $or or $not"),
        ({"a": {"$foo": 1}}, "a: '$foo' is not one of $eq"),
        ({"a": {}}, "a: an empty map"),
        ({"a": None}, "a: for a tag that is missing or null, write {'$exists': false}"),
        ({"a": {"$gt": True}}, "a: $gt takes a number or a text, got True"),
        ({"a": {"$in": "x"}}, "a: $in takes a list, got 'x'"),
        ({"a": {"$exists": 1}}, "a: $exists takes true or false, got 1"),
        ({"$or": []}, "$or takes a list of filters, got []"),
        ({"": 1}, "'' is neither a tag nor"),
        ({"a": [1]}, "a: expected a number, a text, true or false, got [1]"),
    ],
)
def test_what_is_no_filter_is_refused(opened: Opener, condition: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        asked(opened(), "", AXES[0], filter=condition)


@pytest.mark.parametrize("parameters", [{"mode": "words"}, {"metric": "manhattan"}, {"limit": 0}])
def test_unknown_parameters_are_refused(opened: Opener, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(parameters))):
        asked(opened(), "", AXES[0], **parameters)


# --- larger than one compares one by one ---------------------------------------------------------


def test_an_approximate_index_finds_most_after_changes_a_restart_and_its_loss(
    opened: Opener, catalogue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("usearch")
    monkeypatch.setattr(catalogue("VectorIndexer/nearest.py"), "EXACT_UP_TO", 300)
    random_ = np.random.default_rng(5)
    vectors = random_.random((900, 16)).astype(np.float32)

    def index(start: int, stop: int) -> None:
        indexer.index(docs_of({str(n): vectors[n] for n in range(start, stop)}))

    def check(kept: list[int]) -> None:
        hits = 0
        for query in random_.random((10, 16)):
            near = np.square(vectors[kept] - query).sum(axis=1)
            expected = {str(kept[n]) for n in np.argsort(near)[:10]}
            hits += len(expected.intersection(found(indexer, query)))
        assert hits >= 98  # of 100: it is approximate
        assert indexer.status()[0].tags["exact"] is False

    indexer = opened(metric="euclidean")
    index(0, 200)
    assert indexer.status()[0].tags["exact"] is True
    index(200, 800)
    check(list(range(800)))
    indexer.delete(DocumentArray([Document(id=str(n)) for n in range(100)]))
    vectors[100:200] = random_.random((100, 16))
    index(100, 200)
    check(list(range(100, 800)))
    indexer = opened(metric="euclidean")
    check(list(range(100, 800)))
    index(800, 900)
    (graph,) = opened.folder.glob("graph-*")
    opened.close()
    (graph,) = opened.folder.glob("graph-*")
    graph.write_bytes(graph.read_bytes()[:100])
    indexer = opened(metric="euclidean")
    check(list(range(100, 900)))
    opened.close()
    for graph in opened.folder.glob("graph-*"):
        graph.unlink()
    indexer = opened(metric="euclidean")
    check(list(range(100, 900)))
    assert found(indexer, vectors[150], metric="dot", top_k=3)  # of another metric: one by one


def test_an_approximate_index_knows_what_came_while_it_was_small_and_is_made_anew_when_outdated(
    opened: Opener, catalogue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("usearch")
    monkeypatch.setattr(catalogue("VectorIndexer/nearest.py"), "EXACT_UP_TO", 200)
    vectors = np.random.default_rng(6).standard_normal((500, 16)).astype(np.float32)

    def index(start: int, stop: int) -> None:
        indexer.index(docs_of({str(n): vectors[n] for n in range(start, stop)}))

    indexer = opened()
    index(0, 300)
    indexer.delete(DocumentArray([Document(id=str(n)) for n in range(250)]))
    index(300, 400)  # with these there are 150, fewer than the approximate index is made for
    index(400, 500)
    assert indexer.status()[0].tags["exact"] is False
    assert all(found(indexer, vectors[n])[0] == str(n) for n in range(250, 500))
    for _ in range(5):
        index(250, 500)
    assert all(found(indexer, vectors[n])[0] == str(n) for n in range(250, 500))
    opened.close()
    (file,) = opened.folder.glob("graph-*")
    assert int(file.stem.split("-")[-1]) <= 500, "of 1,750 vectors ever added, 250 are kept"


CHILD = """
    import sys
    from pathlib import Path

    import numpy as np
    from jina import Document, DocumentArray
    from jina.executors.modules import import_module

    file, workspace, start, ids = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    module = import_module(file)
    if sys.argv[5] == "graph":
        import_module(str(Path(file).with_name("nearest.py"))).EXACT_UP_TO = 50
        import_module(str(Path(file).with_name("graph.py")))._UNSAVED = 100
    indexer = module.VectorIndexer(
        metas={"workspace": workspace, "name": "indexer"}, runtime_args={"pea_id": 0}
    )
    for first in range(start, start + 1_000_000, 20):
        numbers = range(first, first + 20)
        docs = [
            Document(
                id=str(n % ids),
                text="word " * (n % 500),
                tags={"number": n},
                embedding=np.random.default_rng(n % ids).standard_normal(16),
            )
            for n in numbers
        ]
        indexer.index(DocumentArray(docs))
        sys.stdout.write("".join(f"{n}\\n" for n in numbers))
        sys.stdout.flush()
"""
SEEDS = int(os.environ.get("JINA_INDEX_SEEDS", "1"))


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("ids", [10**9, 70], ids=["new ids", "ids that replace"])
@pytest.mark.parametrize("kind", ["exact", "graph"])
def test_every_acknowledged_document_survives_kill_9(
    opened: Opener,
    catalogue: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
    ids: int,
    seed: int,
) -> None:
    """A child indexes and says so, and is killed at a random moment, again and again.

    Where ids replace, kills also meet the deletion of the older ones. The file of the approximate
    index may be behind after a kill; some lives begin with one that is cut or lost, too.
    """
    if kind == "graph":
        pytest.importorskip("usearch")
        monkeypatch.setattr(catalogue("VectorIndexer/nearest.py"), "EXACT_UP_TO", 50)
    chance = random.Random(ids + seed)
    file = catalogue("VectorIndexer/executor.py").__file__
    acknowledged: list[int] = []
    for life in range(5):
        numbers = [str(life * 1_000_000), str(ids), kind]
        command = [sys.executable, "-c", dedent(CHILD), file, str(tmp_path), *numbers]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(chance.randrange(1, 1500)):
                line = child.stdout.readline()
                assert line, "the child ended by itself"
                acknowledged.append(int(line))
            child.send_signal(signal.SIGKILL)
            # What it still said before the signal reached it counts too, but for half a line.
            rest = child.stdout.read()
            acknowledged += map(int, rest[: rest.rfind("\n") + 1].split())
        assert child.returncode == -signal.SIGKILL
        for graph in opened.folder.glob("graph-*"):
            if chance.random() < 0.2:
                graph.unlink()
            elif chance.random() < 0.4:
                graph.write_bytes(graph.read_bytes()[: chance.randrange(graph.stat().st_size)])
    indexer = opened()
    docs = docs_of({"query": np.ones(16)})
    indexer.search(docs, parameters={"top_k": 10**9})
    kept = {match.id: match.tags["number"] for match in docs[0].matches}
    assert len(acknowledged) > 1000
    # A later one of the same id may have been written without a word about it.
    assert [n for n in acknowledged if kept.get(str(n % ids), -1) < n] == []
    assert indexer.status()[0].tags["exact"] is (kind == "exact")
    by_id = dict.fromkeys(str(n % ids) for n in acknowledged)
    asked = DocumentArray(
        [Document(id=id_, embedding=vector_of(int(id_))) for id_ in sorted(by_id)]
    )
    indexer.search(asked, parameters={"top_k": 1})
    missed = [doc.id for doc in asked if [match.id for match in doc.matches] != [doc.id]]
    assert len(missed) <= (0 if kind == "exact" else len(by_id) // 1000)


def vector_of(number: int) -> np.ndarray:
    """The vector that the child gives to the Document with this id."""
    return np.random.default_rng(number).standard_normal(16)


# --- shards -------------------------------------------------------------------------------------


class Shards:
    """The shards of one index, each asked as `polling: ALL` does."""

    def __init__(self, indexer_class: Any, workspace: Path, shards: int) -> None:
        self.all = []
        try:
            for shard in range(shards):
                runtime_args = {"pea_id": shard, "shard_id": shard, "shards": shards}
                indexer = indexer_class(
                    metas={"workspace": str(workspace), "name": "indexer"},
                    runtime_args={**runtime_args, "polling": "ALL"},
                )
                self.all.append(indexer)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for indexer in self.all:
            indexer.close()

    def kept(self) -> list[list[str]]:
        return [sorted(found(indexer, [1.0, 1.0], top_k=1000)) for indexer in self.all]


def test_each_shard_keeps_its_own_documents_and_replaces_and_deletes_them(
    indexer_class: Any, tmp_path: Path
) -> None:
    ids = [f"doc {n}" for n in range(60)]
    docs = docs_of({id_: [1.0, n] for n, id_ in enumerate(ids)})
    shards = Shards(indexer_class, tmp_path, 3)
    for _ in range(2):  # the second time they are replaced
        for indexer in shards.all:
            assert [doc.id for doc in indexer.index(DocumentArray(docs))] == ids
    kept = shards.kept()
    assert sorted(id_ for part in kept for id_ in part) == sorted(ids)
    assert all(len(part) > 10 for part in kept)
    for indexer in shards.all:
        indexer.delete(DocumentArray([Document(id=id_) for id_ in ids[:30]]))
    names = [indexer.status()[0].id for indexer in shards.all]
    assert names == [f"indexer-shard-{n}" for n in range(3)]
    shards.close()
    shards = Shards(indexer_class, tmp_path, 3)
    assert sorted(id_ for part in shards.kept() for id_ in part) == sorted(ids[30:])
    shards.close()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (3, 2, "there is a shard 2 beside it|which belongs to shard"),
        (2, 3, "which belongs to shard . of 3, not to shard 0"),
        (2, 1, "there is a shard 1 beside it"),
        (1, 2, "which belongs to shard 1 of 2, not to shard 0"),
    ],
)
def test_another_number_of_shards_is_refused(
    indexer_class: Any, tmp_path: Path, before: int, after: int, message: str
) -> None:
    """Otherwise a Document would be found twice, or never again."""
    shards = Shards(indexer_class, tmp_path, before)
    for indexer in shards.all:
        indexer.index(docs_of({f"doc {n}": [1.0, n] for n in range(60)}))
    shards.close()
    with pytest.raises(ExecutorError, match=message):
        Shards(indexer_class, tmp_path, after)


@pytest.mark.parametrize(
    ("polling", "endpoint"),
    [
        ("ANY", "/index"),
        ({"/search": "ALL"}, "/index"),
        ({"*": "ALL", "/delete": "ANY"}, "/delete"),
    ],
)
def test_shards_that_are_not_all_asked_are_refused(
    indexer_class: Any, tmp_path: Path, polling: Any, endpoint: str
) -> None:
    with pytest.raises(ExecutorError, match=f"{endpoint} must reach every shard"):
        indexer_class(
            metas={"workspace": str(tmp_path), "name": "indexer"},
            runtime_args={"pea_id": 0, "shard_id": 0, "shards": 2, "polling": polling},
        )
    assert not list(tmp_path.rglob("index.sqlite"))


def test_a_vector_of_another_width_is_refused_by_every_shard(
    indexer_class: Any, tmp_path: Path
) -> None:
    shards = Shards(indexer_class, tmp_path, 2)
    for indexer in shards.all:
        with pytest.raises(ValueError, match="has an embedding of 3 numbers; those kept have 2"):
            indexer.index(docs_of({"a": [1.0, 0.0], "b": [1.0, 0.0, 0.0]}))
    assert shards.kept() == [[], []]
    shards.close()
