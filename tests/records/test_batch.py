"""Reading batches: what hostile bytes cannot do."""

from __future__ import annotations

import struct
import time
import tracemalloc

import msgspec
import pytest

from jina import defaults
from jina.excepts import DocumentError, WireError
from jina.records.batch import CODE_OF, ENTRY, HEAD, MAGIC
from jina.types import codec

pack = msgspec.msgpack.encode
_SPENT_S = 20.0  # of processor time; it takes a fraction of a second, and without limits hours


def body(rows, *entries, magic=MAGIC, version=1):
    """Write a body by hand: entries are (field, kind, aux, bytes)."""
    head = HEAD.pack(magic, version, len(entries), rows)
    directory = [
        ENTRY.pack(CODE_OF[field], kind, 0, aux, len(d)) for field, kind, aux, d in entries
    ]
    return head + b"".join(directory) + b"".join(data for *_, data in entries)


def ids(rows):
    return ("id", 1, 0, pack([str(i) for i in range(rows)]))


def test_nesting_beyond_the_limit_is_refused():
    inner = body(1, ids(1))
    for _ in range(defaults.MAX_DEPTH + 1):
        inner = body(1, ids(1), ("chunks", 5, 2, pack([1]) + b"" + inner))
    with pytest.raises(WireError):
        codec.decode([inner])


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


MANY = 60 * 1024 * 1024


def short_ids():
    return [body(MANY, ("id", 1, 0, b"\xdd" + MANY.to_bytes(4, "big") + b"\xa0" * MANY))]


def location():
    lists = b"\x91\xdd" + (MANY // 8).to_bytes(4, "big") + b"\x00" * (MANY // 8)
    return [body(1, ids(1), ("location", 1, 0, lists))]


def tree_of_batches():
    inner = body(1, ids(1))
    while len(inner) < 1_000_000:
        below = b"\x91\x01" + inner
        inner = body(1, ids(1), ("chunks", 5, 2, below), ("matches", 5, 2, below))
    return [inner]


def operands():
    nested = b"\x81\xa8operands\x91" * 100_000
    return [body(1, ids(1), ("scores", 1, 0, b"\x91\x81\xa1a" + nested + b"\x80"))]


def lil_matrices(rows, count):
    empty = {"data": ["|u1", [0], 0, 0], "row": ["<i4", [0], 0, 0], "col": ["<i4", [0], 0, 0]}
    cells = pack([["lil_matrix", [rows, 1], 0, 0, empty]] * count)
    return [body(count, ids(count), ("blob", 4, 0, cells)), b""]


# Made when they are needed: every process of the tests imports this.
BOMBS = {
    "documents": lambda: [body(0, ids(0))[:8] + struct.pack("<I", 0xFFFFFFFF)],
    "short ids": short_ids,
    "location": location,
    "tags": lambda: [
        body(1, ids(1), ("tags", 6, 0, b'[{"a":[' + b"[]," * (MANY // 12) + b"[]]}]"))
    ],
    "deep tags": lambda: [body(1, ids(1), ("tags", 6, 0, b'[{"a":' + b"[" * MANY))],
    "tree of batches": tree_of_batches,
    "operands": operands,
    "a huge lil matrix": lambda: lil_matrices(1 << 40, 1),
    "a large lil matrix": lambda: lil_matrices(1 << 26, 1),
    "100 lil matrices": lambda: lil_matrices(1 << 15, 100),
    "large tensor": lambda: [
        body(1, ids(1), ("blob", 3, 0, pack(["<f8", [1, 1 << 40], 0]))),
        bytes(8),
    ],
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once_and_without_memory(name):
    frames = BOMBS[name]()
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises((WireError, DocumentError)):
        read_all(frames)
    spent = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < _SPENT_S
    assert peak < 200 * 1024 * 1024
