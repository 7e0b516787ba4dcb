"""Damage bytes, as a broken or hostile peer would: cut, flip, insert, repeat, splice.

JINA_FUZZ says how many damaged inputs each test tries, JINA_FUZZ_SEED which.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from random import Random

COUNT = int(os.environ.get("JINA_FUZZ", "20000"))
_SEED = os.environ.get("JINA_FUZZ_SEED", "1")
_ODD_BYTES = b"\x00\x7f\x80\xc0\xc1\xd9\xdb\xdd\xdf\xff"  # msgpack's and UTF-8's corners


def mutations(originals: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """COUNT damaged versions of the originals, the same ones for the same seeds."""
    draw = Random(f"{seed} {_SEED}")
    for _ in range(COUNT):
        data = bytearray(draw.choice(originals))
        for _ in range(draw.choice([1, 1, 1, 2, 3, 8])):
            _damage(data, draw, originals)
        yield bytes(data)


def truncations(original: bytes) -> Iterator[bytes]:
    """Every beginning of it, the whole one excepted."""
    for end in range(len(original)):
        yield original[:end]


def _damage(data: bytearray, draw: Random, originals: Sequence[bytes]) -> None:
    at = draw.randint(0, len(data))
    end = min(len(data), at + draw.randint(0, 8))
    kind = draw.randint(0, 5)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        del data[at:end]
    elif kind == 2:
        data[at:at] = draw.randbytes(draw.randint(1, 4))
    elif kind == 3 and data:
        data[at % len(data)] ^= 1 << draw.randint(0, 7)
    elif kind == 4 and data:
        data[at % len(data)] = draw.choice(_ODD_BYTES)
    else:
        other = draw.choice(originals)
        data[at:end] = other[draw.randint(0, len(other)) :]
