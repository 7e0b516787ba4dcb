"""`jina flow up`: run a Flow in this process, or start one and leave it running."""

from __future__ import annotations

import contextlib
import signal
from contextlib import AbstractContextManager
from pathlib import Path

from jina.graph.plan import Plan
from jina.launch import events, rundir
from jina.launch.find import shortest
from jina.launch.local import LocalFlow
from jina.launch.rundir import RunDirectory
from jina.launch.runlog import RunLog
from jina.launch.supervisor import Supervisor
from jinacli import exits
from jinacli.screens.up import UpScreen


def run_here(plan: Plan, key: str, screen: UpScreen, *, watch: bool = False) -> int:
    """Supervise the Flow in this process until it is stopped.

    Args:
        plan: what to run.
        key: makes the run directory's name, see `rundir.claim`.
        screen: told what happens.
        watch: restart what changes in the files of the plan.

    Returns:
        The exit code: 0 when it was stopped in order, 1 when it failed or an Executor did not
        close.

    Raises:
        RuntimeFailToStart: an Executor does not fit its YAML; its first words were said.
        KeyboardInterrupt: the second signal, which ended what was under way, was Ctrl-C.
        Terminated: it was another one.
    """
    directory = rundir.claim(plan.name, plan.file, key)
    screen.know(spec.name for spec in plan.workers)
    supervisor = Supervisor(plan, directory, RunLog(screen, directory, plan))
    with _watch(plan, directory, screen) if watch else contextlib.nullcontext():
        clean = supervisor.run()
    screen.close()
    if screen.unfit:
        raise screen.unfit
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)  # all is gone: one more signal ends nothing
    if not clean:
        return exits.FAILED
    if supervisor.ended_by:
        raise KeyboardInterrupt if supervisor.ended_by == signal.SIGINT else exits.Terminated
    return exits.OK


def _watch(plan: Plan, directory: RunDirectory, screen: UpScreen) -> AbstractContextManager[object]:
    # Late: only --watch needs it.
    from jinacli.flow.watch import Watch

    def say(text: str) -> None:
        screen(events.Changing(text=text))

    return Watch(Path(shortest(plan.file)), plan.listen, directory.path, say)


def run_detached(plan: Plan, key: str, screen: UpScreen) -> int:
    """Start the Flow and leave it running."""
    flow = LocalFlow(plan, key)
    flow.release()
    screen.up(flow.up)
    screen.detached(flow.up)
    screen.close()
    return exits.OK
