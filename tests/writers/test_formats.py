"""Which format a name stands for, and what each format holds of results."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina.excepts import InputError, OutputError
from jina.records.tensors import to_json
from jina.writers import Form, form_of, new_writer

GOOD = [
    {"id": "a", "text": 'one, "two"', "tags": {"price": 3, "size": "3", "of": {"x": [1]}}},
    {"id": "b", "text": "line\nend", "tags": {"price": 2.5, "size": "", "yes": True}},
    {"id": "c", "uri": "x.png", "embedding": [1.5, 2.0]},
]
FAILED = {"id": "d", "error": {"type": "a.ValueError", "message": "no", "executor": "enc"}}


def lines(*results: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(result).encode() + b"\n" for result in results)


def written(form: Form, *replies: bytes, **options: Any) -> bytes:
    writer = new_writer(form, **options)
    return b"".join([*(bytes(writer.written(reply)) for reply in replies), writer.end()])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.jsonl", "jsonl"),
        ("a.NDJSON", "jsonl"),
        ("a.json.gz", "json.gz"),
        ("b.d/a", "jsonl"),
        ("a.gz", "jsonl.gz"),
        ("a.csv", "csv"),
        ("a.tsv.gz", "tsv.gz"),
        ("a.txt", "text"),
        ("a.npy.gz", "npy.gz"),
        ("a.parquet", "parquet"),
        ("-", "jsonl"),
        ("/dev/null", "jsonl"),
    ],
)
def test_the_name_says_the_format(name: str, shown: str) -> None:
    assert form_of(name).shown == shown


@pytest.mark.parametrize("name", ["a.xlsx", "a.jsonl.bz2", "a.xlsx.gz", "b.json/a.xml"])
def test_an_unknown_ending_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not a known format for results") as caught:
        form_of(name)
    assert ".jsonl .ndjson .json .csv .tsv .txt .npy .parquet" in (caught.value.hint or "")
    assert form_of(name, "jsonl").name == "jsonl"


@pytest.mark.parametrize(
    ("name", "wanted", "why"),
    [
        ("-", "npy", "npy cannot be written to a pipe"),
        ("/dev/null", "parquet", "parquet cannot be written to a pipe"),
        ("a.parquet.gz", "auto", "compressed already"),
    ],
)
def test_a_format_that_a_file_cannot_have(name: str, wanted: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        form_of(name, wanted)


def test_a_list_is_one_whatever_the_replies_were() -> None:
    assert written(Form("json")) == b"[]\n"
    for replies in ([lines(*GOOD, FAILED)], [lines(GOOD[0]), b"", lines(*GOOD[1:], FAILED)]):
        assert json.loads(written(Form("json"), *replies)) == [*GOOD, FAILED]


def test_texts_have_a_line_for_each_result() -> None:
    assert written(Form("text"), lines(*GOOD, FAILED)) == b'one, "two"\nline end\n\n\n'


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_table_has_the_columns_of_the_first_results(form: str) -> None:
    text = written(Form(form), lines(*GOOD), lines(FAILED)).decode()
    head, *rows = csv.reader(io.StringIO(text), delimiter="," if form == "csv" else "\t")
    tags = ["tags.price", "tags.size", "tags.of", "tags.yes"]
    assert head == ["id", "text", *tags, "uri", "embedding", "error"]
    assert rows == [
        ["a", 'one, "two"', "3", '"3"', '{"x": [1]}', "", "", "", ""],
        ["b", "line\nend", "2.5", '""', "", "true", "", "", ""],
        ["c", "", "", "", "", "", "x.png", "[1.5, 2.0]", ""],
        ["d", "", "", "", "", "", "", "", "ValueError in enc: no"],
    ]


def test_columns_wait_for_the_first_result_that_has_not_failed() -> None:
    writer = new_writer(Form("csv"))
    assert writer.written(lines(FAILED)) == b""
    assert writer.is_behind
    assert writer.written(lines(GOOD[2])).splitlines() == [
        b"id,uri,embedding,error",
        b"d,,,ValueError in enc: no",
        b'c,x.png,"[1.5, 2.0]",',
    ]
    assert not writer.is_behind
    assert written(Form("csv"), lines(FAILED)).startswith(b"id,text,tags,error\nd,,,")


def test_columns_may_wait_for_more_results() -> None:
    replies = (lines(GOOD[0]), lines(GOOD[2]))
    assert written(Form("csv"), *replies, first_rows=100).startswith(b"id,text,tags.price,tags.siz")
    writer = new_writer(Form("csv"), first_rows=2)
    assert writer.written(replies[0]) == b""
    assert writer.written(replies[1]).count(b"\n") == 3


def test_what_no_column_takes_is_told() -> None:
    writer = new_writer(Form("csv"))
    writer.written(lines({"id": "a", "text": "x"}))
    assert not writer.notes()
    assert writer.written(lines(*GOOD)).startswith(b"a,")
    (note,) = writer.notes()
    assert "tags.price (2)" in note
    assert "embedding (1)" in note


def test_the_uri_of_an_error_makes_no_column() -> None:
    named = {"id": "d", "uri": "x.png", "error": FAILED["error"]}
    writer = new_writer(Form("csv"), ["id"])
    table = bytes(writer.written(lines({"id": "a"}, named)))
    assert table == b"id,error\na,\nd,ValueError in enc: no\n"
    assert not writer.notes()
    assert written(Form("csv"), lines({"id": "a", "uri": "y"}, named)).endswith(
        b"\nd,x.png,ValueError in enc: no\n"
    )


def test_the_uri_of_an_error_makes_no_column_of_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `columnar`")
    named = {"id": "d", "uri": "x.png", "error": FAILED["error"]}
    for rows, columns in [
        ([{"id": "a"}, named], ["id", "error"]),
        ([{"id": "a", "uri": "y"}, named], ["id", "uri", "error"]),
    ]:
        writer = new_writer(Form("parquet"))
        path = tmp_path / "a.parquet"
        path.write_bytes(writer.written(lines(*rows)))
        writer.complete(str(path))
        table = parquet.read_table(path)
        assert table.column_names == columns
        assert table.to_pylist()[1].get("uri") == ("x.png" if "uri" in columns else None)


def test_selected_columns_are_known_at_once() -> None:
    reply = lines({"id": "a", "tags": {"price": 1}})
    table = written(Form("csv"), reply, select=["id", "tags.price", "uri"])
    assert table == b"id,tags.price,uri,error\na,1,,\n"
    assert written(Form("csv"), select=["uri"]) == b"uri,error\n"
    assert written(Form("csv"), reply, select=["tags"]) == b'tags,error\n"{""price"":1}",\n'


def test_a_table_goes_on_with_the_columns_that_it_has() -> None:
    for form in (Form("csv"), Form("tsv", is_gzip=True)):
        whole = written(form, lines(*GOOD), lines(FAILED))
        begun = bytes(new_writer(form).written(lines(*GOOD)))
        writer = new_writer(form)
        writer.take_up(io.BytesIO(begun))
        assert begun + writer.written(lines(FAILED)) == whole


def test_packed_results_are_cut_at_members() -> None:
    writer = new_writer(Form("jsonl", is_gzip=True))
    first, second = (bytes(writer.written(lines(each))) for each in (GOOD[0], FAILED))
    assert gzip.decompress(first) == lines(GOOD[0])
    assert gzip.decompress(first + second) == lines(GOOD[0], FAILED)
    assert writer.end() == b""


def array_of(path: Path, *replies: bytes, is_gzip: bool = False) -> Any:
    writer = new_writer(Form("npy", is_gzip))
    path.write_bytes(b"".join(bytes(writer.written(reply)) for reply in replies) + writer.end())
    writer.complete(str(path))
    with gzip.open(path) if is_gzip else path.open("rb") as file:
        return np.load(file), writer.notes()  # type: ignore[arg-type]


@pytest.mark.parametrize("is_gzip", [False, True])
def test_an_array_has_a_row_for_each_result(tmp_path: Path, is_gzip: bool) -> None:
    replies = [lines(FAILED), lines(*GOOD), lines({"id": "e", "embedding": [0, 1]})]
    array, notes = array_of(tmp_path / "a.npy", *replies, is_gzip=is_gzip)
    assert array.dtype == np.float32
    blank = [np.nan, np.nan]
    np.testing.assert_array_equal(array, [blank, blank, blank, [1.5, 2], [0, 1]])
    assert notes == (
        "there is a row of NaN for each of these Documents: 1 failed, 2 without an embedding",
    )
    assert [each.name for each in tmp_path.iterdir()] == ["a.npy"]


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_an_array_has_the_type_of_the_embeddings(tmp_path: Path, dtype: str) -> None:
    rows = np.array([[0.1, 2], [1 / 3, 0]], dtype)
    vectors = [{"embedding": to_json(row, form)} for row in rows for form in ("base64", "typed")]
    array, _ = array_of(tmp_path / "a.npy", lines(FAILED, vectors[0]), lines(*vectors[1:]))
    assert array.dtype.str == dtype
    np.testing.assert_array_equal(array[1:], rows[[0, 0, 1, 1]])
    whole = {"embedding": to_json(np.array([1, 2]), "base64")}
    assert array_of(tmp_path / "b.npy", lines(whole))[0].dtype == np.float32


def test_an_array_of_nothing(tmp_path: Path) -> None:
    array, notes = array_of(tmp_path / "a.npy")
    assert (array.shape, notes) == ((0, 0), ())
    with pytest.raises(OutputError, match="no result has an embedding"):
        array_of(tmp_path / "b.npy", lines(GOOD[0]))


@pytest.mark.parametrize(
    ("embedding", "why"), [([1, 2, 3], r"has the shape \(3,\), but those before it have \(2,\)")]
)
def test_an_array_has_rows_of_one_shape(tmp_path: Path, embedding: Any, why: str) -> None:
    with pytest.raises(OutputError, match=why):
        array_of(tmp_path / "a.npy", lines(GOOD[2]), lines({"id": "x", "embedding": embedding}))
