"""Records come out of lines, tables, files and arrays: what the generators give as Documents."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from jina.excepts import BadDocType, DocumentError
from jina.records import record_ops
from jina.records.record import Record
from jina.types import sources
from jina.types.document import Document, generators


def found(name, *args, **kwargs):
    """What a source gives, each with an id, and the same from the generator of that name."""
    records = list(getattr(sources, name)(*args, **kwargs))
    docs = list(getattr(generators, name)(*args, **kwargs))
    assert all(type(record) is Record and record.id for record in records)
    assert all(type(doc) is Document for doc in docs)
    for record, doc in zip(records, docs, strict=True):
        theirs = record_ops.shallow(doc._record)
        theirs.id = record.id
        assert record_ops.equal(record, theirs)
    return records


def test_every_source_gives_records_and_its_generator_the_same_documents(tmp_path):
    (tmp_path / "a.html").write_text("<p>")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"x\n\ny\n"))
    (row, _) = found("from_ndarray", np.eye(2))
    assert row.blob.tolist() == [1, 0]
    (record,) = found("from_files", f"{tmp_path}/*.html", read_mode="r")
    assert (record.text, record.mime_type) == ("<p>", "text/html")
    (record,) = found("from_files", f"{tmp_path}/*.html", read_mode="rb", to_dataturi=True)
    assert (record.buffer, record.uri) == (b"<p>", "data:text/html;charset=utf-8;base64,PHA+")
    (record,) = found("from_csv", ["text,n\n", "x,1\n"])
    assert (record.text, record_ops.decoded("tags", record.tags)) == ("x", {"n": "1"})
    (record,) = found("from_ndjson", ['{"text":"x"}'])
    assert record.text == "x"
    assert [each.text for each in found("from_lines", filepath=tmp_path / "b.txt.gz")] == ["x", "y"]


def test_a_line_with_a_groundtruth_gives_a_pair_of_records():
    (pair,) = sources.from_ndjson(['{"document":{"id":"a"},"groundtruth":{"id":"b"}}'])
    assert [(type(record), record.id) for record in pair] == [(Record, "a"), (Record, "b")]


def test_a_child_that_is_no_object_is_named_with_its_line():
    lines = ['{"q":"x","chunks":[5]}']
    with pytest.raises(DocumentError, match=r"^lines:1: an int is not a Document$") as caught:
        list(sources.from_ndjson(lines, field_resolver={"q": "text"}))
    assert isinstance(caught.value.__cause__, BadDocType)
