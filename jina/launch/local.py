"""Start a Flow on this machine from a process that has other things to do.

The supervisor is a process of its own: signals, reaping and restarts need a main thread, and a
program that posts has its own use for that.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from jina.defaults import CLOSE_GRACE_S, DELIVERY_GRACE_S, DRAIN_GRACE_S, KILL_GRACE_S
from jina.excepts import (
    FlowBuildLevelError,
    FlowError,
    RemoteError,
    RuntimeFailToStart,
    StartTimeout,
)
from jina.graph.plan import Plan
from jina.launch import events
from jina.launch.interpreters import import_path
from jina.runtime import control
from jina.runtime.descendants import MARK

ONE_SHOT = "--one-shot"  # said to the supervisor
TOLD = "--told"  # said to it: whoever started it wants to be told of the start

_END_S = DRAIN_GRACE_S + CLOSE_GRACE_S + DELIVERY_GRACE_S + 3 * KILL_GRACE_S
# What ZeroMQ, Python and OpenBLAS print, each in its own words.
_REFUSED = re.compile(r"src/thread\.cpp|can't start new thread|pthread_create failed")
_NOTED_LINES = 10  # of what a process printed, in the error that tells of its failed start
UNFIT_HINT = "`jina flow check` with the Flow's YAML shows all mistakes"
_REFUSED_HINT = "the system refused a thread or a process: `ulimit -u` shows how many you may have"


class LocalFlow:
    """A Flow that this process started; it ends with this process unless it is released.

    Args:
        plan: what to run.
        key: makes the run directory's name, see `rundir.claim`.
        is_one_shot: it serves one command; no other finds it by name or file.
        tell: called with each event of the start: WorkerUp, Doubtful, Loading, Output. None leaves
            it to the supervisor to show what people should know.
        timeout_s: how long the start may take; None for as long as it takes.
        meanwhile: called once the processes are being started.

    Raises:
        RuntimeFailToStart: a process did not come up; the error of its Executor is the cause.
        StartTimeout: it took longer than `timeout_s`; it was stopped.
        FlowBuildLevelError: the same file is up already.
    """

    def __init__(
        self,
        plan: Plan,
        key: str = "",
        *,
        is_one_shot: bool = False,
        tell: Callable[[events.Event], None] | None = None,
        timeout_s: float | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._limit_s = timeout_s
        self._tell = tell
        # The workers that are not ready, as far as one is told.
        self._loading = [worker.name for worker in plan.workers] if tell else []
        # A Flow that an Executor starts is a Flow of its own: it must not carry the other's mark.
        env = {name: value for name, value in os.environ.items() if name != MARK}
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "jina.launch.child_supervisor"),
                    str(theirs.fileno()),
                    *([ONE_SHOT] if is_one_shot else []),
                    *([TOLD] if tell else []),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us; we tell the supervisor
                pass_fds=(theirs.fileno(),),
                env={**env, **import_path()},
            )
        self._channel = control.Channel(ours, events.Event)
        self.plan = plan
        """What it runs, as far as this process has changed it."""
        self.num_workers = len(plan.workers)
        """How many workers it had when this process last changed it."""
        try:
            self._channel.send(control.Begin(plan=plan, key=key))
            meanwhile()
            self.up = self._await_up()
        except BaseException:  # Ctrl-C too: nobody has this object yet, to close it
            self._channel.close()  # the supervisor kills everything when its owner is gone
            self._reap(KILL_GRACE_S)
            raise

    @property
    def address(self) -> str:
        """Where clients on this machine reach it."""
        return self.up.addresses[0]

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the supervisor is still there."""
        return self._process.poll() is None

    def release(self) -> None:
        """Let it run on after this process has ended."""
        self._channel.send(control.Release())
        self._channel.close()
        self._process.returncode = 0  # not ours any more: do not warn that it still runs

    def close(self) -> None:
        """Drain and stop it; returns when every process of it is gone. May be called twice."""
        if not self._channel.is_open:
            return
        self._channel.send(control.Drain())
        try:
            self._wait_for_the_end()
        except BaseException:  # Ctrl-C, or what a signal handler of the program raises
            self._channel.send(control.Drain())  # said twice: at once
            self._wait_for_the_end()
            raise

    def _wait_for_the_end(self) -> None:
        while self._channel.is_open:
            if any(isinstance(event, events.Stopped) for event in self._channel.receive()):
                break
        self._reap(_END_S)
        self._channel.close()

    def _await_up(self) -> events.Up:
        while self._channel.is_open:
            self._await_word()
            for event in self._channel.receive():
                if isinstance(event, events.Up):
                    return event
                if isinstance(event, events.StartFailed):
                    raise start_failure(event)
                self._note_loading(event)
                if self._tell is not None:
                    self._tell(event)  # type: ignore[arg-type]  # as the channel was told
        raise RuntimeFailToStart("the supervisor ended before the Flow was up")

    def _note_loading(self, event: object) -> None:
        """Keep which workers are not ready, for the error of a start that takes too long."""
        if isinstance(event, events.WorkerUp) and event.worker in self._loading:
            self._loading.remove(event.worker)
        elif isinstance(event, events.Loading):
            self._loading = list(event.workers)

    def _await_word(self) -> None:
        """Wait until the supervisor says something, if that may not take for ever.

        Raises:
            StartTimeout: nothing came in time.
        """
        if self._deadline is None or self._channel.has_waiting:
            return
        left = max(0.0, self._deadline - time.monotonic())
        if not left or not select.select([self._channel], [], [], left)[0]:
            text = f"the Flow was not ready after {self._limit_s:g} s; it was stopped"
            if self._loading:
                text += f"; still loading: {', '.join(self._loading)}"
            raise StartTimeout(text)

    def _reap(self, timeout_s: float) -> None:
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> LocalFlow:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def start_failure(event: events.StartFailed) -> FlowError:
    """The exception that tells of a process that did not come up."""
    if event.is_up_already:
        return FlowBuildLevelError(event.reason)
    if not event.worker:
        return RuntimeFailToStart(event.reason, where=event.where, hint=event.hint)
    error, output = event.error, list(event.output)
    details = [] if event.is_shown else output
    if error is not None:
        details += error.details
    failure = RuntimeFailToStart(
        f'"{event.worker}" did not start: {reason_of(event)}',
        where=event.where,
        hint=_hint(event, "\n".join(output)),
        is_unfit=event.is_unfit,
        worker=event.worker,
        details="\n".join(details),
    )
    if error is not None:
        failure.__cause__ = RemoteError(
            error.kind,
            error.message,
            executor=event.worker,
            worker=event.worker,
            traceback=error.traceback,
        )
    elif output:  # for those who have no standard error to read
        failure.add_note("\n    ".join(["its last lines were:", *output[-_NOTED_LINES:]]))
    return failure


def reason_of(event: events.StartFailed) -> str:
    """Why a process did not come up, in a line."""
    if event.error is not None:
        return event.error.summary
    return event.reason if event.hint else f"it {event.reason}"


def failure_text(failure: FlowError) -> str:
    """What people read about a start that failed: the details, and the summary last."""
    details = getattr(failure, "details", "")
    return "\n".join([*([details] if details else []), f"error: {failure}"])


def whole_failure(event: events.StartFailed) -> str:
    """What a log has about a start that failed: the whole traceback, and the summary last."""
    failure = start_failure(event)
    if event.error is None:
        return failure_text(failure)
    shown = [] if event.is_shown else event.output
    lines = [*shown, event.error.whole.rstrip(), *event.error.notes, f"error: {failure}"]
    return "\n".join(lines)


def _hint(event: events.StartFailed, output: str) -> str:
    """What may help."""
    if _REFUSED.search(output):
        return _REFUSED_HINT
    if event.hint or event.error is None:
        return event.hint
    unfit = UNFIT_HINT if event.is_unfit and event.where else ""
    return event.error.hint or unfit
