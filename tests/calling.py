"""Call the `jina` command's own `main` in this process: a start costs a tenth of a second or more.

For what a command answers. What it does as a process, with signals, closed streams, a terminal or
users' code, and what it loads, is tested with `Shell.run` and `Shell.start`, which start it.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO
from unittest import mock

from jinacli import twins
from jinacli.app import main

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)


def call(
    words: Sequence[str], folder: Path, environment: dict[str, str], stdin: bytes | None
) -> tuple[int, str, str]:
    """Do what `jina` does with these words.

    Args:
        words: the command line, with the name of the program.
        folder: the current directory.
        environment: all variables.
        stdin: what standard input holds; None for /dev/null.

    Returns:
        the exit code, standard output and standard error.
    """
    with contextlib.ExitStack() as stack:
        out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        if stdin is None:
            given: IO[bytes] = stack.enter_context(open(os.devnull, "rb"))
        else:
            given = stack.enter_context(tempfile.TemporaryFile())
            given.write(stdin)
            given.seek(0)
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(_same_afterwards())
        # The tests are frozen, see conftest; to count them takes longer than many a command.
        stack.enter_context(mock.patch.object(gc, "get_freeze_count", return_value=1))
        os.environ.clear()
        os.environ.update(environment)
        stack.enter_context(_streams(given, out, err))
        sys.argv = list(words)
        # The program's name is not that of pytest.
        sys.modules["__main__"] = SimpleNamespace(__name__="__main__")  # type: ignore[assignment]
        code, pid = 0, os.getpid()
        try:
            main()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(bool(left.code))
        finally:
            if os.getpid() != pid:  # a fork of its own, which has no tests to go on with
                os._exit(code)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        said, told = (os.pread(each.fileno(), 1 << 26, 0).decode() for each in (out, err))
        return code, said, told


@contextlib.contextmanager
def _same_afterwards() -> Iterator[None]:
    """Put back what a command may change, as nothing comes after it otherwise."""
    environment, arguments, path = dict(os.environ), sys.argv, list(sys.path)
    program = sys.modules["__main__"]
    handlers = {each: signal.getsignal(each) for each in _SIGNALS}
    blocked, threshold = signal.pthread_sigmask(signal.SIG_BLOCK, ()), gc.get_threshold()
    try:
        yield
    finally:
        twins._forgotten.clear()
        gc.set_threshold(*threshold)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        sys.modules["__main__"] = program
        sys.argv, sys.path[:] = arguments, path
        os.environ.clear()
        os.environ.update(environment)


@contextlib.contextmanager
def _streams(*files: IO[bytes]) -> Iterator[None]:
    """Let standard input, output and error be files, also for what is forked."""
    names = ("stdin", "stdout", "stderr")
    before = [(os.dup(number), getattr(sys, name)) for number, name in enumerate(names)]
    for name in names[1:]:
        getattr(sys, name).flush()
    try:
        for number, (name, file) in enumerate(zip(names, files, strict=True)):
            os.dup2(file.fileno(), number)
            raw = io.FileIO(number, "w" if number else "r", closefd=False)
            buffer = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
            errors = "backslashreplace" if number == 2 else "strict"  # as Python does it
            setattr(sys, name, io.TextIOWrapper(buffer, encoding="utf-8", errors=errors))
        yield
    finally:
        for number, (name, (held, stream)) in enumerate(zip(names, before, strict=True)):
            os.dup2(held, number)
            os.close(held)
            setattr(sys, name, stream)
