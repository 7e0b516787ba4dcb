"""Large rows: they share requests, and results may be more than one frame holds."""

from __future__ import annotations

import re

import numpy as np

from jina.defaults import MAX_FRAME_BYTES, MIB
from tests.shell import Shell


def test_large_rows_share_a_request_and_all_results_come_back(shell: Shell) -> None:
    shell.write(
        "counts.py",
        "from jina import Executor, requests\n"
        "class Counts(Executor):\n    @requests\n    def count(self, docs, **kwargs):\n"
        "        for doc in docs:\n            doc.tags['n'] = len(docs)\n",
    )
    shell.write("flow.yml", "executors: [{uses: 'counts.py:Counts'}]\n")
    rows = np.zeros((10, 4 * MIB), "u1")
    rows[:, 0] = range(10)
    np.save(shell.folder / "rows.npy", rows)
    with shell.up("flow.yml"):
        done = shell.fork("post", "/", "--inputs", "rows.npy", "--request-size", "9")
    assert done.code == 0, done.err
    assert len(done.out) > MAX_FRAME_BYTES
    lines = done.out.splitlines()
    assert [line[line.index("[") : line.index("]")].count(",") + 1 for line in lines] == [
        4 * MIB
    ] * 10
    found = [re.search(r'"n":(\d+)', line[:200] + line[-200:]) for line in lines]
    assert [match and match[1] for match in found] == ["9"] * 9 + ["1"]
