"""The codec: what is sent for what, and what hostile bytes cannot do."""

from __future__ import annotations

import struct
import time
import tracemalloc
import warnings

import msgspec
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings

from jina import Document, DocumentArray, defaults
from jina.excepts import DocumentError, WireError
from jina.records.batch import CODE_OF, ENTRY, HEAD, MAGIC
from jina.types import codec
from tests.records.strategies import documents

pack = msgspec.msgpack.encode


def body(rows, *entries, magic=MAGIC, version=1):
    """Write a body by hand: entries are (field, kind, aux, bytes)."""
    head = HEAD.pack(magic, version, len(entries), rows)
    directory = [
        ENTRY.pack(CODE_OF[field], kind, 0, aux, len(d)) for field, kind, aux, d in entries
    ]
    return head + b"".join(directory) + b"".join(data for *_, data in entries)


def ids(rows):
    return ("id", 1, 0, pack([str(i) for i in range(rows)]))


def test_the_body_of_a_small_batch_is_these_bytes():
    docs = DocumentArray([Document(id="a", text="x"), Document(id="b", text="y", tags={"n": 1})])
    (frame,) = codec.encode(docs)
    assert frame == (
        b"JDA1" + struct.pack("<HHI", 1, 4, 2)
        + struct.pack("<BBHIQ", 1, 1, 0, 0, 5)
        + struct.pack("<BBHIQ", 2, 2, 0, 0, 11)
        + struct.pack("<BBHIQ", 3, 1, 0, 0, 5)
        + struct.pack("<BBHIQ", 4, 6, 0, 0, 14)
        + b"\x92\xa1a\xa1b" + b"\xaatext/plain" + b"\x92\xa1x\xa1y" + b'[null,{"n":1}]'
    )  # fmt: skip


def test_text_needs_one_frame_and_a_matrix_one_more_that_is_not_copied():
    docs = DocumentArray([Document(text="x") for _ in range(100)])
    assert len(codec.encode(docs)) == 1
    docs = codec.decode(codec.encode(docs))
    matrix = np.ones((100, 768), "<f4")
    docs.embeddings = matrix
    frames = codec.encode(docs)
    assert len(frames) == 2
    assert np.shares_memory(np.frombuffer(frames[1], "<f4"), matrix)


def test_a_matrix_that_was_changed_in_place_is_sent_on_from_the_frame_it_came_in():
    docs = codec.decode(codec.encode(DocumentArray([Document() for _ in range(100)])))
    docs.embeddings = np.ones((100, 768), "<f4")
    frames = [
        bytes(docs) if i == 0 else bytearray(docs) for i, docs in enumerate(codec.encode(docs))
    ]
    for change in (
        lambda docs: docs.embeddings.fill(2),
        lambda docs: setattr(docs, "embeddings", np.multiply(docs.embeddings, 2, docs.embeddings)),
        lambda docs: docs[0].embedding.fill(3),
        lambda docs: docs.embeddings[3].fill(4),
    ):
        docs = codec.decode(frames)
        change(docs)
        again = codec.encode(docs)
        if docs._columns is not None:
            assert again[1] is frames[1]
        found = codec.decode([bytes(frame) for frame in again]).embeddings
        assert np.array_equal(found, docs.embeddings)


@pytest.mark.parametrize("copied", [False, True])
def test_a_matrix_is_sent_as_it_is_now_whatever_it_came_as(copied):
    """Reshaped, seen as another type, replaced, or in a frame that cannot be written."""
    docs = codec.decode(codec.encode(DocumentArray([Document() for _ in range(100)])))
    docs.embeddings = np.arange(76800, dtype="<f4").reshape(100, 768)
    frames = [(bytes if copied else bytearray)(frame) for frame in codec.encode(docs)]

    def reshape(docs):
        with warnings.catch_warnings(action="ignore"):  # numpy 2.5 would rather have it copied
            docs.embeddings.shape = (100, 2, 384)

    def view(docs):
        with warnings.catch_warnings(action="ignore"):
            docs.embeddings.dtype = "<i4"

    def write(docs):
        docs.embeddings[0] = 7

    def replace(docs):
        docs.embeddings = docs.embeddings + 1

    for change in (reshape, view, write, replace):
        docs = codec.decode(frames)
        change(docs)
        expected = docs.embeddings.copy()
        found = codec.decode([bytes(frame) for frame in codec.encode(docs)]).embeddings
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)
        assert found.shape == expected.shape


