"""docs/notebook.md tells the truth: its files are written and its commands run, in their order."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "notebook.md"
PORT = "5555"  # on the page


def blocks() -> list[tuple[str, str]]:
    """The kind and the text of each block of the page."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def test_every_block_of_the_page_runs(
    tmp_path: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    port = free_port()
    try:
        for kind, block in blocks():
            text = block.replace(PORT, port)
            if kind == "console":
                for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                    run(*part.split("\n", 1))
            else:
                named = re.match(r"# file: (\S+)\n", text)
                assert named, f"a block that does not name a file: {text}"
                (tmp_path / named[1]).write_text(text, "utf-8")
    finally:
        subprocess.run(["jina", "flow", "down", "--all", "--quiet"], check=False, timeout=60)


def run(command: str, expected: str) -> None:
    done = subprocess.run(
        ["bash", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, expected), f"$ {command}\n{done}"


def test_the_page_has_blocks_of_each_kind_and_links_to_files() -> None:
    assert {kind for kind, _ in blocks()} == {"python", "yaml", "console"}
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE.read_text("utf-8")):
        assert (PAGE.parent / target).exists(), target
