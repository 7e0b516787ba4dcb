"""Parquet and Arrow: a row is a Document, and columns are fields or tags."""

from __future__ import annotations

import datetime
import decimal
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import MissingExtra
from jina.readers.inputs import find_inputs
from tests.readers.drained import read, refusal

pa = pytest.importorskip("pyarrow", reason="the extra `columnar`")
pq = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

NAMES = ["a.parquet", "a.arrow", "a.feather", "a.arrows", "a.parquet.gz", "a.arrow.gz"]


def written(tmp_path: Path, table: Any, name: str = "a.parquet", rows: int = 100) -> Path:
    path = tmp_path / name.removesuffix(".gz")
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, chunksize=rows)
    else:
        new = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as file, new(file, table.schema) as writer:
            writer.write_table(table, rows)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
    return tmp_path / name


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_fields_or_tags_and_null_is_unset(tmp_path: Path, name: str) -> None:
    table = pa.table(
        {
            "id": ["x", None, "z"],
            "text": ["a", None, ""],
            "embedding": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32())),
            "n": [1, None, 3],
            "l": pa.array([[1], [], None], pa.list_(pa.int64())),
            "s": [{"a": 1}, {"a": 2}, None],
            "day": [datetime.date(2024, 1, 2)] * 3,
            "price": [decimal.Decimal("1.10")] * 3,
        }
    )
    first, second, third = read(written(tmp_path, table, name, 2)).docs
    assert (first.id, first.text, first.embedding.tolist()) == ("x", "a", [1, 2])
    assert first.embedding.dtype == np.float32
    assert first.tags == {"n": 1, "l": [1], "s": {"a": 1}, "day": "2024-01-02", "price": "1.10"}
    assert second.id.endswith("-2")
    assert (second.content, second.embedding) == (None, None)
    assert second.tags == {"l": [], "s": {"a": 2}, "day": "2024-01-02", "price": "1.10"}
    assert (third.id, third.text, third.embedding.tolist()) == ("z", "", [3, 4])


def test_columns_get_other_names(tmp_path: Path) -> None:
    table = pa.table(
        {
            "q": ["a"],
            "v": pa.array([[1, 2]], pa.list_(pa.float64(), 2)),
            "raw": pa.array([b"\x00"]),
        }
    )
    path = written(tmp_path, table)
    (doc,) = read(path, resolver={"q": "title", "v": "embedding", "raw": "buffer"}).docs
    assert (doc.tags, doc.embedding.tolist(), doc.buffer) == ({"title": "a"}, [1, 2], b"\x00")
    assert refusal(path) == (
        f'{path}: the column "raw" contains bytes, which tags cannot hold\n'
        "help: --field-resolver raw=buffer"
    )
    assert refusal(path, resolver={"x": "text"}) == (
        f'{path}: there is no column "x"\nhelp: the columns are: q, v, raw'
    )


def test_lists_of_fixed_size_with_null_rows_stay_in_step(tmp_path: Path) -> None:
    column = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2))
    path = written(tmp_path, pa.table({"blob": column}), "a.arrow")
    docs = read(path, max_lines=2).docs
    assert [doc.blob is not None and doc.blob.tolist() for doc in docs] == [[1, 2], False, [3, 4]]


def test_a_row_that_is_no_document_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", "b", "c"],
            "granularity": [0, -1, 2],
            "embedding": pa.array([[1.0], [1.0], [None]], pa.list_(pa.float64())),
        }
    )
    path = written(tmp_path, table)
    found = read(path)
    assert found.texts == ["a"]
    assert found.failures[0] == (
        f"{path}: row 2: `granularity` is -1, expected a number from 0 to 2**63 - 1"
    )
    assert found.failures[1].startswith(f"{path}: row 3: `embedding` is not a tensor: ")
    assert found.places == [1, 2]


@pytest.mark.parametrize(
    ("value", "other", "why"),
    [
        (float("nan"), 0.5, "`tags.score` is NaN, which JSON cannot represent"),
        (float("-inf"), 0.5, "`tags.score` is -infinity, which JSON cannot represent"),
        (
            [[1.0, float("inf")]],
            [[0.5]],
            "`tags.score[0][1]` is infinity, which JSON cannot represent",
        ),
        ({"a": [float("nan")]}, {"a": []}, "`tags.score.a[0]` is NaN, which JSON cannot represent"),
        ({"a": b"x"}, None, "`tags.score.a` is a bytes"),
    ],
)
def test_a_tag_that_no_line_can_hold_is_the_outcome_of_its_row(
    tmp_path: Path, value: Any, other: Any, why: str
) -> None:
    table = pa.table({"text": ["a", "b", "c"], "score": [other, value, other]})
    path = written(tmp_path, table)
    found = read(path)
    assert found.texts == ["a", "c"]
    assert [doc.tags for doc in found.docs] == [{"score": other} if other else {}] * 2
    assert found.failures == [f"{path}: row 2: {why}"]
    assert found.places == [1]


