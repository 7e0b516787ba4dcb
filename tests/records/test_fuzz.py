"""Damaged frames give a typed error or a batch that can be read; nothing else.

JINA_FUZZ sets how many are tried, JINA_FUZZ_SEED which; the long run uses a million.
"""

from __future__ import annotations

import os
import random

import numpy as np
import scipy.sparse

from jina import Document, DocumentArray
from jina.excepts import DocumentError, WireError
from jina.types import codec

COUNT = int(os.environ.get("JINA_FUZZ", "20000"))
SEED = os.environ.get("JINA_FUZZ_SEED", "1")


def samples():
    """A batch with every kind of column, and small ones."""
    rich = Document(id="a", text="hello", tags={"x": [1, 2.5, None, {"y": "z"}], "n": 1 << 70})
    rich.embedding = np.arange(6, dtype="<f4").reshape(2, 3)
    rich.scores["cosine"] = 0.5
    rich.location = [1, 2]
    rich.chunks.append(Document(blob=np.eye(2)))
    rich.chunks[0].chunks.append(Document(buffer=b"xy"))
    rich.matches.append(Document(embedding=scipy.sparse.csr_matrix([[0, 1.0], [2, 0]])))
    odd = Document(id="b", tags={"nan": float("nan")}, blob=[1, 2, 3], weight=0.25, uri="a.png")
    dense = [Document(id=str(i), embedding=[i, i + 1.0]) for i in range(3)]
    return [
        DocumentArray([rich, odd]),
        DocumentArray(dense),
        DocumentArray([Document(id="c", text="plain")]),
        DocumentArray(),
    ]


def read_all(docs):
    """Touch every value, as columns and as rows."""
    docs.get_attributes("id", "text", "embedding", "mime_type", "buffer")
    for doc in docs.traverse_flat("r,c,m,cc"):
        doc.dict()
    codec.render(docs.traverse_flat("r"))


def mutated(rng, frames):
    frames = [bytearray(frame) for frame in frames]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        frame = rng.choice(frames)
        kind = rng.random()
        if kind < 0.1:
            frames.append(bytearray(rng.randbytes(rng.randrange(40))))
        elif kind < 0.15 and len(frames) > 1:
            frames.remove(frame)
        elif kind < 0.3:
            del frame[rng.randrange(len(frame) + 1) :]
        elif kind < 0.4:
            frame += rng.randbytes(rng.randrange(1, 9))
        elif frame:
            at = rng.randrange(len(frame))
            how = rng.random()
            if how < 0.4:
                frame[at] ^= 1 << rng.randrange(8)
            elif how < 0.7:
                frame[at] = rng.choice((0, 1, 0x7F, 0x80, 0xC0, 0xC1, 0xDC, 0xDD, 0xFF, 0x93))
            else:
                end = at + rng.randrange(1, 5)
                frame[at:end] = rng.randbytes(end - at)
        if not frames:
            break
    return frames


def test_damaged_frames_give_a_typed_error_or_a_valid_batch():
    rng = random.Random(f"frames {SEED}")
    originals = [codec.encode(docs) for docs in samples()]
    outcomes = {"error": 0, "batch": 0}
    for _ in range(COUNT):
        frames = mutated(rng, rng.choice(originals))
        try:
            docs = codec.decode(frames)
            read_all(docs)
            codec.decode([bytes(frame) for frame in codec.encode(docs)])
            outcomes["batch"] += 1
        except (WireError, DocumentError):
            outcomes["error"] += 1
    # Both happen, or the mutations would test nothing.
    assert min(outcomes.values()) > COUNT // 50


def test_damaged_lines_are_outcomes_of_their_own():
    rng = random.Random(f"lines {SEED}")
    source = codec.render(DocumentArray([doc for docs in samples()[1:] for doc in docs]))
    lines = source.splitlines(keepends=True)
    for _ in range(COUNT // 3):
        chunk = [bytearray(line) for line in lines]
        victim = rng.randrange(len(chunk))
        body = chunk[victim][:-1]
        for _ in range(rng.randrange(1, 4)):
            body[rng.randrange(len(body))] = rng.choice(b'{}[]",:\\x019 \x00\xff\xe9tfn')
        chunk[victim] = body + b"\n"
        found = codec.parse_lines(b"".join(chunk), key="k", first_line=1)
        assert len(found.docs) + len(found.errors) >= len(lines) - 1
        kept = {doc.id for doc in found.docs}
        for number, line in enumerate(lines):
            if number != victim:
                parsed = codec.parse_lines(line, key="k", first_line=1).docs[0].id
                assert parsed in kept
