"""A worker in a container: its folder in the run directory, and what the supervisor sees of it.

The process that is started here is the client of docker or podman. It is no parent of what runs in
the container, which a signal to it does not reach. So there is a pipe with a name in the folder:

- the supervisor writes signals into it, and the first process of the container passes them on;
- that process ends, and all of its container with it, when nobody can write into the pipe any more,
  because the supervisor has ended in whatever way;
- the supervisor sees that the container is gone when nobody can read from it any more, also if the
  client was killed.

    containers/SLOT/life            the pipe
    containers/SLOT/assignment      standard input of the worker, see `jina.runtime.start_error`
    containers/SLOT/env.json        its variables, so that no list of processes shows them
    containers/SLOT/contained.py    what the container runs, and elsewhere.py
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from jina.executors.container import ContainerSpec
from jina.launch import contained, elsewhere, events, interpreters
from jina.launch.child import Child
from jina.launch.elsewhere import UNSUITED
from jina.runtime.control import Assignment
from jina.runtime.descendants import end_marked, mark_of, processes_of
from jina.runtime.structs import encode_msgpack

_SIGNALLED = range(129, 129 + 64)  # exit codes of what a signal has ended
_NOT_STARTED = (125, 126, 127)  # exit codes of docker and podman themselves
_DYING_S = 0.3  # for a container whose client was killed to be gone
_PYTHON_HINT = (
    "an image needs Python 3.11 or newer as `python3`, and this jina; `entrypoint` names another "
    "interpreter"
)
_JINA_HINT = "make the image again with this jina; `jina executor export dockerfile` writes one"


def box_of(assignment: Assignment) -> Path:
    """The folder of a worker."""
    return Path(assignment.board).parent / "containers" / str(assignment.slot)


class ContainedChild(Child):
    """A worker in a container.

    Args:
        name: how people see it.
        process: the client of docker or podman.
        container: what the Flow says of it.
        mark: of the worker.
        box: its folder.
        life: descriptor of the end of the pipe into which signals are written.
        file: see `Child`.
    """

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        container: ContainerSpec,
        mark: str,
        box: Path,
        life: int,
        file: int,
    ) -> None:
        super().__init__(name, process, file=file)
        self._container = container
        self._mark = mark
        self._box = box
        self._life = life
        self._worker = 0

    @property
    def returncode(self) -> int | None:
        """As that of a process, also for a signal that came in the container."""
        code = super().returncode
        return 128 - code if code is not None and code in _SIGNALLED else code

    @property
    def worker_pid(self) -> int:
        """The worker's process id here, outside of the container; the client's while unknown."""
        if not self._worker or not os.path.exists(f"/proc/{self._worker}"):
            marked = processes_of(self._mark)
            first = [pid for pid, parent in marked.items() if parent not in marked]
            workers = [pid for pid, parent in marked.items() if parent in first]
            self._worker = workers[0] if workers else 0
        return self._worker or self.pid

    def signal_alone(self, signum: signal.Signals) -> None:
        """Signal the worker alone."""
        self._pass_on(signum)

    def signal_group(self, signum: signal.Signals) -> None:
        """Signal the worker and whatever it started; the client if there is no container yet."""
        if not self._pass_on(signum):
            super().signal_group(signum)

    def has_ended(self) -> bool:
        """Whether client and container are gone; a container without its client is ended."""
        if not super().has_ended():
            return False
        if self._is_gone(0.0):
            return True
        self._pass_on(signal.SIGKILL)
        end_marked(self._mark)
        return self._is_gone(_DYING_S)

    def wait(self, timeout_s: float) -> bool:
        """Wait until client and container are gone; False if they are still there."""
        deadline = time.monotonic() + timeout_s
        if not super().wait(timeout_s):
            end_marked(self._mark)  # its first process may be stopped
            super().signal_group(signal.SIGKILL)
            super().wait(_DYING_S)
        return self._is_gone(max(0.0, deadline - time.monotonic()))

    def failure(self, where: str, reason: str) -> events.StartFailed:
        """What is reported when it did not come up; see `Child`."""
        image, code = self._container.image, super().returncode
        lines = self.report()
        hint = ""
        if code == UNSUITED:
            why = lines[-1].partition(") ")[2] if lines else ""
            reason, hint = f"the image {image} {why or 'does not fit'}", _JINA_HINT
        elif code in _NOT_STARTED and self.start_error is None:
            last = lines[-1].removeprefix("Error: ") if lines else reason
            reason = f"the container of {image} could not be started: {last}"
            hint = _PYTHON_HINT if code in _NOT_STARTED[1:] else ""
        if not hint:
            return super().failure(where, reason)
        self.is_error_told = True
        return events.StartFailed(
            worker=self.name, where=where, reason=reason, output=[], hint=hint
        )

    def close(self) -> None:
        """Close the pipe, which ends what is left of the container, and remove the folder."""
        super().close()
        if self._life >= 0:
            os.close(self._life)
            self._life = -1
            shutil.rmtree(self._box, ignore_errors=True)

    def _pass_on(self, signum: signal.Signals) -> bool:
        """Have a signal sent in the container; False if there is none."""
        if self._life < 0:
            return False
        try:
            os.write(self._life, bytes([signum]))
        except OSError:
            return False
        return True

    def _is_gone(self, timeout_s: float) -> bool:
        """Whether nobody reads from the pipe, or soon does not any more."""
        if self._life < 0:
            return True
        poller = select.poll()
        poller.register(self._life, 0)
        return bool(poller.poll(timeout_s * 1000))


def spawn_contained(assignment: Assignment, threads: Mapping[str, str]) -> ContainedChild:
    """Start a worker in a container; the arguments are those of `spawn_worker`."""
    spec, container = assignment.spec, assignment.spec.container
    if container is None:
        raise ValueError("the assignment has no container")
    box, mark = box_of(assignment), mark_of(os.getpid(), assignment.slot)
    life = _make(box, {**spec.env, **threads})
    try:
        with open(box / "assignment", "w+b", opener=_private) as stdin:
            stdin.write(encode_msgpack(assignment))
            stdin.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "jina.launch.containing", str(os.getpid()), mark],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=interpreters.environment(""),
            )
            file = os.dup(stdin.fileno())
    except OSError:
        os.close(life)
        shutil.rmtree(box, ignore_errors=True)
        raise
    return ContainedChild(spec.name, process, container, mark, box, life, file)


def _make(box: Path, env: Mapping[str, str]) -> int:
    """Make the folder of a worker; the descriptor of the writing end of its pipe."""
    shutil.rmtree(box, ignore_errors=True)
    box.mkdir(mode=0o700, parents=True)
    for source in (contained, elsewhere):
        shutil.copyfile(str(source.__file__), box / Path(str(source.__file__)).name)
    with open(box / "env.json", "w", opener=_private) as file:
        json.dump(dict(env), file)
    os.mkfifo(box / "life", 0o600)
    # Only somebody who reads lets others open the writing end.
    reader = os.open(box / "life", os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.open(box / "life", os.O_WRONLY | os.O_NONBLOCK)
    finally:
        os.close(reader)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
