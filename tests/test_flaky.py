"""A test that fails once and passes alone is told in full; a bug stays a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import flaky

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

SOUND = "def test_sound(): pass\n"
BROKEN = "def test_broken(): assert not 'broken'\n"
# Fails where no file is, and makes it.
ONCE = """
from pathlib import Path
MARK = Path(__file__).with_suffix(".mark")

def test_once():
    print("what it printed")
    if not MARK.exists():
        MARK.touch()
        assert not "the first time"
"""
# The same after the test, as a thing that is left behind.
LEAVES_ONCE = """
import pytest
from pathlib import Path
MARK = Path(__file__).with_suffix(".mark")

@pytest.fixture
def room():
    yield
    if not MARK.exists():
        MARK.touch()
        assert not "left behind"

def test_leaves(room): pass
"""


class Outcome:
    """What pytest said about a folder of tests, and the report of flaky ones."""

    def __init__(self, folder: Path, files: dict[str, str], *options: str) -> None:
        (folder / "pytest.ini").write_text("[pytest]\n")
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        report = folder / "flaky.txt"
        settings = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", folder / "pytest.ini"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *map(str, settings), *options, str(folder)],
            cwd=ROOT,
            env={**os.environ, flaky.VARIABLE: str(report), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.code = done.returncode
        self.out = done.stdout + done.stderr
        self.report = report.read_text() if report.exists() else ""


def test_a_flaky_test_is_told_in_full_and_the_run_passes(tmp_path: Path) -> None:
    found = Outcome(tmp_path, {"test_a.py": SOUND + ONCE, "test_b.py": LEAVES_ONCE})
    assert found.code == 0, found.out
    assert "2 flaky" in found.out.splitlines()[-1]
    assert "flaky: test_a.py::test_once failed once, and passed alone\n--- call\n" in found.report
    assert '>           assert not "the first time"' in found.report
    assert "what it printed" in found.report
    assert "flaky: test_b.py::test_leaves failed once, and passed alone\n" in found.report
    assert 'assert not "left behind"' in found.report


def test_what_fails_twice_or_has_a_seed_fails_the_run(tmp_path: Path) -> None:
    """Under xdist too, where the failures happen in other processes."""
    seeded = {"chaos/test_kills.py": ONCE, "test_simulator.py": ONCE}
    found = Outcome(tmp_path, {"test_a.py": ONCE + BROKEN, **seeded}, "-n", "1")
    assert found.code == 1, found.out
    assert "3 failed" in found.out.splitlines()[-1]
    assert "1 flaky" in found.out.splitlines()[-1]
    assert "assert not 'broken'" in found.out
    assert found.report.count("flaky: ") == found.report.count("flaky: test_a.py::test_once ") == 1


def test_a_broken_tree_is_not_run_again(tmp_path: Path) -> None:
    many = (
        f"import pytest\n@pytest.mark.parametrize('n', range({flaky.MOST}))\ndef test_n(n): 1 / 0\n"
    )
    found = Outcome(tmp_path, {"test_a.py": many, "test_b.py": ONCE})
    assert (found.code, found.report) == (1, "")


def test_a_file_that_cannot_be_read_fails_the_run(tmp_path: Path) -> None:
    found = Outcome(tmp_path, {"test_a.py": "import no_such_module\n", "test_b.py": ONCE})
    assert (found.code, found.report) == (2, "")
