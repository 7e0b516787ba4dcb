"""A folder with a running Flow, and `jina` loaded, for all tests of a module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina.transport.keys import make_key
from tests.blackbox.preloaded import Preloaded, preloaded
from tests.polling import poll
from tests.shell import ZOO, Shell, json_lines

STRANGE = os.fsdecode(b"lat\xe9\xff")
"""A file's name that is not UTF-8."""


@pytest.fixture(scope="module")
def temporary(shared_shell: Shell) -> Path:
    """The folder for temporary files of every command."""
    path = shared_shell.folder.parent / f"{shared_shell.folder.name}-tmp"
    path.mkdir()
    shared_shell.environment["TMPDIR"] = str(path)
    return path


@pytest.fixture(scope="module")
def loaded(shared_shell: Shell, temporary: Path) -> Iterator[Preloaded]:
    """The folder: a Flow of an Upper runs, and files to use are there."""
    shell = shared_shell
    home = {"HOME": str(shell.folder / "home"), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}
    shell.environment |= home
    shell.flow("Upper, replicas: 1")
    shell.flow("Upper", name="other.yml")
    shell.write("my.yml", "jtype: Upper\nmetas: {py_modules: [zoo.py]}\n")
    shell.write("checked.yml", "executors: [{uses: my.yml}]\n")
    shell.write("zoo.py", ZOO.read_text())
    shell.write("data.jsonl", json_lines(3))
    make_key(shell.folder / "pairs", "laptop", "client")
    for name in ("empty", STRANGE):
        for ending in (".yml", ".jsonl"):
            shell.write(name + ending, "")
    with preloaded(shell) as process, shell.up("flow.yml"):
        yield process


@pytest.fixture
def folder(loaded: Preloaded, temporary: Path) -> Iterator[Preloaded]:
    """The same; and whatever a test leaves in it is found."""
    shell = loaded.shell
    before = _all_in(shell, temporary)
    yield loaded
    poll(lambda: _all_in(shell, temporary) == before)
    assert _all_in(shell, temporary) == before


def _all_in(shell: Shell, temporary: Path) -> dict[str, Any]:
    """What a command might leave. Processes are counted: a restart replaces them."""
    files = {
        str(path.relative_to(shell.folder))
        for path in shell.folder.rglob("*")
        if "__pycache__" not in path.parts
    }
    return {
        "files": files,
        "temporary files": set(os.listdir(temporary)),
        "run directories": set(os.listdir(shell.run_dir)),
        "processes": len(shell.processes()),
    }
