"""JSON lines: each line is one Document or one error, and what is written is what was set."""

from __future__ import annotations

import json
import sys
import time
import tracemalloc

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.records.jsonlines import LineError
from jina.types import codec
from jina.types.codec import parse_lines as parse
from jina.types.codec import render


def read(text, first_line=1):
    data = text if isinstance(text, bytes) else text.encode()
    return parse(data, key="k", first_line=first_line)


def test_known_keys_become_fields():
    line = {
        "id": "a",
        "text": "hello",
        "tags": {"x": [1, {"y": None}]},
        "embedding": [1, 2.5],
        "blob": None,
        "scores": {"cosine": {"value": 0.5}},
        "chunks": [{"text": "c"}],
        "granularity": 2,
        "location": [1, 2],
    }
    doc = read(json.dumps(line)).docs[0]
    assert doc.text == "hello"
    assert doc.tags == {"x": [1, {"y": None}]}
    assert doc.embedding.tolist() == [1, 2.5]
    assert doc.scores["cosine"].value == 0.5
    assert (doc.chunks[0].text, doc.granularity, doc.location) == ("c", 2, [1, 2])


def test_a_plain_number_is_a_score_too():
    assert read('{"scores": {"a": 0.5}}').docs[0].scores["a"].value == 0.5


def test_unknown_keys_become_tags():
    found = read('{"id":"a","title":"T"}\n{"id":"b","title":"U","mime_type":"x/y"}\n')
    assert [doc.tags for doc in found.docs] == [{"title": "T"}, {"title": "U"}]
    assert found.docs[1].mime_type == "x/y"
    assert render(found.docs) == (
        b'{"id":"a","tags":{"title":"T"}}\n{"id":"b","mime_type":"x/y","tags":{"title":"U"}}\n'
    )


def test_lines_without_an_id_are_named_by_their_number():
    found = read('{"text":"x"}\n\n{"n":1}\n{"id":"own"}\n', first_line=7)
    assert found.docs.get_attributes("id") == ["k-7", "k-9", "own"]
    assert read('{"text":"x"}\n').docs[0].id == "k-1"


def test_lines_may_end_in_crlf_or_not_at_all_and_begin_with_a_mark():
    found = read('\ufeff{"id":"a"}\r\n  \r\n{"id":"b"}')
    assert found.docs.get_attributes("id") == ["a", "b"]
    assert found.errors == []


def test_a_mark_in_the_middle_of_the_source_is_an_error():
    assert read('\ufeff{"id":"a"}', first_line=2).errors[0].line == 2


@pytest.mark.parametrize(
    "more", ["", ',"text":"t"', ',"own":1', ',"text":"t","own":1', ',"uri":"u"']
)
@pytest.mark.parametrize("lines", [1, 40])
def test_an_id_may_be_a_whole_number(more: str, lines: int) -> None:
    """Databases count; CSV has only text."""
    chunk = "".join(f'{{"id":{number}{more}}}\n' for number in range(lines)).encode()
    for _ in range(2):  # a shape is made at its second meeting
        parsed = parse(chunk, key="k", first_line=1)
        assert not parsed.errors
        assert [doc.id for doc in parsed.docs] == [str(number) for number in range(lines)]
    nested = parse(b'{"chunks":[{"id":7,"parent_id":8}]}', key="k", first_line=1)
    assert [(c.id, c.parent_id) for c in nested.docs[0].chunks] == [("7", "8")]


