"""The log of a Flow that ended by itself is kept."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

from jina.runtime.lastlog import keep_log, last_log_of
from tests.polling import wait_until
from tests.shell import Shell


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
