"""What is written can be read again: the same Documents, whatever the format."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.records.tables import TableHead, tag_cell
from jina.types import codec
from jina.writers import Form, new_writer
from tests.readers.drained import read

FORMS = [
    *(Form(name, packed) for name in ("jsonl", "json", "csv", "tsv") for packed in (False, True)),
    Form("parquet"),
]
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
# What a JSON number is, beside whole numbers: a float that is none of them.
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.booleans()
    | numbers
    | texts
    | st.just("")
    | st.sampled_from(["1", "true", "null", " 2", "{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
documents = st.fixed_dictionaries(
    {"id": texts},
    optional={
        "text": texts,
        "uri": texts,
        "weight": st.floats(0.5, 2),
        "offset": st.integers(1, 9),
        "tags": st.dictionaries(texts, values, min_size=1, max_size=3),
        "embedding": st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=2),
        "scores": st.just({"cosine": {"value": 0.25}}),
        "matches": st.just([{"id": "m", "text": 'a, "match"\n'}]),
        "location": st.just([1, 2]),
    },
)


def there_and_back(form: Form, docs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Documents, written as results in two replies and read again."""
    if form.name == "parquet":
        pytest.importorskip("pyarrow", reason="the extra `columnar`")
    lines = [json.dumps(doc).encode() + b"\n" for doc in docs]
    parsed = codec.parse_lines(b"".join(lines), key="", first_line=1)
    tensors = "base64" if form.name == "parquet" else "list"
    lines = codec.render(parsed.docs, tensors=tensors).splitlines(keepends=True)  # type: ignore
    writer = new_writer(form, first_rows=len(docs))
    replies = (b"".join(lines[:1]), b"".join(lines[1:]))
    data = b"".join([*(bytes(writer.written(reply)) for reply in replies), writer.end()])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{form.shown}"
        path.write_bytes(data)
        writer.complete(str(path))
        found = read(path)
    assert not writer.notes()
    assert (found.failures, found.broken) == ([], "")
    return [msgspec.json.decode(line) for line in codec.render(found.docs).splitlines()]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.shown)
@given(docs=st.lists(documents, min_size=1, max_size=4, unique_by=lambda doc: doc["id"]))
def test_documents_come_back_the_same(form: Form, docs: list[dict[str, Any]]) -> None:
    expected = codec.parse_lines(
        b"".join(json.dumps(doc).encode() + b"\n" for doc in docs), key="", first_line=1
    ).docs
    assert there_and_back(form, docs) == [
        msgspec.json.decode(line) for line in codec.render(expected).splitlines()
    ]


@given(value=values)
def test_a_cell_of_a_tag_holds_any_value(value: Any) -> None:
    cell = tag_cell(msgspec.Raw(msgspec.json.encode(value)))
    head = TableHead(["id", "tags.x"])
    assert head.values(["a", cell]) == {"id": "a", "tags": {"x": value}}


def test_a_column_error_is_no_tag_where_nothing_failed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text,error\na,x,\nb,,no luck\n")
    found = read(path).docs
    assert [doc.tags for doc in found] == [{}, {"error": "no luck"}]


def test_tags_beside_tags_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,tags,tags.b\na,"{""a"": 1}",2\nb,"{""b"": 1}",2\n')
    found = read(path)
    assert [doc.tags for doc in found.docs] == [{"a": 1, "b": 2}]
    assert found.failures == [f"{path}:3: a key appears both in `tags` and in its own column"]