RAGGED = "the rows of this list have different lengths"
BAD = {
    "nope": "not JSON: expecting value at byte 1",
    '{"a":1': "not JSON: the line ends too early, after byte 6",
    '{"a":1} {"b":2}': "not JSON: extra data at byte 9",
    "[1]": "a JSON list, expected an object",
    "5": "a JSON number, expected an object",
    '"x"': "a JSON text, expected an object",
    "null": "a JSON null, expected an object",
    '{"id":5.5}': "`id` is a float, expected text",
    '{"id":true}': "`id` is a bool, expected text",
    '{"text":["x"]}': "`text` is a list, expected text",
    '{"tags":5}': "`tags` is an int, expected an object",
    '{"tags":[]}': "`tags` is a list, expected an object",
    '{"x":1,"text":5}': "`text` is an int, expected text",
    '{"text":"a","buffer":"eA=="}': "one Document has one content, not text and buffer",
    '{"buffer":"?"}': "`buffer` is not base64 text: Only base64 data is allowed",
    '{"granularity":-1}': "`granularity` is -1, expected a number from 0 to 2**63 - 1",
    '{"blob":[[1,2],[3]]}': f"`blob` is not a tensor: {RAGGED}",
    '{"blob":[[[1],[2]],[[3],[4,5]]]}': f"`blob` is not a tensor: {RAGGED}",
    '{"blob":[1,[2]]}': "`blob` is not a tensor: this list has numbers beside lists",
    '{"blob":"x"}': "`blob` is not a tensor: a tensor is made of numbers, not of str",
    '{"blob":{"dtype":"|O8","shape":[1],"data":"AAAAAAAAAAA="}}': None,
    '{"blob":{"dtype":"<f4","shape":[-1],"data":"AAAAAA=="}}': None,
    '{"text":"\\ud800"}': "not JSON: half of a surrogate pair, which is not a character",
    '{"tags":{"a":"\\udfff"}}': "not JSON: half of a surrogate pair, which is not a character",
    '{"weight":1e999}': "a number beyond the range of float64",
    '{"tags":{"a":NaN}}': "not JSON: NaN at byte 14, which is not a JSON number",
    '{"chunks":[{"tags":5}]}': "`tags` is an int, expected an object",
    '{"chunks":5}': "`chunks` is an int, expected a list of Documents",
    '{"tags":' + "[" * 100_000 + "]" * 100_000 + "}": "nested too deeply",
    '{"x":' + '{"a":' * 100_000 + "1" + "}" * 100_001: "nested too deeply",
}


@pytest.mark.parametrize("line", BAD, ids=lambda line: line[:30])
def test_a_bad_line_is_an_error_of_its_own(line):
    found = read(f'{{"id":"before"}}\n{line}\n{{"id":"after"}}\n')
    assert found.docs.get_attributes("id") == ["before", "after"]
    (error,) = found.errors
    assert (error.row, error.line, error.type) == (1, 2, "jina.excepts.BadLine")
    expected = BAD[line]
    assert expected is None or error.message == expected


def test_bytes_that_are_no_utf8_are_found_in_tags_too():
    for line in (b'{"text":"\xff"}', b'{"tags":{"a":"\xff"}}', b'{"x":"\xff"}'):
        (error,) = read(line).errors
        assert error.message == f"not valid UTF-8: byte 0xff at byte {line.index(255) + 1}"


def test_an_error_names_the_id_where_it_can():
    assert read('{"id":"a","text":5}').errors == [
        LineError(
            row=0,
            line=1,
            type="jina.excepts.BadLine",
            message="`text` is an int, expected text",
            id="a",
        )
    ]


def test_pairs_give_groundtruths_beside_their_documents():
    found = read(
        '{"document":{"id":"a"},"groundtruth":{"text":"g"}}\n'
        '{"id":"b"}\n'
        '{"document":{"text":"x"},"groundtruth":{"id":"t"}}\n'
        '{"document":5,"groundtruth":{}}\n'
    )
    assert found.docs.get_attributes("id") == ["a", "b", "k-3"]
    assert found.groundtruths.get_attributes("id") == ["k-1", "b", "t"]
    assert found.errors[0].message == "a JSON number, expected an object"
    assert read('{"id":"b"}').groundtruths is None


def test_big_integers_stay_exact():
    line = b'{"id":"a","tags":{"n":123456789012345678901234567890}}\n'
    doc = read(line).docs[0]
    assert doc.tags["n"] == 123456789012345678901234567890
    assert render([doc]) == line


