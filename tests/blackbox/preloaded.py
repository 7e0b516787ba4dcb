"""Run `jina` many times for the price of one start.

A process that has imported everything forks for each command. From there on all is as ever: a
session, standard streams, an environment and a folder of its own, and `jinacli.app.main`. The end
of the interpreter costs more than all of that, so it can be left out. What happens while libraries
load is tested elsewhere, with `jina` itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.screen import Screen
from tests.shell import WAIT_S, Shell
from tests.terminal import open_terminal, without_size

_MAX_REQUEST_BYTES = 1 << 17


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
    """The process that forks.

    Args:
        control: the socket on which it is asked.
        shell: has the folder and the environment of every command.
    """

    def __init__(self, control: socket.socket, shell: Shell) -> None:
        self._control = control
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
        with contextlib.ExitStack() as stack:
            given, (out, out_end), (err, err_end) = _stdin(stdin), os.pipe(), os.pipe()
            theirs = [given, out_end if stdout is None else stdout, err_end]
            try:
                self._begin(words, theirs, closed, environment, is_whole=is_whole)
            finally:
                for descriptor in (given, out_end, err_end):
                    os.close(descriptor)
            stack.callback(os.close, out)
            stack.callback(os.close, err)
            return Result(*self._end(out, err))

    def on_terminal(self, *words: str, columns: int = 80, **environment: str) -> Result:
        """Run a command as somebody does who types it at a terminal.

        Args:
            *words: of the command line.
            columns: of the terminal.
            **environment: variables to add.
        """
        ours, theirs = open_terminal(columns)
        try:
            variables = {"TERM": "xterm-256color", **environment}
            try:
                self._begin(words, [theirs] * 3, (), variables, terminal=True)
            finally:
                os.close(theirs)
            return Result(*self._end(ours), b"")
        finally:
            os.close(ours)

    def _begin(
        self,
        words: tuple[str, ...],
        descriptors: list[int],
        closed: tuple[int, ...],
        environment: dict[str, str],
        *,
        terminal: bool = False,
        is_whole: bool = False,
    ) -> None:
        known = self.shell.environment
        variables = (without_size(known) if terminal else known) | environment
        request = {
            "words": words,
            "folder": str(self.shell.folder),
            "environment": variables,
            "closed": closed,
            "terminal": terminal,
            "is_whole": is_whole,
        }
        socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)
        self._pid = int(self._control.recv(64))

    def _end(self, *descriptors: int) -> Any:
        """The exit code, and all that can be read of each descriptor."""
        try:
            read = _read_all(*descriptors)
        except BaseException:
            os.kill(self._pid, signal.SIGKILL)
            raise
        finally:
            code = int(self._control.recv(64))
        return code, *read


@contextlib.contextmanager
def preloaded(shell: Shell) -> Iterator[Preloaded]:
    """Start the process that forks, and end it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # As for `jina` itself, the main module is of no package: click names the program by that.
    code = f"from tests.blackbox.preloaded import serve; serve({theirs.fileno()})"
    with (
        ours,
        subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
        ),
    ):
        theirs.close()
        ours.settimeout(WAIT_S)
        yield Preloaded(ours, shell)
        ours.close()


def _stdin(data: bytes | None) -> int:
    if data is None:
        return os.open(os.devnull, os.O_RDONLY)
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read


def _read_all(*descriptors: int) -> list[bytes]:
    """Read descriptors to their ends."""
    found = dict.fromkeys(descriptors, b"")
    deadline = time.monotonic() + WAIT_S
    while descriptors:
        ready, _, _ = select.select(descriptors, [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"not at an end after {WAIT_S} s: {found}"
        for descriptor in ready:
            try:
                block = os.read(descriptor, 65536)
            except OSError:  # how Linux says that the other side of a terminal has closed
                block = b""
            found[descriptor] += block
            if not block:
                descriptors = tuple(each for each in descriptors if each != descriptor)
    return list(found.values())


# --- the process that forks ----------------------------------------------------------------------


def serve(number: int) -> None:
    """Load everything, and fork for each command that is asked for.

    Args:
        number: of the descriptor on which it is asked.
    """
    _import_everything()
    gc.freeze()
    request = _fork_for_each(socket.socket(fileno=number))
    # Late: this is the command, in a process of its own.
    from jinacli.app import main

    if request["is_whole"]:
        main()
    try:
        main()
    except SystemExit as end:
        with contextlib.suppress(OSError, AttributeError):
            sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


def _fork_for_each(control: socket.socket) -> dict[str, Any]:
    """Fork for each request, which is returned in the fork; ends when nobody asks any more."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, _MAX_REQUEST_BYTES, 3)
        if not data:
            sys.exit()
        pid = os.fork()
        if not pid:
            control.close()
            request: dict[str, Any] = json.loads(data)
            _become(request, descriptors)
            return request
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(b"%d" % pid)
        _, status = os.waitpid(pid, 0)
        control.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Take the place of a new `jina` process."""
    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if request["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in request["closed"]:
        os.close(number)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["jina", *request["words"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = sys.__stdin__ = _stream(0, "r", "surrogateescape")
    sys.stdout = sys.__stdout__ = _stream(1, "w", "strict")
    sys.stderr = sys.__stderr__ = _stream(2, "w", "backslashreplace")


def _stream(number: int, mode: str, errors: str) -> Any:
    """A standard stream, as Python makes it."""
    try:
        binary = open(number, f"{mode}b", closefd=False)  # noqa: SIM115  # kept to the end
    except OSError:  # closed
        return None
    is_line = number == 2 or binary.isatty()
    return io.TextIOWrapper(binary, "utf-8", errors, line_buffering=is_line)


def _import_everything() -> None:
    import importlib
    import pkgutil

    import jina
    import jinacli

    for package in (jinacli, jina):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
