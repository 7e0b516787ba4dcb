"""One process of a Flow, as its supervisor sees it: spawned, listened to, signalled, reaped."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from typing import IO

from jina.defaults import KIB
from jina.excepts import FlowError
from jina.executors.pythons import is_other
from jina.graph.http import FrontAssignment
from jina.launch import events, interpreters
from jina.launch.elsewhere import UNSUITED
from jina.launch.ending import Tail, ending
from jina.launch.probing import not_run
from jina.runtime import start_error
from jina.runtime.control import UNFIT, Assignment
from jina.runtime.descendants import MARK, mark_of
from jina.runtime.start_error import StartError
from jina.runtime.structs import encode_msgpack

_KEPT_LINES = 200  # of a child's output, for the report of its death
_KEPT_CHARS = 64 * KIB  # in them together
_HELD_LINES = 10_000  # of a child that is starting; they go into the report if it fails
_SHOWN_LINES = 10  # of the kept ones, in the error that each line of a failed request gets
_SHOWN_CHARS = 500  # of each
_MAX_LINE = 64 * KIB  # a longer one is cut into several
# What the system says of a file that is no program; all else is a lack of something.
_NO_PROGRAM = (errno.ENOEXEC, errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP)
_READS = 4  # of 64 KiB in a row: a child that never stops printing must not hold us up


class NoProgram(OSError):
    """The interpreter that was chosen cannot be run.

    Args:
        error: of the system.
        worker: that was to run in it.
        python: its path.
        place: where the user chose it, as file:line:column.
    """

    def __init__(self, error: OSError, worker: str, python: str, place: str) -> None:
        super().__init__(error.errno, error.strerror, python)
        self.failure = events.StartFailed(
            worker=worker,
            where=place,
            reason=f"{python} {not_run(error)}",
            output=[],
            hint=interpreters.PROGRAM_HINT,
        )


def not_started(error: OSError | FlowError) -> events.StartFailed:
    """What is reported when one of the processes of a Flow cannot even be started."""
    if isinstance(error, NoProgram):
        return error.failure
    if isinstance(error, FlowError):
        return events.StartFailed.of(error)
    reason = f"could not start every process of the Flow: {error}"
    return events.StartFailed(worker="", where="", reason=reason, output=[])


class Child:
    """A process in a session of its own, with standard output and error on one pipe.

    Args:
        name: how people see it, such as "encoder/0".
        process: just spawned, its output piped.
        python: the interpreter that it runs in; "" for this one.
        python_place: where the user chose it, as file:line:column.
        file: descriptor of the file in which it says what went wrong at its start; -1 for none.
    """

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        python: str = "",
        python_place: str = "",
        file: int = -1,
    ) -> None:
        if process.stdout is None:
            raise ValueError("the output must be piped")
        self.name = name
        self.pid = process.pid
        self.python = python
        self.python_version = ""
        """What it said when it was ready, such as "3.11.7"."""
        self._python_place = python_place
        self._file = file
        self.start_error: StartError | None = None
        """What kept its Executor from being built, once it has ended."""
        self.is_error_told = False
        self.is_ready = False
        self.started = self.last_sign_of_life = time.monotonic()
        self.held = Tail(_HELD_LINES, _KEPT_CHARS)  # lines that were not shown yet
        self.last_lines = Tail(_KEPT_LINES, _KEPT_CHARS)
        self._process = process
        self._stdout = process.stdout
        self.output = process.stdout.fileno()
        self._partial = b""
        os.set_blocking(self.output, False)

    @property
    def was_killed(self) -> bool:
        """Whether a signal has ended it."""
        return (self.returncode or 0) < 0

    @property
    def returncode(self) -> int | None:
        """Its exit code, or the signal that ended it, negative; None while it runs."""
        return self._process.returncode

    @property
    def worker_pid(self) -> int:
        """The process id of the worker itself."""
        return self.pid

    def read_output(self) -> list[str] | None:
        """The whole lines that it printed since the last call; None once it closed its output.

        Once the child has ended, its last line is included even if it is not whole.
        """
        lines: list[bytes] = []
        for _ in range(_READS):
            try:
                data = os.read(self.output, 64 * KIB)
            except BlockingIOError:
                if self._process.returncode is not None:
                    lines.append(self._partial)  # a process that it started keeps the pipe open
                    self._partial = b""
                break
            except OSError:
                data = b""
            if not data:
                if not lines and not self._partial:
                    return None
                lines.append(self._partial)
                self._partial = b""
                break
            *whole, self._partial = (self._partial + data).split(b"\n")
            lines += whole
            if len(self._partial) > _MAX_LINE:
                lines.append(self._partial)
                self._partial = b""
        self.last_sign_of_life = time.monotonic()
        texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines if line]
        self.last_lines.add(texts)
        return texts

    def has_ended(self) -> bool:
        """Whether the process is gone; reaps it."""
        return self._process.poll() is not None

    @property
    def is_unfit(self) -> bool:
        """Whether it ended because its Executor could not be built, see `control.UNFIT`."""
        return self.returncode == UNFIT

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self.returncode
        return "is still running" if code is None else ending(code)

    def report(self) -> list[str]:
        """The last lines that it printed: those not shown yet, else as many as are kept."""
        tail = self.held if self.held.lines else self.last_lines
        if not tail.dropped:
            return list(tail.lines)
        return [f"({tail.dropped} earlier lines were shown as they arrived)", *tail.lines]

    def failure(self, where: str, reason: str) -> events.StartFailed:
        """What is reported when it did not come up.

        Args:
            where: the user wrote what it runs.
            reason: how it failed, in words.
        """
        self.is_error_told = True
        if self.returncode == UNSUITED and is_other(self.python):
            reason, hint = interpreters.told(self.python, self.report())
            return events.StartFailed(
                worker=self.name,
                where=self._python_place or where,
                reason=reason,
                output=[],
                hint=hint,
            )
        return events.StartFailed(
            worker=self.name,
            where=where,
            reason=reason,
            # With an error, what was shown before is of no more use.
            output=self.report() if self.held.lines or self.start_error is None else [],
            is_shown=not self.held.lines,
            is_unfit=self.is_unfit,
            error=self.start_error,
        )

    def last_words(self) -> str:
        """How it ended, and the last lines that it printed."""
        lines = [line[:_SHOWN_CHARS] for line in list(self.last_lines.lines)[-_SHOWN_LINES:]]
        if not lines:
            return self.ending
        return "\n    ".join([f"{self.ending}; its last lines were:", *lines])

    def signal_alone(self, signum: signal.Signals) -> None:
        """Signal it alone."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signum)

    def signal_group(self, signum: signal.Signals) -> None:
        """Signal it and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; False when it is still there."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Close our end of its output, and of the file in which it may have said what was wrong."""
        self._stdout.close()
        if self._file < 0:
            return
        self.start_error = start_error.read(self._file)
        os.close(self._file)
        self._file = -1
        if self.start_error is not None:
            self.last_lines.add(self.start_error.lines)

    def untold_error(self) -> list[str]:
        """The lines of its error at the start, if they have not been told yet; then they are."""
        if self.start_error is None or self.is_error_told:
            return []
        self.is_error_told = True
        return self.start_error.lines


