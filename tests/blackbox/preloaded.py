"""Commands in a folder, which `tests.forks` runs: in a pipe or on a terminal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.forks import Forks, forks
from tests.screen import Screen
from tests.shell import WAIT_S, Shell
from tests.terminal import open_terminal, without_size


class Result(NamedTuple):
    """What a command left: its exit code, and the bytes that it wrote.

    On a terminal `out` is all that appeared there.
    """

    code: int
    out: bytes
    err: bytes

    @property
    def screen(self) -> Screen:
        return Screen(self.out)

    @property
    def words(self) -> str:
        """Standard error as text."""
        return self.err.decode()


class Preloaded:
    """Runs commands.

    Args:
        forks: the process that forks.
        shell: has the folder and the environment of every command.
    """

    def __init__(self, forks: Forks, shell: Shell) -> None:
        self._forks = forks
        self.shell = shell

    def piped(
        self,
        *words: str,
        stdin: bytes | None = None,
        closed: tuple[int, ...] = (),
        stdout: int | None = None,
        is_whole: bool = False,
        **environment: str,
    ) -> Result:
        """Run a command whose standard output and error are pipes.

        Args:
            *words: of the command line.
            stdin: what its standard input holds, a few KiB; None for /dev/null.
            closed: descriptors that are closed when it begins.
            stdout: another standard output.
            is_whole: it ends as an interpreter does, with what objects do when they are deleted.
            **environment: variables to add.
        """
        request = self._request(words, self.shell.environment | environment)
        request |= {"closed": closed, "is_whole": is_whole}
        return Result(*self._forks.piped(request, stdin, stdout))

    def on_terminal(self, *words: str, columns: int = 80, **environment: str) -> Result:
        """Run a command as somebody does who types it at a terminal.

        Args:
            *words: of the command line.
            columns: of the terminal.
            **environment: variables to add.
        """
        variables = without_size(self.shell.environment)
        variables |= {"TERM": "xterm-256color", **environment}
        request = self._request(words, variables) | {"terminal": True}
        ours, theirs = open_terminal(columns)
        try:
            code, (shown,) = self._forks.run(request, [theirs] * 3, [theirs], [ours])
        finally:
            os.close(ours)
        return Result(code, shown, b"")

    def _request(self, words: tuple[str, ...], environment: dict[str, str]) -> dict[str, Any]:
        folder = str(self.shell.folder)
        return {"words": ["jina", *words], "folder": folder, "environment": environment}


@contextlib.contextmanager
def preloaded(shell: Shell) -> Iterator[Preloaded]:
    """Start the process that forks, and end it."""
    with forks(WAIT_S) as started:
        yield Preloaded(started, shell)