def test_scores_and_chunks_that_no_line_can_hold_are_the_outcome_of_their_row(
    tmp_path: Path,
) -> None:
    nan = float("nan")
    scores = pa.table({"scores": [{"a": nan}, {"a": 1.0}]})
    path = written(tmp_path, scores)
    assert read(path).failures == [
        f"{path}: row 1: the score `a` is NaN, which JSON cannot represent"
    ]
    chunks = pa.table({"chunks": [[{"text": "a", "k": 1.0}], [{"text": "b", "k": nan}]]})
    path = written(tmp_path, chunks)
    assert read(path).failures == [f"{path}: row 2: `tags.k` is NaN, which JSON cannot represent"]


def test_whole_numbers_are_ids(tmp_path: Path) -> None:
    table = pa.table({"id": [0, 17, None, -3], "text": ["a", "b", "c", "d"]})
    found = read(written(tmp_path, table))
    assert found.failures == []
    zero, one, unset, negative = (doc.id for doc in found.docs)
    assert (zero, one, negative) == ("0", "17", "-3")
    assert unset.endswith("-3")
    assert unset != "-3"
    table = pa.table({"id": [0.5]})
    path = written(tmp_path, table)
    assert read(path).failures == [f"{path}: row 1: `id` is a float, expected text"]


def test_numbers_of_64_bits_without_sign_are_tags(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([2**64 - 1], pa.uint64())})
    (doc,) = read(written(tmp_path, table)).docs
    assert doc.tags == {"n": 2**64 - 1}


def test_a_damaged_file_keeps_what_lies_before(tmp_path: Path) -> None:
    table = pa.table({"text": [f"line {n}" for n in range(1000)]})
    path = written(tmp_path, table, "a.arrows")
    path.write_bytes(path.read_bytes()[:8000])
    found = read(path)
    assert found.texts == [f"line {n}" for n in range(len(found.docs))]
    assert found.docs
    assert found.broken.startswith(f"{path}: the file is damaged: ")


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather", "a.parquet.gz"])
@pytest.mark.parametrize("data", [b"", b"PAR1", b"ARROW1\0\0", b"nothing of this kind" * 20])
def test_what_is_no_such_file_is_said(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    kind = "parquet" if "parquet" in name else "arrow"
    assert refusal(path).startswith(f"{path}: not a valid {kind} file: ")


def test_a_packed_file_that_is_cut_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, pa.table({"text": ["a"]}), "a.parquet.gz")
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(path).startswith(f"{path}: the gzip file is broken: ")


def test_a_missing_package_is_named_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, pa.table({"text": ["a"]}))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        find_inputs([str(path)])
    assert str(caught.value) == (
        f"{path}: parquet files need pyarrow\nhelp: pip install 'jinacli[columnar]'"
    )


rows = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=3),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    min_size=1,
    max_size=10,
)


@given(rows, st.sampled_from(NAMES), st.integers(1, 4), st.integers(1, 4))
def test_any_rows_come_back_in_any_runs(
    tmp_path_factory: pytest.TempPathFactory,
    given_rows: list[tuple[str | None, list[float] | None, int | None]],
    name: str,
    batch: int,
    most: int,
) -> None:
    texts, vectors, numbers = map(list, zip(*given_rows, strict=True))
    table = pa.table(
        {
            "text": pa.array(texts, pa.string()),
            "embedding": pa.array(vectors, pa.list_(pa.float32())),
            "n": pa.array(numbers, pa.int64()),
        }
    )
    path = written(tmp_path_factory.mktemp("columns"), table, name, batch)
    found = read(path, max_lines=most)
    assert [doc.text or None for doc in found.docs] == [text or None for text in texts]
    assert [None if d.embedding is None else d.embedding.tolist() for d in found.docs] == vectors
    assert [doc.tags.get("n") for doc in found.docs] == numbers
