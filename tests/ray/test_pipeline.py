"""`jina.ray.Mapper` in a pipeline of Ray Data, on a real cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina.ray import Mapper
from jina.ray.connect import connected
from tests.ray.test_mapper import SOURCE

pytestmark = pytest.mark.filterwarnings("default")  # Ray warns about itself


@pytest.fixture(scope="module")
def data() -> Iterator[Any]:
    ray = connected(os.environ["JINA_RAY"])
    data = pytest.importorskip("ray.data")
    data.DataContext.get_current().enable_progress_bars = False
    yield data
    ray.shutdown()


@pytest.fixture
def yaml(tmp_path: Path) -> str:
    (tmp_path / "enc.py").write_text(SOURCE)
    (tmp_path / "enc.yml").write_text("jtype: Enc\nmetas: {py_modules: [enc.py]}\n")
    return str(tmp_path / "enc.yml")


@pytest.mark.parametrize("kind", ["instance", "class"])
def test_a_pipeline_has_a_row_for_each_document(data: Any, yaml: str, kind: str) -> None:
    items = [{"id": str(n), "text": "x" * (n % 7), "bad": n == 333} for n in range(1000)]
    given = data.from_items(items, override_num_blocks=4)
    if kind == "instance":
        mapped = given.map_batches(Mapper(yaml, "/encode"), batch_size=100)
    else:
        arguments = {"fn_constructor_args": (yaml, "/encode"), "concurrency": 2}
        mapped = given.map_batches(Mapper, batch_size=100, **arguments)
    rows = {row["id"]: row for row in mapped.take_all()}
    assert len(rows) == 1000
    assert [row["id"] for row in rows.values() if row["error"]] == ["333"]
    assert rows["333"]["error"] == "ValueError: a bad one"
    good = [row for row in rows.values() if not row["error"]]
    assert all(row["embedding"].tolist() == [len(row["text"])] * 3 for row in good)
    assert all(row["length"] == len(row["text"]) for row in good)
