"""Which files an Executor's code is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina.executors.spec import ExecutorSpec
from jinacli.flow.sources import module_files, stamps_of

FILES = {
    "main.py": "import helper\nfrom pack.inner import thing\nimport json, numpy\n",
    "helper.py": "def late():\n    import late_one\n",
    "late_one.py": "import main\n",
    "pack/__init__.py": "",
    "pack/inner.py": "from . import sibling\n",
    "pack/sibling.py": "",
    "unused.py": "",
    "user.py": "import helper2\nfrom jina import Executor\n",
    "helper2.py": "",
    "jina/__init__.py": "",
    "broken.py": "import helper\ndef (\n",
    "shared/common.py": "import helper\n",
}


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        (
            ["main.py"],
            "main.py helper.py late_one.py pack/__init__.py pack/inner.py pack/sibling.py",
        ),
        (["unused.py"], "unused.py"),
        (["user.py"], "user.py helper2.py"),
        (["broken.py"], "broken.py"),
        (["nowhere.py"], ""),
        (["pack"], "pack/__init__.py pack/inner.py pack/sibling.py"),
        (["pack.inner"], "pack/__init__.py pack/inner.py pack/sibling.py"),
        (
            ["shared/common.py"],
            "shared/common.py helper.py late_one.py main.py pack/__init__.py "
            "pack/inner.py pack/sibling.py",
        ),
        (["json"], ""),
        ([], ""),
    ],
)
def test_the_files_of_a_module(tmp_path: Path, modules: list[str], expected: str) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    entries = [name if name in ("json", "pack.inner") else str(tmp_path / name) for name in modules]
    spec = ExecutorSpec(jtype="A", py_modules=entries, search_paths=[str(tmp_path)])
    assert module_files(spec) == {tmp_path / name for name in expected.split()}


def test_a_stamp_tells_whether_a_file_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a"
    assert stamps_of([file]) == {file: None}
    file.write_text("one")
    first = stamps_of([file])
    assert stamps_of([file]) == first
    file.write_text("three")
    assert stamps_of([file]) != first
