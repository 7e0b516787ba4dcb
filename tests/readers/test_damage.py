"""Damaged files of every format give rows, or an error that says so, and nothing else."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

from jina.excepts import JinaError
from tests.readers.drained import read

_EACH = 150  # mutations of each file
_SIGNS = b'\x00\xff",\n{[]}'


def _whole(path: Path) -> bytes:
    """A good file of the format that its name stands for."""
    if path.suffix == ".npy":
        np.save(path, np.eye(6, dtype="f4"))
    elif path.suffix == ".npz":
        np.savez_compressed(path, blob=np.eye(6), id=np.array(list("abcdef")))
    elif path.suffix == ".json":
        elements = [{"text": 'a"]', "n": [1, {"x": [[]]}]}, {"embedding": [1, 2]}]
        path.write_text(json.dumps(elements * 4, indent=1))
    elif path.suffix == ".csv":
        row = 'a,"x\ny ""q""",0.5,"[1,2]",\n'
        path.write_text("id,text,weight,embedding,n\n" + row * 6)
    elif path.suffix == ".txt":
        path.write_text("one\n\nzwei é\n" * 5)
    else:
        pa = pytest.importorskip("pyarrow", reason="the extra `columnar`")
        vectors = pa.array([[1.0, 2.0], None, [3.0]] * 5, pa.list_(pa.float32()))
        table = pa.table({"text": ["a", None, "c"] * 5, "embedding": vectors})
        if path.suffix == ".parquet":
            pytest.importorskip("pyarrow.parquet").write_table(table, path, row_group_size=4)
        elif path.suffix == ".arrow":
            pytest.importorskip("pyarrow.feather").write_feather(table, path, chunksize=4)
        else:
            new = pa.ipc.new_stream
            with pa.OSFile(str(path), "wb") as file, new(file, table.schema) as writer:
                writer.write_table(table, 4)
    return path.read_bytes()


def _mutated(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        kind, at = chance.random(), chance.randrange(len(data) + 1)
        if kind < 0.5:
            data[at : at + 1] = bytes([chance.choice(_SIGNS + bytes([chance.randrange(256)]))])
        elif kind < 0.7:
            del data[at : at + chance.randint(1, 20)]
        elif kind < 0.9:
            data[at:at] = chance.randbytes(chance.randint(1, 8))
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize(
    "name",
    ["a.json", "a.csv", "a.txt", "a.npy", "a.npz", "a.parquet", "a.arrow", "a.arrows"],
)
def test_a_damaged_file_gives_rows_or_a_typed_error(tmp_path: Path, name: str, packed: str) -> None:
    whole = _whole(tmp_path / name)
    good = gzip.compress(whole) if packed else whole
    chance = random.Random(f"{name}{packed}")
    path = tmp_path / f"m{name}{packed}"
    ends = set()
    for _ in range(_EACH):
        path.write_bytes(_mutated(good, chance))
        try:
            found = read(path)
            ends.add("broken" if found.broken else "whole")
        except JinaError:
            ends.add("refused")
    assert ends  # whatever else is raised fails the test
    path.write_bytes(good)
    assert read(path).docs
    assert not read(path).broken