def test_unread_tags_are_written_byte_for_byte():
    line = b'{"id":"a","tags":{"b" :1.50, "a":[ ]}}\n'
    assert render(read(line).docs) == line


def test_a_weight_of_zero_that_was_said_is_shown_beside_an_empty_container():
    doc = Document(id="a", weight=0.0)
    assert not doc.evaluations  # handed out, so that it is in the record
    assert render([doc]) == b'{"id":"a","weight":0.0}\n'
    unset = Document(id="a")
    assert not unset.evaluations
    assert render([unset]) == b'{"id":"a"}\n'


def test_only_set_fields_are_written_in_their_order():
    doc = Document(id="a", text="x", tags={"t": 1}, buffer=None, weight=0.5)
    assert render([doc]) == (
        b'{"id":"a","mime_type":"text/plain","text":"x","tags":{"t":1},"weight":0.5}\n'
    )
    assert render([]) == b""
    assert render([Document(id="b", buffer=b"\x00\x01")]) == b'{"id":"b","buffer":"AAE="}\n'


def test_tensors_are_lists_or_base64_and_both_are_read_back():
    doc = Document(id="a", embedding=np.array([[1, 2]], dtype="<i2"))
    assert render([doc]) == b'{"id":"a","embedding":[[1,2]]}\n'
    line = render([doc], tensors="base64")
    assert json.loads(line)["embedding"] == {"dtype": "<i2", "shape": [1, 2], "data": "AQACAA=="}
    assert read(line).docs[0] == doc


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_floats_have_the_digits_of_their_own_type(dtype):
    numbers = np.array([0.1, 1 / 3, -2, 6.1e-5, 65504], dtype)
    text = render([Document(id="a", embedding=numbers)])
    shortest = {"<f2": "0.3333", "<f4": "0.33333334", "<f8": "0.3333333333333333"}[dtype]
    assert f"[0.1,{shortest},-2.0,".encode() in text
    values = np.array(json.loads(text)["embedding"])
    np.testing.assert_array_equal(values.astype(dtype), numbers)


@pytest.mark.parametrize(
    ("dtype", "numbers"),
    [("<u2", np.arange(0, 1 << 16)), ("<u4", np.random.default_rng(1).integers(0, 1 << 32, 20000))],
    ids=["float16", "float32"],
)
def test_every_number_is_read_as_it_was(dtype, numbers):
    floats = numbers.astype(dtype).view(dtype.replace("u", "f"))
    floats = floats[np.isfinite(floats)]
    text = render([Document(id="a", blob=floats)])
    np.testing.assert_array_equal(np.array(json.loads(text)["blob"]).astype(floats.dtype), floats)
    typed = read(render([Document(id="a", blob=floats)], tensors="typed"))
    np.testing.assert_array_equal(typed.docs[0].blob, floats)


@pytest.mark.parametrize(
    "array",
    [
        np.array(0.1, "<f4"),
        np.arange(6, dtype="<f4").reshape(2, 3).T,
        np.arange(6, dtype=">f4")[::2],
        np.array([[True], [False]]),
        np.array([1, -2], "|i1"),
        np.array([[0.1]], "<f2"),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_typed_lists_give_back_dtype_and_shape(array):
    line = render([Document(id="a", embedding=array)], tensors="typed")
    assert set(json.loads(line)["embedding"]) == {"dtype", "shape", "data"}
    back = read(line).docs[0].embedding
    assert back.dtype.str in (array.dtype.str, array.dtype.str.replace(">", "<"))
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("name", ["float32", "<f4"])
def test_lists_may_name_their_dtype_alone(name):
    line = json.dumps({"id": "a", "blob": {"dtype": name, "data": [0.1, 2]}})
    assert read(line.encode()).docs[0].blob.tolist() == np.array([0.1, 2], "<f4").tolist()
    assert Document({"blob": {"dtype": name, "data": [0.1]}}).blob.dtype == np.float32


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"dtype": "float32", "data": [1e39]}, "a number that float32 does not hold: 1e+39"),
        ({"dtype": "uint8", "data": [300]}, "a number that uint8 does not hold: 300"),
        ({"dtype": "int8", "data": [1.5]}, "a number that int8 does not hold: 1.5"),
        ({"dtype": "<f4", "data": [1], "shape": [2]}, "lists of shape [1] are not a tensor of sha"),
        ({"dtype": "<c8", "data": [1]}, "lists have no numbers of dtype '<c8'; use bool, int8, "),
        ({"dtype": "<f4", "data": {}}, "the `data` of a tensor is base64 text, or nested lists"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_typed_lists_that_are_no_tensor(typed, why):
    parsed = read(json.dumps({"id": "a", "blob": typed}).encode())
    assert why in parsed.errors[0].message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j])
