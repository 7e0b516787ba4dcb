"""What hypothesis can make of the types: tags, tensors, Documents with children."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

from jina import Document
from jina.records.score import NamedScore

words = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.one_of(
    st.integers(-(1 << 63), (1 << 64) - 1), st.floats(allow_nan=False, allow_infinity=False)
)
trees = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words, st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
tags = st.dictionaries(words, trees, max_size=3)
counts = st.integers(0, (1 << 63) - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)

DTYPES = ("?", "i1", "u1", "<i2", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16", ">f4")
SHAPES = ((), (0,), (1,), (3,), (2, 2), (0, 3), (1, 2, 2))
SPARSE = [
    f"{form}_{kind}"
    for form in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    for kind in ("matrix", "array")
]


def _tensor(dtype, shape, seed):
    """Any bits: NaN and infinity among them."""
    rng = np.random.default_rng(seed)
    if dtype == "?":
        return rng.random(shape) < 0.5
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(rng.bytes(size), dtype=dtype).reshape(shape).copy()


tensors = st.builds(_tensor, st.sampled_from(DTYPES), st.sampled_from(SHAPES), st.integers(0, 1000))


def _sparse(name, seed):
    rng = np.random.default_rng(seed)
    dense = rng.integers(-2, 3, size=(2, 3)) * (rng.random((2, 3)) < 0.5)
    return getattr(scipy.sparse, name)(dense.astype(np.float32))


sparse = st.builds(_sparse, st.sampled_from(SPARSE), st.integers(0, 1000))


scores = st.dictionaries(
    words,
    st.builds(
        NamedScore,
        value=finite,
        op_name=words,
        description=words,
        ref_id=words,
        operands=st.lists(st.builds(NamedScore, value=finite), max_size=2),
    ),
    max_size=2,
)


_contents = st.one_of(
    st.none(),
    st.tuples(st.just("text"), words),
    st.tuples(st.just("buffer"), st.binary(max_size=9)),
    st.tuples(st.just("blob"), tensors | sparse),
)
_fields = {
    "mime_type": words,
    "embedding": tensors | sparse,
    "tags": tags,
    "uri": words,
    "parent_id": words,
    "modality": words,
    "granularity": counts,
    "adjacency": counts,
    "offset": counts,
    "location": st.lists(counts, max_size=3),
    "weight": finite,
    "content_hash": words,
    "scores": scores,
    "evaluations": scores,
}
_names = st.lists(st.sampled_from(sorted(_fields)), max_size=5, unique=True)
_ids = words.filter(bool)


@st.composite
def _documents(draw, children):
    doc = Document(id=draw(_ids))
    content = draw(_contents)
    if content is not None:
        setattr(doc, *content)
    for name in draw(_names):
        setattr(doc, name, draw(_fields[name]))
    if children is not None:
        doc.chunks, doc.matches = draw(children), draw(children)
    return doc


_leaves = _documents(None)
_branches = _documents(st.lists(_leaves, max_size=2))
documents = _leaves | _documents(st.lists(_branches, max_size=2))
