"""The README tells the truth: its files are written, its commands run, and print what it says.

Its first screen, which installs and tests, is run by .ci/run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import readme_transcript

README = Path(__file__).parent.parent / "README.md"


def _blocks(kind: str) -> list[str]:
    text = readme_transcript.without_transcript(README.read_text("utf-8"))
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block, with the output that follows it."""
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def test_every_command_prints_what_the_readme_says(
    tmp_path: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in _blocks("python") + _blocks("yaml"):
        named = re.match(r"# file: (\S+)\n", block)
        assert named, f"a block that does not name a file: {block}"
        (tmp_path / named.group(1)).write_text(block, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    commands = [command for block in _blocks("console") for command in _commands(block)]
    assert len(commands) > 5
    for command, expected in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == expected, f"$ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
def test_the_transcript_is_what_the_commands_print() -> None:
    """If this fails: python -m tests.readme_transcript."""
    shown, written = readme_transcript.transcript(), readme_transcript.written()
    assert readme_transcript.normal(shown) == readme_transcript.normal(written)
    assert max(map(len, written.splitlines())) <= readme_transcript.COLUMNS


def test_the_first_screen_names_two_commands() -> None:
    first, second = _blocks("sh")
    assert "jina post /search" in first
    assert "pytest" in second


def test_every_link_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8")):
        assert (README.parent / target).exists(), target
