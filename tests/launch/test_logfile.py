"""The log of a Flow in the background keeps its size."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from tests.polling import wait_until
from tests.shell import Shell

PROGRAM = """
import os, sys
from pathlib import Path
from jina.launch.logfile import LogFile
log = LogFile(Path(sys.argv[1]), 1000)
for number in range(100):
    os.write(2, f"line {number:04}\\n".encode())  # 10 bytes each
    log.keep_small()
    if number == 20 and "lost" in sys.argv:
        os.unlink(sys.argv[1])
"""


def test_a_full_log_becomes_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n" * 100)
    subprocess.run([sys.executable, "-c", PROGRAM, path], check=True)
    assert path.read_text().splitlines() == [f"line {number:04}" for number in range(30, 100)]
    older = (tmp_path / "log.1").read_text().splitlines()
    assert older == ["before"] * 100 + [f"line {number:04}" for number in range(30)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log", "log.1"]


def test_a_log_that_was_removed_stops_nobody(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, tmp_path / "log", "lost"], check=True)


def content(log: Path) -> str:
    try:
        return log.read_text()
    except FileNotFoundError:  # for a moment, while one takes the place of the other
        return ""


def test_a_detached_flow_that_talks_much_fills_no_disk(shell: Shell) -> None:
    shell.write(
        "talk.py",
        "import os\n"
        "from jina import Executor, requests\n"
        "class Talker(Executor):\n"
        "    @requests\n"
        "    def talk(self, **kwargs):\n"
        "        for n in range(500):\n"
        "            print(n, 'x' * 50_000)\n"
        "        print('\\x1b[2Jthe end')\n",
    )
    shell.write("flow.yml", "executors: [{name: t, uses: {jtype: Talker, py_modules: talk.py}}]\n")
    assert shell.run("flow", "up", "flow.yml", "--detach").code == 0
    try:
        assert shell.run("post", "/").code == 0
        (name,) = shell.directories()
        log, older = (shell.run_dir / name / each for each in ("log", "log.1"))
        wait_until(lambda: "the end" in content(log), 20, "the last line is written")
        assert "t/0 | \\x1b[2Jthe end\n" in log.read_text()
        assert 10 << 20 <= older.stat().st_size < 11 << 20
        assert log.stat().st_size < 11 << 20
    finally:
        assert shell.run("flow", "down").code == 0
    assert json.loads(shell.run("flow", "ps", "--json").out)["flows"] == []