def test_a_tensor_that_lists_cannot_carry_is_written_as_base64(value):
    doc = Document(id="a", embedding=np.array([value, 1]))
    assert read(render([doc])).docs[0] == doc


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_in_tags_and_scores_is_an_error_that_names_them(value):
    good = Document(id="good")
    with pytest.raises(DocumentError, match=r"`tags` of Document 'a' .*`tags\.x\[0\]` is"):
        render([good, Document(id="a", tags={"x": [value]})])
    with pytest.raises(DocumentError, match=r"`scores` of Document 'a' .*the score `s` is"):
        render([good, Document(id="a", scores={"s": value})])


def test_nan_in_a_score_from_the_wire_is_an_error_too():
    from jina.types import codec

    doc = Document(id="a", scores={"s": float("nan")}, chunks=[Document(evaluations={"e": -1e999})])
    back = codec.decode(codec.encode(DocumentArray([doc])))
    with pytest.raises(DocumentError, match="the score `s` is NaN, which JSON cannot represent"):
        render(back)
    with pytest.raises(DocumentError, match="the score `e` is -inf"):
        render(back[0].chunks)


def test_nan_in_a_chunk_names_the_chunk():
    doc = Document(id="p", chunks=[Document(id="c", tags={"x": float("nan")})])
    with pytest.raises(DocumentError, match="`tags` of Document 'c'"):
        render([doc])


def test_a_line_of_many_values_is_refused_when_its_tags_are_read():
    body = "[" + "[]," * 1_100_000 + "[]]"
    found = read('{"id":"a","tags":{"x":' + body + "}}")
    with pytest.raises(DocumentError, match="untyped values with"):
        _ = found.docs[0].tags
    (error,) = read('{"id":"a","x":' + body + "}").errors
    assert error.message.startswith("untyped values with")


def test_a_memoryview_will_do_and_numpy_is_not_needed():
    assert read(bytes(memoryview(b'{"id":"a"}'))).docs[0].id == "a"
    assert parse(memoryview(b'{"id":"a"}'), key="k", first_line=1).docs[0].id == "a"
    assert "numpy" in sys.modules


def test_written_lines_are_read_back_from_an_array_of_columns():
    from jina.types import codec

    docs = DocumentArray([Document(id="a", text="x", tags={"t": float("nan")}), Document(id="b")])
    back = codec.decode(codec.encode(docs))
    with pytest.raises(DocumentError, match="'a'"):
        render(back)
    back[0].tags["t"] = 1
    assert render(back) == render([Document(id="a", text="x", tags={"t": 1}), Document(id="b")])


@pytest.mark.parametrize("field", ["id", "text", "uri", "mime_type", "modality", "content_hash"])
def test_bytes_that_are_no_utf8_are_found_in_every_field_and_child(field):
    for line in (
        b'{"%b":"a\xff"}' % field.encode(),
        b'{"chunks":[{"%b":"a\xff"}]}' % field.encode(),
        b'{"matches":[{"chunks":[{"tags":{"%b":"a\xff"}}]}]}' % field.encode(),
        b'{"tags":{"a":{"\xff":1}}}',
        b'{"scores":{"\xff":1}}',
        b'{"id":"a","\xff":1}',
    ):
        (error,) = read(b'{"id":"\xc3\xa4"}\n' + line).errors
        assert error.message == f"not valid UTF-8: byte 0xff at byte {line.index(255) + 1}"


