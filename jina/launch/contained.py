"""The first process of a container: it runs the worker, passes signals on, ends with the Flow.

python contained.py BOX FILE VERSION FINGERPRINT

BOX is the folder that the supervisor has made for this worker, see `boxes.py`, and FILE the YAML of
the Executor in the image. The image's interpreter runs this file by its path, so nothing of jina is
imported here, and the syntax is that of Python 3.7.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys


def main(arguments: list[str]) -> int:
    """Run the worker until it ends, or until the supervisor does; the exit code is the worker's."""
    box, file, version, fingerprint = arguments
    life = os.open(os.path.join(box, "life"), os.O_RDONLY | os.O_NONBLOCK)
    if _signals(life) is None:  # the supervisor is gone
        return 128 + signal.SIGKILL
    woken = _wake_up()
    elsewhere = os.path.join(box, "elsewhere.py")
    own = [version, fingerprint, "jina.launch.inside", str(os.getpid()), file]
    worker = _start(box, [sys.executable, elsewhere, *own])
    poller = select.poll()
    poller.register(life, select.POLLIN)
    poller.register(woken, select.POLLIN)
    while True:
        poller.poll()
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 4096)
        code = _reap(worker)
        if code is not None:
            return code
        signums = _signals(life)
        if signums is None or signal.SIGKILL in signums:
            _kill(worker)
            return 128 + signal.SIGKILL  # with the first process, the kernel ends all others
        for signum in signums:
            _send(worker, signum)


def _signals(life: int) -> bytes | None:
    """The signals that the supervisor has sent, a byte each; None when it is gone."""
    try:
        return os.read(life, 4096) or None
    except BlockingIOError:
        return b""


def _wake_up() -> int:
    """Have the end of a child, and a signal from outside, end a poll; the descriptor for that."""
    woken, wakes = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return woken


def _start(box: str, words: list[str]) -> int:
    """Start the worker in a session of its own; its assignment is its standard input."""
    with open(os.path.join(box, "env.json")) as file:
        env = {**os.environ, **json.load(file)}
    assignment = os.open(os.path.join(box, "assignment"), os.O_RDWR)
    pid = os.fork()
    if pid:
        os.close(assignment)
        return pid
    try:
        os.setsid()
        os.dup2(assignment, 0)
        os.execve(words[0], words, env)
    finally:
        os._exit(127)


def _reap(worker: int) -> int | None:
    """Reap all who have ended; the exit code if the worker has."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if not pid:
            return code
        if pid == worker:
            killed = os.WIFSIGNALED(status)
            code = 128 + os.WTERMSIG(status) if killed else os.WEXITSTATUS(status)


def _send(worker: int, signum: int) -> None:
    """Pass a signal on: SIGUSR1 to the worker alone, others to whatever it started as well."""
    with contextlib.suppress(ProcessLookupError):
        if signum == signal.SIGUSR1:
            os.kill(worker, signum)
        else:
            os.killpg(worker, signum)


def _kill(worker: int) -> None:
    _send(worker, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(worker, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
