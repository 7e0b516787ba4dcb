"""`jina.ray.Mapper` in a pipeline of Ray Data, on a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ray.test_mapper import SOURCE

PROGRAM = """
import json, os, sys
import ray
from jina.ray import Mapper

kind, yaml = sys.argv[1:]
ray.init(os.environ["JINA_RAY"], log_to_driver=False, logging_level="ERROR")
ray.data.DataContext.get_current().enable_progress_bars = False
items = [{"id": str(n), "text": "x" * (n % 7), "bad": n == 333} for n in range(1000)]
given = ray.data.from_items(items, override_num_blocks=4)
if kind == "instance":
    mapped = given.map_batches(Mapper(yaml, "/encode"), batch_size=100)
else:
    arguments = {"fn_constructor_args": (yaml, "/encode"), "concurrency": 2}
    mapped = given.map_batches(Mapper, batch_size=100, **arguments)
rows = [{**row, "embedding": row["embedding"].tolist()} for row in mapped.take_all()]
print("ROWS", json.dumps(rows))
"""


@pytest.mark.parametrize("kind", ["instance", "class"])
def test_a_pipeline_has_a_row_for_each_document(tmp_path: Path, kind: str) -> None:
    (tmp_path / "enc.py").write_text(SOURCE)
    yaml = tmp_path / "enc.yml"
    yaml.write_text("jtype: Enc\nmetas: {py_modules: [enc.py]}\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, yaml],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"},
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("ROWS "))
    rows = {row["id"]: row for row in json.loads(line[5:])}
    assert len(rows) == 1000
    assert [row["id"] for row in rows.values() if row["error"]] == ["333"]
    assert rows["333"]["error"] == "ValueError: a bad one"
    good = [row for row in rows.values() if not row["error"]]
    assert all(row["embedding"] == [len(row["text"])] * 3 for row in good)
    assert all(row["length"] == len(row["text"]) for row in good)