def test_many_tensors_share_frames_within_the_limit_of_a_message():
    doc = Document(id="root")
    level = doc
    for _ in range(20):
        level.chunks.append(Document(blob=np.zeros(20_000), embedding=np.zeros(20_000)))
        level.matches.append(Document(blob=np.zeros(20_000), embedding=np.zeros(3)))
        level = level.chunks[0]
    frames = codec.encode(DocumentArray([doc]))
    assert len(frames) <= defaults.MAX_FRAMES
    assert codec.decode([bytes(frame) for frame in frames])[0] == doc


def test_a_nested_batch_is_sent_on_undecoded():
    doc = Document(id="p", chunks=[Document(id="c", embedding=[1.0, 2.0])])
    docs = codec.decode([bytes(f) for f in codec.encode(DocumentArray([doc]))])
    docs[0].text = "changed"
    part = docs[0]._record.chunks
    again = codec.decode([bytes(f) for f in codec.encode(docs)])
    assert docs[0]._record.chunks is part
    assert part.nested.columns._records is None
    assert again[0].chunks[0].embedding.tolist() == [1, 2]


def test_nesting_beyond_the_limit_is_refused_on_both_sides():
    doc = Document()
    for _ in range(defaults.MAX_DEPTH + 1):
        doc = Document(chunks=[doc])
    with pytest.raises(DocumentError, match="nested deeper than 32"):
        codec.encode(DocumentArray([doc]))
    inner = body(1, ids(1))
    for _ in range(defaults.MAX_DEPTH + 1):
        inner = body(1, ids(1), ("chunks", 5, 2, pack([1]) + b"" + inner))
    with pytest.raises(WireError):
        codec.decode([inner])


def test_a_tensor_larger_than_a_frame_is_refused_with_a_hint():
    blob = np.broadcast_to(np.zeros(1, "u1"), defaults.MAX_FRAME_BYTES + 1)
    with pytest.raises(DocumentError, match="a message frame holds at most"):
        codec.encode(DocumentArray([Document(id="a", blob=blob)]))


