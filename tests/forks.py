"""Run `jina` many times for the price of one start.

A process that has imported everything forks for each command. From there on all is as ever: a
session, standard streams, an environment and a folder of its own, and `jinacli.app.main`. The end
of the interpreter costs more than all of that, so it can be left out. What happens while libraries
load is tested elsewhere, with `jina` itself.

The process that forks has one thread, so no fork of it finds a lock that nobody releases.
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
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MAX_REQUEST_BYTES = 1 << 17
_MAX_STDIN_BYTES = 1 << 12  # what every pipe holds


class Forks:
    """The process that forks, as those see it who ask it for commands.

    Args:
        control: the socket on which it is asked.
        patience_s: how long to wait for a command's end.
    """

    def __init__(self, control: socket.socket, patience_s: float) -> None:
        self._control = control
        self._patience_s = patience_s
        self._asked = threading.Lock()  # it does one command after the other

    def run(
        self, request: dict[str, Any], descriptors: list[int], ends: list[int], read: list[int]
    ) -> tuple[int, list[bytes]]:
        """Run a command.

        Args:
            request: `words` of the command line, with the program's name; `folder`, `environment`.
            descriptors: its standard streams.
            ends: what to close here when it has begun.
            read: what to read to its end meanwhile.

        Returns:
            the exit code, and what was read.
        """
        with self._asked:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)
                pid = int(self._control.recv(64))
            finally:
                for descriptor in ends:
                    os.close(descriptor)
            try:
                found = _read_all(read, self._patience_s)
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                raise
            finally:
                code = int(self._control.recv(64))
            return code, found

    def piped(
        self,
        request: dict[str, Any],
        stdin: bytes | None = None,
        stdout: int | None = None,
    ) -> tuple[int, bytes, bytes]:
        """Run a command whose standard output and error are pipes.

        Args:
            request: see `run`.
            stdin: what its standard input holds, as much as `fits`; None for /dev/null.
            stdout: another standard output.

        Returns:
            the exit code, standard output and standard error.
        """
        given, (out, out_end), (err, err_end) = _stdin(stdin), os.pipe(), os.pipe()
        theirs = [given, out_end if stdout is None else stdout, err_end]
        try:
            code, (said, told) = self.run(request, theirs, [given, out_end, err_end], [out, err])
        finally:
            os.close(out)
            os.close(err)
        return code, said, told

    @property
    def is_busy(self) -> bool:
        """Whether another thread waits for a command."""
        return self._asked.locked()


def fits(stdin: bytes | None) -> bool:
    """Whether this can be given to a command at once."""
    return stdin is None or len(stdin) <= _MAX_STDIN_BYTES


@contextlib.contextmanager
def forks(patience_s: float) -> Iterator[Forks]:
    """Start the process that forks, and end it.

    Args:
        patience_s: how long to wait for a command's end.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # As for `jina` itself, the main module is of no package: click names the program by that.
    code = f"from tests.forks import serve; serve({theirs.fileno()})"
    with (
        ours,
        subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
        ),
    ):
        theirs.close()
        ours.settimeout(patience_s)
        yield Forks(ours, patience_s)
        ours.close()


def _stdin(data: bytes | None) -> int:
    if data is None:
        return os.open(os.devnull, os.O_RDONLY)
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read


def _read_all(descriptors: list[int], patience_s: float) -> list[bytes]:
    """Read descriptors to their ends."""
    found: dict[int, list[bytes]] = {descriptor: [] for descriptor in descriptors}
    deadline = time.monotonic() + patience_s
    while descriptors:
        ready, _, _ = select.select(descriptors, [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"not at an end after {patience_s} s: {found}"
        for descriptor in ready:
            try:
                block = os.read(descriptor, 1 << 20)
            except OSError:  # how Linux says that the other side of a terminal has closed
                block = b""
            found[descriptor].append(block)
            if not block:
                descriptors = [each for each in descriptors if each != descriptor]
    return [b"".join(blocks) for blocks in found.values()]


# --- the process that forks ----------------------------------------------------------------------


def serve(number: int) -> None:
    """Load everything, and fork for each command that is asked for.

    Args:
        number: of the descriptor on which it is asked.
    """
    _import_everything()
    gc.collect()  # not frozen: a command counts, at its end, what is
    sys.path[0] = str(Path(sys.executable).parent)  # as for `jina`, which stands there
    request = _fork_for_each(socket.socket(fileno=number))
    # Late: this is the command, in a process of its own.
    from jinacli.app import main

    if request.get("is_whole"):
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
    if request.get("terminal"):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in request.get("closed", ()):
        os.close(number)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = list(request["words"])
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
