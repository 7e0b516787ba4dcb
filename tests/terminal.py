"""Run a command as somebody at a terminal does."""

from __future__ import annotations

import os
import pty
import subprocess

from tests.polling import wait_until
from tests.shell import JINA, WAIT_S, Shell


class Terminal:
    """A command whose standard output and error are a terminal.

    Args:
        shell: to run it in.
        *arguments: of `jina`.
        owns: it is the terminal's foreground session, and is told when the terminal is closed.
    """

    def __init__(self, shell: Shell, *arguments: str, owns: bool = False) -> None:
        self._ours, theirs = pty.openpty()
        self._said = b""
        program = ["setsid", "--ctty"] if owns else []
        self.process = subprocess.Popen(
            [*program, JINA, *arguments],
            cwd=shell.folder,
            env={**shell.environment, "TERM": "xterm"},
            stdin=theirs if owns else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)

    @property
    def shown(self) -> str:
        """What it has said so far."""
        try:
            while self._ours >= 0 and (data := os.read(self._ours, 65536)):
                self._said += data
        except OSError:  # nothing is there just now, or the other side has closed
            pass
        return self._said.decode().replace("\r\n", "\n")

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.shown, WAIT_S, f"{words!r}, but: {self.shown}")

    def close(self) -> None:
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_S)
        self.shown  # noqa: B018  # read before it is closed
        self.close()
