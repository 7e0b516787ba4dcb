"""`jina flow scale` and `restart`: change a Flow that is up, without a failed request."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from jina.excepts import FlowTopologyError, SeveralFlows
from jina.graph.plan import Plan
from jina.launch.asking import ask, directory_of, runs_its_file
from jina.launch.find import shortest
from jina.launch.rundir import FlowRecord
from jina.launch.started_as import folder_of, started_as
from jina.runtime.control import Change
from jinacli import exits
from jinacli.flow.given import Given
from jinacli.flow.here import chosen_flow
from jinacli.flow.misnamed import misnamed
from jinacli.flow.unfit import checked_if_unfit
from jinacli.screens.errors import say, text_of


def scale_flow(wanted: str, replicas: dict[str, int], *, quiet: bool) -> int:
    """Give Executors other numbers of replicas, one after the other.

    Args:
        wanted: name or file of the Flow; empty for the only one that runs.
        replicas: Executor's name -> how many.
        quiet: say nothing but errors.

    Raises:
        FlowError: no such Flow, or a new worker did not start.
    """
    if (record := _chosen(wanted, replicas, quiet=quiet)) is None:
        return exits.USAGE
    directory = directory_of(record)
    for name, number in replicas.items():
        code = _change(directory, Change(nodes=[name], replicas=number), quiet=quiet)
        if code != exits.OK:
            return code
    return exits.OK


def restart_flow(wanted: str, names: list[str], *, is_surge: bool, quiet: bool) -> int:
    """Replace the workers of Executors, of all if none is named, by new ones.

    A Flow of `jina flow up` runs what its YAML says now, if that passes a check.

    Args:
        wanted: name or file of the Flow; empty for the only one that runs.
        names: of Executors.
        is_surge: start each new worker before the old one ends.
        quiet: say nothing but errors.

    Raises:
        FlowError: no such Flow, or a new worker did not start.
    """
    if (record := _chosen(wanted, names, quiet=quiet)) is None:
        return exits.USAGE
    directory = directory_of(record)

    def change(plan: Plan | None) -> int:
        asked = Change(nodes=names, is_surge=is_surge, plan=plan)
        return _change(directory, asked, quiet=quiet)

    if not runs_its_file(directory, record):
        return change(None)
    # Where it was started from elsewhere, only the whole path leads there.
    file = Path(record.file if folder_of(record.pid) != os.getcwd() else shortest(record.file))
    given = Given.of_running(file, record.origins)

    def load() -> int:
        # Late: see jinacli.app.
        from jina.check import read_for_flow
        from jinacli.check.apart import checked_apart
        from jinacli.screens.reports import summary

        with started_as(record.pid):
            config, plan = given.load()
            plan = given.with_origins(config, plan)
            check = read_for_flow(given.source, options=given.options)
            report = checked_apart([check], quiet=quiet)[0]
        if report.errors:
            say("\n\n".join(map(str, report.problems)))
            say(f"{summary([report])}\nerror: nothing was changed")
            return exits.FAILED
        return change(plan)

    return checked_if_unfit(given, load, quiet=quiet)


def _chosen(wanted: str, names: Iterable[str], *, quiet: bool) -> FlowRecord | None:
    """The Flow that is meant; None if a Flow was named where an Executor was expected: it is told.

    Raises:
        FlowNotFound: none fits, or several do.
    """
    try:
        return chosen_flow(wanted, quiet=quiet)
    except SeveralFlows:
        if wanted or (error := misnamed(names)) is None:
            raise
    say(text_of(error))
    return None


def _change(directory: Path, change: Change, *, quiet: bool) -> int:
    # Late: see jinacli.app.
    from jinacli.screens.loading import Loading

    shown = Loading(quiet=quiet)

    def tell(text: str) -> None:
        shown.done()
        if not quiet:
            say(text)

    try:
        now = ask(directory, change, tell, shown.tell_workers)
    except FlowTopologyError as error:
        say(text_of(misnamed(change.nodes) or error))
        return exits.USAGE
    except KeyboardInterrupt:
        say("the change continues; use `jina flow ps` to follow it")
        raise
    finally:
        shown.done()
    if not quiet:
        say(now.text)
    return exits.OK
