"""Tensor columns: which frames tensors travel in, and which of them are copied."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse

from jina import Document, DocumentArray, defaults
from jina.excepts import DocumentError
from jina.records import tensor_columns
from jina.records.batch import Columns
from jina.types import codec


def test_text_needs_one_frame_and_a_matrix_one_more():
    docs = DocumentArray([Document(text="x") for _ in range(100)])
    assert len(codec.encode(docs)) == 1
    docs = codec.decode(codec.encode(docs))
    matrix = np.ones((100, 768), "<f4")
    docs.embeddings = matrix
    frames = codec.encode(docs)
    assert len(frames) == 2
    assert np.array_equal(np.frombuffer(frames[1], "<f4"), matrix.ravel())


def test_what_is_written_does_not_change_with_an_array_that_is_used_again():
    """A message is sent some time later, when the Executor may already be at the next request."""
    buffer = np.ones(50_000, "<f4")
    one = DocumentArray([Document(blob=buffer)])
    ragged = DocumentArray([Document(blob=buffer), Document(blob=buffer[:40_000])])
    whole = DocumentArray([Document() for _ in range(10)])
    whole.embeddings = buffer.reshape(10, 5_000)
    written = [codec.encode(docs) for docs in (one, ragged, whole)]
    buffer.fill(2)
    for frames in written:
        for doc in codec.decode([bytes(frame) for frame in frames]):
            tensor = doc.blob if doc.embedding is None else doc.embedding
            assert (tensor == 1).all()


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


def test_a_tensor_larger_than_a_frame_is_refused_with_a_hint():
    blob = np.broadcast_to(np.zeros(1, "u1"), defaults.MAX_FRAME_BYTES + 1)
    with pytest.raises(DocumentError, match="a message frame holds at most"):
        codec.encode(DocumentArray([Document(id="a", blob=blob)]))


def test_rows_that_are_too_large_together_travel_in_several_frames():
    part = np.zeros(defaults.MAX_FRAME_BYTES // 2 + 1, "u1")
    frames = codec.encode(DocumentArray([Document(blob=part), Document(blob=part)]))
    assert len(frames) == 3
    assert codec.decode(frames)[1].blob.shape == part.shape


def test_a_lil_matrix_of_many_rows_is_refused_before_it_is_sent():
    """To make it again at the other end would take minutes."""
    matrix = scipy.sparse.coo_matrix((1 << 17, 1))
    assert codec.decode(codec.encode(DocumentArray([Document(blob=matrix)])))[0].blob.nnz == 0
    with pytest.raises(DocumentError, match="a lil_matrix of 131072 rows; at most 65536"):
        codec.encode(DocumentArray([Document(id="a", blob=matrix.tolil())]))


def test_what_nobody_can_write_to_is_sent_as_it_is():
    rows = np.arange(40_000, dtype="<f4").reshape(4, 100, 100)
    data = rows.tobytes()
    fixed = np.frombuffer(data, "<f4").reshape(rows.shape)
    column = tensor_columns.fixed_column(fixed)
    docs = DocumentArray._of_columns(Columns(4, {"id": ["a", "b", "c", "d"], "blob": column}))
    frames = codec.encode(docs)
    assert np.shares_memory(np.frombuffer(frames[1], "<f4"), fixed)
    docs[1].blob[:] = 7  # a copy
    assert data == rows.tobytes()
    read = codec.decode([bytes(frame) for frame in codec.encode(docs)])
    assert (read[1].blob == 7).all()
    assert np.array_equal(read[2].blob, rows[2])
    assert np.array_equal(codec.decode([bytes(frame) for frame in frames])[1].blob, rows[1])


@pytest.mark.parametrize(
    "array",
    [
        np.ones((2, 3), "<f4"),  # somebody may write to it
        np.frombuffer(bytes(24), ">f4").reshape(2, 3),
        np.frombuffer(bytes(24), "<f4").reshape(2, 3).T,
        np.frombuffer(bytes(24), "<U1").reshape(2, 3),
        np.frombuffer(b"1", "u1")[:0],
    ],
)
def test_what_cannot_be_sent_as_it_is(array):
    assert tensor_columns.fixed_column(array) is None