def spawn_gateway(channel: socket.socket) -> Child:
    """Start a gateway that talks to us over the other end of `channel`."""
    return _spawn(
        "gateway",
        ["jina.runtime.gateway", str(channel.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=(channel.fileno(),),
    )


def spawn_placer(channel: socket.socket) -> Child:
    """Start a process that places agents on a cluster, and talks to us over `channel`."""
    return _spawn(
        "ray",
        ["jina.ray.placer", str(channel.fileno()), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        pass_fds=(channel.fileno(),),
        env={MARK: mark_of(os.getpid(), 0)},
    )


def spawn_worker(assignment: Assignment, threads: Mapping[str, str]) -> Child:
    """Start a worker. Its assignment waits in an unnamed file on its standard input.

    A file, not a pipe: writing never blocks, however large a pickled class is.

    Args:
        assignment: what to run.
        threads: variables that say how many threads its libraries may use.
    """
    with _unnamed_file() as stdin:
        stdin.write(encode_msgpack(assignment))
        stdin.seek(0)
        return _spawn(
            assignment.spec.name,
            ["jina.runtime.worker", str(os.getpid())],
            stdin=stdin.fileno(),
            env={**assignment.spec.env, **threads, MARK: mark_of(os.getpid(), assignment.slot)},
            python=assignment.spec.python,
            python_place=assignment.spec.python_place,
            file=os.dup(stdin.fileno()),
        )


def spawn_front(name: str, assignment: FrontAssignment) -> Child:
    """Start a process that serves HTTP; it inherits the sockets that its assignment names.

    Args:
        name: how people see it, such as "http/0".
        assignment: in an unnamed file on its standard input, as that of a worker.
    """
    with _unnamed_file() as stdin:
        stdin.write(encode_msgpack(assignment))
        stdin.seek(0)
        return _spawn(
            name,
            ["jina.http"],
            stdin=stdin.fileno(),
            pass_fds=(*assignment.sockets, assignment.ready),
            # No worker is the incarnation 0.
            env={MARK: mark_of(os.getpid(), 0)},
        )


def _unnamed_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("assignment"), "w+b")
    # Late: Linux never needs it, and it takes half as long to load as all of a supervisor.
    import tempfile

    return tempfile.TemporaryFile()


def _spawn(
    name: str,
    module: list[str],
    *,
    stdin: int,
    pass_fds: tuple[int, ...] = (),
    env: dict[str, str] | None = None,
    python: str = "",
    python_place: str = "",
    file: int = -1,
) -> Child:
    try:
        process = subprocess.Popen(
            interpreters.command(python, *module),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
            env={**interpreters.environment(python), **(env or {})},
        )
    except OSError as error:
        if file >= 0:
            os.close(file)
        if is_other(python) and error.errno in _NO_PROGRAM:
            raise NoProgram(error, name, python, python_place) from None
        raise
    return Child(name, process, python, python_place, file)