def test_white_space_in_tags_that_nobody_read_ends_no_line():
    """Many a reader ends a line at a carriage return; JSON allows it, and a line end, as space."""
    lines = b'{"id":"a","tags":{\r"x":1}}\n{"id":"b","chunks":[{"tags":{"x":\r1}}]}\n'
    parsed = parse(lines, key="k", first_line=1)
    assert not parsed.errors
    text = render(parsed.docs)
    assert text == lines.replace(b"\r", b" ")
    assert [Document(line.decode()) for line in text.splitlines()] == list(parsed.docs)
    docs = DocumentArray([Document(id=name, tags={"x": name}) for name in "ab"])
    frames = [bytes(frame) for frame in codec.encode(docs)]
    came = codec.decode([frame.replace(b'{"x":"a"}', b'{\n"":"a"}') for frame in frames])
    assert render(came) == b'{"id":"a","tags":{ "":"a"}}\n{"id":"b","tags":{"x":"b"}}\n'
    assert render(came[:1]) == b'{"id":"a","tags":{ "":"a"}}\n'


_SPENT_S = 20.0  # of processor time; it takes a fraction of a second, and without limits hours


def deep(start, count, end):
    return b'{"id":"a",' + start * count + b"1" + end * count + b"}"


MANY = 1_000_000
LINES = {
    "tags": deep(b'"tags":{"a":', 1, b"}").replace(b"1", b"[" * MANY),
    "deep tags": b'{"tags":{"a":' + b"[" * MANY + b"]" * MANY + b"}}",
    "deep keys of its own": b'{"a":' + b"[" * MANY + b"]" * MANY + b"}",
    "deep chunks": b'{"chunks":[' * 100_000 + b"]}" * 100_000,
    "deep operands": b'{"scores":{"a":' + b'{"operands":[' * 100_000 + b"]}" * 100_000 + b"}}",
    "deep embedding": b'{"embedding":' + b"[" * MANY + b"]" * MANY + b"}",
    "wide keys of its own": b'{"a":[' + b"[]," * 5_000_000 + b"[]]}",
    "wide and no JSON": b'{"a":[' + b"[]," * 5_000_000 + b"]}",
    "large tensor": b'{"blob":{"dtype":"<f8","shape":[1099511627776,8],"data":""}}',
    "large lil": b'{"blob":{"format":"lil_matrix","shape":[1099511627776,1],"parts":{'
    + b",".join(
        b'"%s":{"dtype":"<i4","shape":[0],"data":""}' % part for part in (b"data", b"row", b"col")
    )
    + b"}}}",
    "long number": b'{"weight":' + b"9" * MANY + b"}",
    "long number among the tags": b'{"a":1e' + b"9" * MANY + b"}",
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_is_a_bomb_is_one_failure_at_once(name):
    """Its neighbours are read."""
    chunk = b'{"id":"b"}\n' + LINES[name] + b'\n{"id":"c"}\n'
    tracemalloc.start()
    started = time.process_time()
    found = parse(chunk, key="k", first_line=1)
    spent = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [doc.id for doc in found.docs] == ["b", "c"]
    assert [error.line for error in found.errors] == [2]
    assert spent < _SPENT_S
    assert peak < 200 * 1024 * 1024 + len(chunk)


def test_lines_in_one_piece_and_each_by_itself_are_the_same():
    lines = [
        b'{"id":"a","tags":{\r"x":"\xc3\xa4"}}\r\n',
        b'{"id":"b","chunks":[{"tags":{"x":\r1}}]}\r\n',
    ]
    for more in ([], [b"\r\n", b"nope\n"], [b'{"title":"t"}\n'], [b'{"tags":{"x":"\xff"}}']):
        whole = parse(b"".join([*lines, *more]), key="k", first_line=1)
        each = parse([*lines, *more], key="k", first_line=1)
        assert each.errors == whole.errors
        assert render(each.docs) == render(whole.docs)
        assert b"\r" not in render(each.docs)
