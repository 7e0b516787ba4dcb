"""Documents come out of lines, tables, files and arrays, one after the other."""

from __future__ import annotations

import gzip
from io import StringIO
from itertools import count, islice

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.types.document.generators import (
    from_csv,
    from_files,
    from_lines,
    from_ndarray,
    from_ndjson,
)


def test_rows_of_an_array_become_blobs():
    array = np.arange(6).reshape(3, 2)
    assert [doc.blob.tolist() for doc in from_ndarray(array)] == [[0, 1], [2, 3], [4, 5]]
    assert [doc.blob.tolist() for doc in from_ndarray(array, axis=1, size=1)] == [[0, 2, 4]]
    shuffled = DocumentArray.from_ndarray(array, shuffle=True).blobs
    assert sorted(shuffled.tolist()) == array.tolist()


def test_files_become_uris_texts_and_buffers(tmp_path):
    for name in ("a.txt", "b.txt", "c.bin"):
        (tmp_path / name).write_text(name)
    docs = list(from_files(f"{tmp_path}/*.txt"))
    assert sorted(doc.uri for doc in docs) == [f"{tmp_path}/a.txt", f"{tmp_path}/b.txt"]
    assert {doc.content_type for doc in docs} == {None}
    texts = DocumentArray.from_files([f"{tmp_path}/a*", f"{tmp_path}/c*"], read_mode="r").texts
    assert texts == ["a.txt", "c.bin"]
    assert next(from_files(f"{tmp_path}/c*", read_mode="rb")).buffer == b"c.bin"
    assert len(list(from_files(f"{tmp_path}/*", size=2))) == 2
    assert list(from_files(f"{tmp_path}/*", sampling_rate=0.0)) == []
    with pytest.raises(ValueError, match="unknown read mode 'w'"):
        from_files("*", read_mode="w")


def test_a_table_gives_fields_and_tags():
    lines = StringIO('text,weight,tone\n"a, b",0.5,x\n\nc,,y\n')
    docs = DocumentArray.from_csv(lines, field_resolver={"tone": "mood"})
    assert docs.texts == ["a, b", "c"]
    assert [doc.weight for doc in docs] == [0.5, 0]
    assert [doc.tags for doc in docs] == [{"mood": "x"}, {"mood": "y"}]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,b\n1,2\n3\n", "rows:3: 1 column, but the header has 2"),
        ("weight\nheavy\n", "rows:2: `weight` is 'heavy', expected a number"),
    ],
)
def test_a_bad_row_is_named(rows, message):
    with pytest.raises(DocumentError) as caught:
        list(from_csv(StringIO(rows)))
    assert str(caught.value) == message


def test_two_columns_of_one_name_would_lose_one():
    with pytest.raises(DocumentError, match='rows:1: the column "a" appears twice'):
        list(from_csv(StringIO("a,b,a\n1,2,3\n")))
    with pytest.raises(DocumentError, match='the columns "q" and "text" both set `text`'):
        list(from_csv(StringIO("q,text\n1,2\n"), field_resolver={"q": "text"}))


def test_packed_lines_are_unpacked(tmp_path):
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(b"text\tn\nx\t1\n"))
    (doc,) = from_lines(filepath=path)
    assert (doc.text, doc.tags) == ("x", {"n": "1"})


def test_json_lines_give_documents_and_pairs():
    docs = list(from_ndjson(['{"text":"a"}\n', "\n", '{"q":"b"}'], field_resolver={"q": "text"}))
    assert [doc.text for doc in docs] == ["a", "b"]
    pair = next(from_ndjson(['{"document":{"id":"a"},"groundtruth":{"id":"b"}}']))
    assert [doc.id for doc in pair] == ["a", "b"]


def test_a_bad_line_is_named_after_what_came_before():
    for lines in (['{"id":"a"}', "nope"], ["", "\n", '{"id":"a"}', "nope", '{"id":"b"}']):
        found = from_ndjson(lines)
        assert next(found) == Document(id="a")
        with pytest.raises(DocumentError, match=rf"lines:{lines.index('nope') + 1}: not JSON"):
            next(found)


def test_a_carriage_return_within_a_line_ends_none():
    lines = ['{"id":"a",\r"q":"x"}\r\n', "nope"]
    found = from_ndjson(lines, field_resolver={"q": "text"})
    assert next(found) == Document({"id": "a", "text": "x"})
    with pytest.raises(DocumentError, match="lines:2: "):
        next(found)


def test_endless_lines_are_read_as_they_are_asked_for():
    endless = (f'{{"text":"{number}"}}' for number in count())
    assert [doc.text for doc in islice(from_ndjson(endless), 3)] == ["0", "1", "2"]


def test_the_name_of_a_file_says_what_its_lines_are(tmp_path):
    for name, text in (
        ("a.jsonl", '{"text":"x"}\n'),
        ("a.csv", "text\nx\n"),
        ("a.tsv", "text\tn\nx\t1\n"),
        ("a.txt", "x\n\n"),
    ):
        (tmp_path / name).write_text(text)
        assert [doc.text for doc in from_lines(filepath=tmp_path / name)] == ["x"]
    assert DocumentArray.from_lines(["x\n", "y"], line_format="text").texts == ["x", "y"]
    assert DocumentArray.from_lines(["text", "x"], line_format="csv").texts == ["x"]
    with pytest.raises(ValueError, match="neither"):
        from_lines()
