"""The log of a Flow in the background keeps its size."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from jina.runtime.lastlog import keep_log, last_log_of
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


def gone_after(shell: Shell, kill: Callable[[], None]) -> Path:
    """The log that a detached Flow leaves which is killed during a post."""
    gate = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    assert shell.run("flow", "up", gate, "--detach").code == 0
    (name,) = shell.directories()
    kept = shell.run_dir / f"{name}.last.log"
    assert not kept.exists()
    with shell.start("post", "/", "--text", "x") as post:
        wait_until((shell.folder / "begun").exists)
        kill()
        done = post.end()
    assert done.code == 4
    assert f"help: its log is kept: {kept}; start it again with `jina flow up`\n" in done.err
    return kept


def test_the_log_of_a_flow_that_gave_up_is_kept_until_it_is_started_again(shell: Shell) -> None:
    def kill() -> None:
        for _ in range(6):
            old = wait_until(lambda: shell.processes("jina.runtime.gateway"))
            os.kill(old[0], signal.SIGKILL)
            wait_until(lambda old=old: shell.processes("jina.runtime.gateway") != old)

    kept = gone_after(shell, kill)
    words = kept.read_text()
    assert words.count("gateway was killed by SIGKILL; starting it again") == 5
    assert words.endswith('error: "gateway" did not start: it was killed by SIGKILL\n')
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    told = f"logs of Flows that ended by themselves: {shell.run_dir}/*.last.log\n"
    assert shell.run("flow", "ps").err == f"no Flow is running\n{told}"
    for option in ("--json", "--quiet"):
        assert shell.run("flow", "ps", option).err == ""
    assert kept.exists()
    with shell.up(shell.flow("Upper", name="other.yml")):
        assert shell.run("flow", "ps").err == told
    assert shell.run("flow", "up", "flow.yml", "--detach").code == 0
    assert not kept.exists()
    assert shell.run("flow", "ps").err == ""
    assert shell.run("flow", "down").code == 0
    assert not list(shell.run_dir.iterdir())


def test_the_log_of_a_flow_that_was_killed_is_kept(shell: Shell) -> None:
    def kill() -> None:
        os.kill(shell.workers()["gate/0"], signal.SIGKILL)
        (name,) = shell.directories()
        wait_until((shell.run_dir / name / "log").read_text)
        os.kill(shell.ps()[0]["pid"], signal.SIGKILL)

    assert "gate/0 was killed by SIGKILL; starting it again" in gone_after(shell, kill).read_text()


def test_few_logs_are_kept(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"flow-{number}").mkdir()
        (tmp_path / f"flow-{number}" / "log").write_text("x")
        keep_log(tmp_path / f"flow-{number}")
        os.utime(last_log_of(tmp_path / f"flow-{number}"), (number, number))
    assert len(list(tmp_path.glob("*.last.log"))) == 5
    assert last_log_of(tmp_path / "flow-7").exists()
