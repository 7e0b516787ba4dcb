"""Documents are picked by tags, at random, in groups and in batches."""

from __future__ import annotations

import pytest

from jina import Document, DocumentArray
from jina.types.codec import decode, encode


@pytest.fixture(params=["rows", "columns"])
def docs(request):
    rows = DocumentArray([Document(id=name, tags={"n": name}) for name in "abc"])
    return rows if request.param == "rows" else decode(encode(rows))


def test_find_sample_shuffle_split_and_batch():
    docs = DocumentArray([Document(id=str(i), tags={"n": i % 2, "s": f"x{i}"}) for i in range(6)])
    assert docs.find({"s": "x[0-2]", "n": "0"}).get_attributes("id") == ["0", "2"]
    assert len(docs.find({"s": "x0", "n": "0"}, threshold=1)) == 3
    assert len(docs.find({"s": "x0"}, operator="<")) == 5
    assert docs.sample(2, seed=1) == docs.sample(2, seed=1)
    assert sorted(docs.shuffle(seed=1).get_attributes("id")) == list("012345")
    assert {key: len(part) for key, part in docs.split("n").items()} == {0: 3, 1: 3}
    assert [len(part) for part in docs.batch(4)] == [4, 2]
    docs[0].text = "x"
    assert [len(part) for part in docs.batch(batch_size=4, require_attr="text")] == [1]
    with pytest.raises(ValueError, match="unknown operator '~'"):
        docs.find({"s": "x"}, operator="~")


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda docs: docs.find(5), "5 is not a dict from tags to regular expressions"),
        (lambda docs: docs.find({"n": 5}), "not a dict from tags to regular expressions"),
        (lambda docs: docs.find({"n": "("}), r"'\(' is not a regular expression"),
        (lambda docs: docs.find({"n": "a"}, operator="~"), "unknown operator '~'"),
        (lambda docs: docs.sample(4), "cannot sample 4 of 3 Documents"),
        (lambda docs: docs.sample(-1), "cannot sample -1 of 3 Documents"),
        (lambda docs: list(docs.batch(0)), "a batch of 0 Documents"),
        (lambda docs: list(docs.batch("2")), "a batch of '2' Documents"),
        (lambda docs: list(docs.batch(1.5)), r"a batch of 1\.5 Documents"),
    ],
)
def test_selections_say_what_they_cannot_do(docs, call, what):
    with pytest.raises(ValueError, match=what):
        call(docs)


def test_split_reaches_into_tags_and_takes_values_that_can_be_keys():
    docs = DocumentArray(
        [Document(id="a", tags={"m": {"x": 1}}), Document(id="b", tags={"m": {"x": 2}})]
    )
    assert {key: part[0].id for key, part in docs.split("m__x").items()} == {1: "a", 2: "b"}
    assert docs.split("none") == {}
    with pytest.raises(ValueError, match="the tag 'm' of Document 'a' is a dict"):
        docs.split("m")
