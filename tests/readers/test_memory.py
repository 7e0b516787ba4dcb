"""Memory use does not grow with the length of an input."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jina.defaults import MIB

_ROWS = 100_000
_TEXT = "x" * 400
_ALLOWED = 40 * MIB  # the files have 40 MiB or more, unpacked

_READ = """
import sys
from pathlib import Path
from jina.client.requests import LineRequests
from jina.readers import open_inputs
from jina.wire.maps import Call

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024

def rows(name):
    with open_inputs([name]) as source:
        requests = LineRequests(source, Call())
        count = 0
        while not requests.at_end:
            request = requests.next()
            count += 0 if request is None else request.rows
    return count

small = rows(sys.argv[1])  # loads whatever the format needs
before = peak()
print(small, rows(sys.argv[2]), peak() - before)
"""


def written(path: Path, rows: int) -> None:
    """Write a file with this number of rows, in the format that its name stands for."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".npy"):
        np.save(path, np.zeros((rows, 128), "f4"))
    elif name.endswith(".npz"):
        np.savez_compressed(path, np.zeros((rows, 128), "f4"))
    elif name.endswith(".parquet"):
        pq = pytest.importorskip("pyarrow.parquet", reason="the extra `columnar`")
        pa = pytest.importorskip("pyarrow")
        with pq.ParquetWriter(path, pa.schema({"text": pa.string()})) as writer:
            for start in range(0, rows, 5000):
                texts = [f"{n}{_TEXT}" for n in range(start, min(rows, start + 5000))]
                writer.write_table(pa.table({"text": texts}))
    else:
        line = {"csv": f"{_TEXT}\n", "txt": f"{_TEXT}\n"}.get(name[-3:], "")
        whole = (f"text\n{line}" if name[-3:] == "csv" else line) + line * (rows - 1)
        if not line:
            whole = "[" + ",".join([json.dumps({"text": _TEXT})] * rows) + "]"
        data = whole.encode()
        path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize(
    "name",
    ["a.csv", "a.csv.gz", "a.txt", "a.json", "a.json.gz", "a.npy", "a.npz", "a.parquet"],
)
def test_memory_is_bounded(tmp_path: Path, name: str) -> None:
    small, large = tmp_path / f"small-{name}", tmp_path / name
    written(small, 1000)
    written(large, _ROWS)
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(small), str(large)],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, grown = map(int, done.stdout.split())
    assert (first, second) == (1000, _ROWS)
    assert grown < _ALLOWED // 2, f"{grown / MIB:.0f} MiB more"
