"""`jina flow down`: stop Flows, and wait until they are gone."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from jina.excepts import FlowNotFound, SeveralFlows
from jina.launch import rundir
from jina.launch.rundir import FlowRecord
from jina.runtime.descendants import end_orphans
from jina.runtime.pastruns import read_run
from jinacli import exits
from jinacli.flow.here import chosen_flow
from jinacli.screens.errors import say

_LOOK_S = 0.05  # between looks at a Flow that is stopping
_NOTED_S = 3.0  # how long a Flow that is gone may take to note how it ended
_AT_ONCE_S = 5.0  # how long an end "at once" may take


def stop_flows(wanted: str, *, every: bool, timeout_s: float, quiet: bool) -> int:
    """Stop one Flow, or all, and wait until they are gone.

    Args:
        wanted: name or file of the one; empty for the only one that runs.
        every: stop all.
        timeout_s: after which they are ended at once.
        quiet: say nothing of what was asked for, that they are gone.
    """
    end_orphans()  # of a Flow that was killed, with all who would have cleaned up
    if every:
        records = [record for _, record in rundir.running()]
    else:
        try:
            records = [chosen_flow(wanted, one_shots=True, as_in="jina flow down", quiet=quiet)]
        except SeveralFlows:
            raise
        except FlowNotFound as error:
            if not quiet:
                say(str(error) if wanted else error.what)
            return exits.OK
    try:
        for record in records:
            _signal(record, signal.SIGTERM)
        is_clean = _wait(records, timeout_s, quiet=quiet)
    except KeyboardInterrupt:
        for record in filter(_is_running, records):
            say(f'Flow "{record.name}" keeps stopping; use `jina flow ps` to see when it is gone')
        raise
    return exits.OK if is_clean else exits.FAILED


def _wait(records: list[FlowRecord], timeout_s: float, *, quiet: bool) -> bool:
    """Wait until Flows are gone; those that take too long are ended at once.

    Returns:
        whether every process of theirs ended by itself.
    """
    is_clean = True
    deadline = time.monotonic() + timeout_s
    for record in records:
        # Killed as the last resort: its gateway ends the workers then.
        stronger = [signal.SIGTERM, signal.SIGKILL]
        while _is_running(record):
            if stronger and time.monotonic() > deadline:
                if len(stronger) > 1:
                    say(f'"{record.name}" did not stop within {timeout_s:g} s: killing it')
                _signal(record, stronger.pop(0))
                is_clean = False
                deadline = time.monotonic() + _AT_ONCE_S
            time.sleep(_LOOK_S)
        killed = _killed(record)
        is_clean = is_clean and not killed
        if killed:
            names = ", ".join(killed)
            say(f'error: Flow "{record.name}" is down, but did not stop in time: killed {names}')
        elif len(stronger) < 2:
            say(f'error: Flow "{record.name}" is down, but it did not stop in time and was killed')
        elif not quiet:
            say(f'Flow "{record.name}" is down')
    return is_clean


def _killed(record: FlowRecord) -> list[str]:
    """Names of the workers that had to be killed; its supervisor notes them as the last thing."""
    if not record.log:
        return []
    folder = Path(record.log).parent
    deadline = time.monotonic() + _NOTED_S
    while (run := read_run(folder)) and not run.ended_at and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return run.killed if run else []


def _signal(record: FlowRecord, signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(record.pid, signum)


def _is_running(record: FlowRecord) -> bool:
    return any(other.pid == record.pid for _, other in rundir.running())
