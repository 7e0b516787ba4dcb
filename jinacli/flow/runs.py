"""Which run of a Flow is meant: one that runs, or one that has ended and whose log is kept."""

from __future__ import annotations

import os
from pathlib import Path

from jina.excepts import FlowNotFound
from jina.launch import rundir
from jina.launch.find import find_flow
from jina.runtime.pastruns import PastRun, all_runs, read_run


def find_run(wanted: str) -> tuple[Path, PastRun]:
    """Find a run and its folder: that of a running Flow if there is one, else the last that ended.

    Args:
        wanted: name or file of the Flow; empty for the only one that runs, or the last one that
            ran.

    Raises:
        FlowNotFound: there is none.
        SeveralFlows: several run, and none is named.
    """
    try:
        record = find_flow(wanted, as_in="jina flow logs --flow")
    except FlowNotFound as error:
        if not _may_have_ended(wanted):
            raise
        for folder, run in all_runs():
            if not wanted or _is_meant(run, wanted):
                return folder, run
        raise FlowNotFound(
            f'no Flow "{wanted}" is running, and there is no log of it'
            if wanted
            else "no Flow is running, and there is no log of one",
            hint="`jina flow list` shows all runs that are kept",
        ) from error
    folder = Path(record.log).parent
    kept = read_run(folder) if record.log else None
    if kept is None:
        raise FlowNotFound(
            f'the Flow "{record.name}" has no log',
            hint="its folder could not be created when it started; see JINA_STATE_DIR in the docs",
        )
    return folder, kept


def _may_have_ended(wanted: str) -> bool:
    """Whether to look among those that have ended: not while several could be meant."""
    running = [record for _, record in rundir.running() if not record.is_one_shot]
    if not wanted:
        return not running
    return sum(record.name == wanted for record in running) == 0


def _is_meant(run: PastRun, wanted: str) -> bool:
    return wanted == run.name or (bool(run.file) and os.path.realpath(wanted) == run.file)
