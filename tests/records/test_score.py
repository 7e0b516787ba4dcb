"""Whatever users write into scores and locations arrives as it is, or is an error where it is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.records.score import NamedScore
from jina.types.codec import decode, encode, render
from jina.types.codec import parse_lines as parse


def over_the_wire(doc):
    return decode(encode(DocumentArray([doc, Document()])))[0]


def through_json(doc):
    return parse(render([doc]), key="k", first_line=1).docs[0]


def through_bytes(doc):
    return Document(doc.binary_str())


WAYS = pytest.mark.parametrize("way", [over_the_wire, through_json, through_bytes])


def updated(scores):
    scores.update({"a": 0.5}, b=1)


def set_by_default(scores):
    assert scores.setdefault("a", 0.5) is scores.setdefault("a", 7)
    scores.setdefault("b", 1)


def joined(scores):
    scores |= {"a": 0.5, "b": 1}


@WAYS
@pytest.mark.parametrize("how", [updated, set_by_default, joined])
def test_numbers_become_scores_however_they_are_put_in(way, how):
    doc = Document(id="x")
    how(doc.scores)
    assert doc.scores == {"a": NamedScore(0.5), "b": NamedScore(1.0)}
    assert way(doc).scores == doc.scores


@WAYS
def test_a_number_of_another_type_in_a_score_arrives_as_a_float(way):
    doc = Document(scores={"a": 1})
    doc.scores["a"].value = np.float32(0.5)
    doc.scores["a"].operands = [NamedScore(2)]
    found = way(doc).scores["a"]
    assert (found.value, type(found.value)) == (0.5, float)
    assert type(found.operands[0].value) is float


@WAYS
@pytest.mark.parametrize(
    ("attribute", "value", "why"),
    [
        ("value", "high", "a score is a number or a NamedScore, not str"),
        ("value", None, "a score is a number or a NamedScore, not NoneType"),
        ("op_name", 5, "the `op_name` of a score is text, not int"),
    ],
)
def test_a_score_that_is_none_is_refused_where_it_is_sent(way, attribute, value, why):
    doc = Document(id="x", scores={"a": 1})
    setattr(doc.scores["a"], attribute, value)
    with pytest.raises(DocumentError, match=f"`scores` of Document 'x' cannot be .*: {why}"):
        way(doc)


@pytest.mark.parametrize("value", ["0.5", None, 10**400, [1]])
def test_a_score_is_a_number(value):
    with pytest.raises(TypeError, match="a score is a number"):
        Document().scores["a"] = value
    with pytest.raises(TypeError, match=r"`scores\.a` is not a score"):
        Document(scores={"a": value})


def test_a_score_has_a_name():
    with pytest.raises(TypeError, match="a score has a name, not 5"):
        Document().scores[5] = 1


@WAYS
def test_whole_numbers_of_any_type_are_places(way):
    doc = Document(location=[1])
    doc.location.append(np.int64(5))
    assert way(doc).location == [1, 5]


@WAYS
@pytest.mark.parametrize("value", ["x", 1.5, -1, None, 1 << 63])
def test_a_place_that_is_none_is_refused_where_it_is_sent(way, value):
    doc = Document(id="x")
    doc.location.append(value)
    with pytest.raises(
        DocumentError, match=r"`location` of Document 'x' cannot be .*`location` is"
    ):
        way(doc)


@WAYS
@pytest.mark.parametrize("field", ["scores", "evaluations"])
def test_a_score_can_be_filled_in_without_being_made_first(way, field):
    doc = Document(id="x")
    scores = getattr(doc, field)
    assert "a" not in scores
    scores["a"].value = 3
    scores["a"].op_name = "count"
    assert getattr(way(doc), field) == {"a": NamedScore(3.0, "count")}


def test_a_score_without_a_text_as_its_name_is_not_created():
    doc = Document()
    with pytest.raises(TypeError, match="a score has a name, not 5"):
        doc.scores[5].value = 1
    assert not doc.scores


def test_the_annotations_of_a_score_resolve_before_its_public_path_is_imported():
    program = (
        "from typing import get_type_hints\n"
        "from jina.records.score import NamedScore\n"
        "assert get_type_hints(NamedScore)['operands'] == list[NamedScore]\n"
        "import sys; assert 'jina.types.score' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_names_that_jina_2_writes_in_json_are_read():
    line = (
        b'{"scores": {"s": {"value": 0.5, "opName": "dot", "refId": "r",'
        b' "operands": [{"opName": "a"}]}}}'
    )
    (doc,) = parse(line, key="k", first_line=1).docs
    assert doc.scores["s"] == NamedScore(0.5, "dot", "", "r", [NamedScore(0.0, "a")])
    assert Document({"scores": {"s": {"opName": "dot"}}}).scores["s"].op_name == "dot"
    wrong = parse(b'{"scores": {"s": {"opname": "dot"}}}', key="k", first_line=1)
    assert [error.row for error in wrong.errors] == [0]
