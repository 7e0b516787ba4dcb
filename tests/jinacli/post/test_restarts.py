"""Who waits for a post at a terminal is told that a worker has died and comes back."""

from __future__ import annotations

import os
import signal

from tests.polling import wait_until
from tests.shell import WAIT_S, Shell
from tests.terminal import Terminal


def test_a_restart_is_told(shell: Shell) -> None:
    flow = shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with (
        shell.up(flow),
        Terminal(shell, "post", "/", "--text", "x") as terminal,
    ):
        wait_until((shell.folder / "begun").exists)
        (pid,) = shell.workers().values()
        os.kill(pid, signal.SIGKILL)
        terminal.wait_for("gate/0 was killed by SIGKILL; restarting ")
        terminal.wait_for("gate/0 is ready again\n")
        (shell.folder / "go").touch()
        assert terminal.process.wait(WAIT_S) == 0
    first, second, *_ = terminal.screen.lines
    assert first.startswith("gate/0 was killed by SIGKILL; restarting ")
    assert second == "gate/0 is ready again"
