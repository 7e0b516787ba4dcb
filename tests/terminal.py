"""Run a command as somebody at a terminal does."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios

from tests.polling import wait_until
from tests.screen import Screen
from tests.shell import JINA, WAIT_S, Shell


def open_terminal(columns: int) -> tuple[int, int]:
    """Open a terminal of 24 lines; our side and that of the command."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return ours, theirs


def without_size(environment: dict[str, str]) -> dict[str, str]:
    """Variables of a command that has to ask its terminal how wide it is."""
    return {name: value for name, value in environment.items() if name != "COLUMNS"}


class Terminal:
    """A command whose standard output and error are a terminal.

    Args:
        shell: to run it in.
        *arguments: of `jina`.
        owns: it is the terminal's foreground session, and is told when the terminal is closed.
        columns: of the terminal.
    """

    def __init__(
        self, shell: Shell, *arguments: str, owns: bool = False, columns: int = 80
    ) -> None:
        self._ours, theirs = open_terminal(columns)
        self._said = b""
        program = ["setsid", "--ctty"] if owns else []
        self.process = subprocess.Popen(
            [*program, JINA, *arguments],
            cwd=shell.folder,
            env=without_size(shell.environment) | {"TERM": "xterm"},
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

    @property
    def screen(self) -> Screen:
        """What is seen at last."""
        self.shown  # noqa: B018  # read what there is
        return Screen(self._said)

    def type(self, keys: bytes) -> None:
        """Press keys: b"\\x03" is Ctrl-C, which reaches the process if it owns the terminal."""
        os.write(self._ours, keys)

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