def test_rows_that_are_too_large_together_travel_in_several_frames():
    part = np.zeros(defaults.MAX_FRAME_BYTES // 2 + 1, "u1")
    frames = codec.encode(DocumentArray([Document(blob=part), Document(blob=part)]))
    assert len(frames) == 3
    assert codec.decode(frames)[1].blob.shape == part.shape


HOSTILE = {
    "no frames": [],
    "too many frames": [body(0)] * 65,
    "empty": [b""],
    "wrong magic": [body(0, magic=b"JDA9")],
    "wrong version": [body(0, version=2)],
    "claims columns": [HEAD.pack(MAGIC, 1, 9, 0)],
    "claims documents": [HEAD.pack(MAGIC, 1, 0, 0xFFFFFFFF)],
    "documents without ids": [body(5)],
    "ids of another number": [body(5, ids(4))],
    "column twice": [body(1, ids(1), ids(1))],
    "kind of another column": [body(1, ids(1), ("text", 3, 0, b""))],
    "longer than its columns": [body(1, ids(1)) + b"x"],
    "shorter than its columns": [body(1, ids(1))[:-1]],
    "children of another number": [
        body(1, ids(1), ("chunks", 5, 2, b"\x91\x02" + body(1, ids(1))))
    ],
    "children that nobody has": [body(1, ids(1), ("chunks", 5, 2, b"\x91\x01" + body(2, ids(2))))],
    "counts that are cut off": [body(1, ids(1), ("chunks", 5, 1, b"\x91\x01" + body(1, ids(1))))],
    "counts longer than their column": [body(1, ids(1), ("chunks", 5, 99, b"\x91\x00"))],
    "text that is none": [body(1, ids(1), ("text", 1, 0, pack([5])))],
    "text that is no unicode": [body(1, ids(1), ("text", 1, 0, b"\x91\xa1\xff"))],
    "two texts": [body(1, ids(1), ("text", 1, 0, pack(["a", "b"])))],
    "claims values": [body(1, ids(1), ("text", 1, 0, b"\xdd\xff\xff\xff\xff"))],
    "negative count": [body(1, ids(1), ("offset", 1, 0, pack([-1])))],
    "weight that is none": [body(1, ids(1), ("weight", 1, 0, pack([float("nan")])))],
    "scores for all": [body(1, ids(1), ("scores", 2, 0, pack({})))],
    "tags that are none": [body(1, ids(1), ("tags", 6, 0, b"[5]"))],
    "tags of two": [body(1, ids(1), ("tags", 6, 0, b"[{},{}]"))],
    "tags that are no unicode": [body(1, ids(1), ("tags", 6, 0, b'[{"a":"\xff"}]'))],
    "packed tags that are none": [body(1, ids(1), ("tags", 6, 0, b'["?"]'))],
    "frame that is not there": [body(1, ids(1), ("blob", 3, 7, pack(["<f4", [1], 0])))],
    "tensor beyond its frame": [body(1, ids(1), ("blob", 3, 0, pack(["<f4", [1], 1]))), b"\0" * 4],
    "object dtype": [body(1, ids(1), ("blob", 3, 0, pack(["|O", [1], 0]))), b"\0" * 8],
    "structured dtype": [body(1, ids(1), ("blob", 3, 0, pack(["f4,O", [1], 0]))), b"\0" * 12],
    "text dtype": [body(1, ids(1), ("blob", 3, 0, pack(["<U4", [1], 0]))), b"\xff" * 16],
    "negative length": [body(1, ids(1), ("blob", 3, 0, pack(["<f4", [-1], 0]))), b"\0" * 4],
    "huge shape": [body(1, ids(1), ("blob", 3, 0, pack(["<f4", [1, 0, 1 << 46, 1 << 46], 0])))],
    "many dimensions": [body(1, ids(1), ("blob", 3, 0, pack(["<f4", [1] * 40, 0]))), b"\0" * 4],
    "rows of another number": [body(1, ids(1), ("blob", 3, 0, pack(["|u1", [2], 0]))), b"\0\0"],
    "fewer cells than rows": [body(2, ids(2), ("blob", 4, 0, pack([None])))],
    "more cells than rows": [body(1, ids(1), ("blob", 4, 0, pack([None, None])))],
    "cells with long descriptions": [
        body(
            1, ids(1), ("blob", 4, 0, pack([["|u1", [1], 0, 0, {"p" * (1 << 21): ["|u1", [1]]}]]))
        ),
        b"\0" * 4,
    ],
    "cells that overlap": [
        body(2, ids(2), ("blob", 4, 0, pack([["|u1", [4], 0, 0], ["|u1", [4], 0, 0]]))),
        b"\0" * 4,
    ],
    "sparse index out of range": [
        body(
            1,
            ids(1),
            (
                "blob",
                4,
                0,
                pack(
                    [
                        [
                            "csr_matrix",
                            [1, 2],
                            0,
                            0,
                            {
                                "data": ["|u1", [1], 0, 0],
                                "indices": ["<i4", [1], 0, 4],
                                "indptr": ["<i4", [2], 0, 8],
                            },
                        ]
                    ]
                ),
            ),
        ),
        struct.pack("<B3xiii", 1, 99, 0, 1),
    ],
    "sparse class": [body(1, ids(1), ("blob", 4, 0, pack([["os_matrix", [1, 1], 0, 0, {}]])))],
}


def read_all(frames):
    for doc in codec.decode(frames):
        _ = doc.blob, doc.tags, doc.location, doc.scores, doc.chunks.texts


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes_give_a_wire_error(case):
    with pytest.raises(WireError):
        read_all(HOSTILE[case])


def bombs():
    many = 60 * 1024 * 1024
    yield "documents", [body(0, ids(0))[:8] + struct.pack("<I", 0xFFFFFFFF)]
    yield (
        "short ids",
        [body(many, ("id", 1, 0, b"\xdd" + many.to_bytes(4, "big") + b"\xa0" * many))],
    )
    lists = b"\x91\xdd" + (many // 8).to_bytes(4, "big") + b"\x00" * (many // 8)
    yield "location", [body(1, ids(1), ("location", 1, 0, lists))]
    yield "tags", [body(1, ids(1), ("tags", 6, 0, b'[{"a":[' + b"[]," * (many // 12) + b"[]]}]"))]
    yield "deep tags", [body(1, ids(1), ("tags", 6, 0, b'[{"a":' + b"[" * many))]
    inner = body(1, ids(1))
    for _ in range(30):
        inner = (
            body(
                1,
                ids(1),
                ("chunks", 5, 2, b"\x91\x01" + inner),
                ("matches", 5, 2, b"\x91\x01" + inner),
            )
            if len(inner) < 1_000_000
            else inner
        )
    yield "tree of batches", [inner]
    operands = b"\x81\xa8operands\x91" * 100_000
    yield "operands", [body(1, ids(1), ("scores", 1, 0, b"\x91\x81\xa1a" + operands + b"\x80"))]
    empty = {"data": ["|u1", [0], 0, 0], "row": ["<i4", [0], 0, 0], "col": ["<i4", [0], 0, 0]}
    for rows, count in ((1 << 40, 1), (1 << 26, 1), (1 << 15, 100)):
        cells = pack([["lil_matrix", [rows, 1], 0, 0, empty]] * count)
        yield f"{count} lil matrices", [body(count, ids(count), ("blob", 4, 0, cells)), b""]
    shape = pack(["<f8", [1, 1 << 40], 0])
    yield "large tensor", [body(1, ids(1), ("blob", 3, 0, shape)), bytes(8)]


@pytest.mark.parametrize(
    ("name", "frames"), list(bombs()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_bombs_are_refused_within_a_second_and_without_memory(name, frames):
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises((WireError, DocumentError)):
        read_all(frames)
    spent = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 1
    assert peak < 200 * 1024 * 1024


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
def test_a_line_that_is_a_bomb_is_one_failure_within_a_second(name):
    """Its neighbours are read."""
    chunk = b'{"id":"b"}\n' + LINES[name] + b'\n{"id":"c"}\n'
    tracemalloc.start()
    started = time.process_time()
    found = codec.parse_lines(chunk, key="k", first_line=1)
    spent = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [doc.id for doc in found.docs] == ["b", "c"]
    assert [error.line for error in found.errors] == [2]
    assert spent < 1
    assert peak < 200 * 1024 * 1024 + len(chunk)


def test_a_lil_matrix_of_many_rows_is_refused_before_it_is_sent():
    """To make it again at the other end would take minutes."""
    matrix = scipy.sparse.coo_matrix((1 << 17, 1))
    assert codec.decode(codec.encode(DocumentArray([Document(blob=matrix)])))[0].blob.nnz == 0
    with pytest.raises(DocumentError, match="a lil_matrix of 131072 rows; at most 65536"):
        codec.encode(DocumentArray([Document(id="a", blob=matrix.tolil())]))


@settings(max_examples=60, deadline=None)
@given(documents)
def test_a_document_alone_is_sent_like_one_of_several(doc):
    alone = codec.decode([bytes(frame) for frame in codec.encode(DocumentArray([doc]))])
    several = codec.decode([bytes(frame) for frame in codec.encode(DocumentArray([doc, doc]))])
    assert several == DocumentArray([doc, doc])
    assert alone[0] == several[0] == doc
    assert str(alone[0].weight) == str(doc.weight)
    doc.id = ""
    assert codec.decode(codec.encode(DocumentArray([doc])))[0].id == ""


def test_children_of_two_messages_do_not_change_places():
    """The second row's share lies where the first message has one of its own."""
    messages = []
    for name in "ab":
        docs = DocumentArray([Document(id=f"{name}{i}") for i in range(2)])
        for doc in docs:
            doc.chunks.append(Document(text=f"of {doc.id}"))
        messages.append(codec.decode(codec.encode(docs)))
    mixed = DocumentArray([messages[0][0], messages[1][1]])
    sent = codec.decode(codec.encode(mixed))
    assert [doc.chunks.texts for doc in sent] == [["of a0"], ["of b1"]]


def test_a_document_alone_keeps_the_sign_of_its_weight():
    for weight in (-0.0, 0.0):
        (doc,) = codec.decode(codec.encode(DocumentArray([Document(weight=weight)])))
        assert str(doc.weight) == str(weight)


@pytest.mark.parametrize(
    ("field", "value"), [("embedding", [1.0, 2.0]), ("blob", [3.0]), ("buffer", b"x")]
)
def test_what_is_set_in_one_row_of_a_batch_that_came_is_sent_on(field: str, value: object) -> None:
    """Columns that came without it are not trusted to be all there is."""
    sent = DocumentArray([Document(id=name, text=name) for name in "abc"])
    docs = codec.decode([bytes(frame) for frame in codec.encode(sent)])
    texts = [doc.text for doc in docs]
    setattr(docs[1], field, value)
    back = codec.decode(codec.encode(docs))
    assert list(getattr(back[1], field)) == list(value)  # type: ignore[call-overload]
    assert [doc.text for doc in back] == [texts[0], texts[1] * (field == "embedding"), texts[2]]
