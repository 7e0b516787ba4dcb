"""The Flow that is meant where none is named: of `JINA_FLOW`, or of the folder one is in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import typer

from jina.excepts import SeveralFlows
from jina.launch.find import find_flow, looks_like_file, shortest
from jina.launch.rundir import FlowRecord, running
from jinacli.screens.errors import say
from jinacli.twins import shared_value

NAMES = ("flow.yml", "flow.yaml", "jina.yml")
VARIABLE = "JINA_FLOW"


class Here(NamedTuple):
    """The Flow's YAML of a folder.

    Attributes:
        file: absolute path.
        others: names of more such files beside it.
    """

    file: Path
    others: list[str]


def here() -> Here | None:
    """The YAML of the current folder, or of the nearest folder above that has one."""
    try:
        folder = Path.cwd()
    except OSError:  # it was removed
        return None
    for each in (folder, *folder.parents):
        found = [name for name in NAMES if (each / name).is_file()]
        if found:
            return Here(each / found[0], found[1:])
    return None


def file_here(*, quiet: bool = False) -> str:
    """The YAML that a command without FILE takes.

    Raises:
        typer.BadParameter: there is none.
    """
    named = shared_value(VARIABLE)
    if looks_like_file(named):
        return named
    found = here()
    if found is None:
        raise typer.BadParameter(
            f"no Flow YAML given, and there is no {', '.join(NAMES[:-1])} or {NAMES[-1]} here or "
            "in a folder above",
            param_hint="FILE",
        )
    file = shortest(str(found.file))
    if not quiet and (found.others or os.path.dirname(file)):
        others = f"; there is also {' and '.join(found.others)}" if found.others else ""
        say(f"using {file}{others}")
    return file


def chosen_flow(
    wanted: str, *, quiet: bool = False, as_in: str = "--flow", one_shots: bool = False
) -> FlowRecord:
    """The running Flow that is meant.

    Args:
        wanted: its name or file; "" for that of `JINA_FLOW`, else the only one that runs, else that
            of the folder one is in.
        quiet: do not say which one was taken.
        as_in: how this command lets the user name a Flow, for the hint.
        one_shots: count Flows that were started for one command too.

    Raises:
        FlowNotFound: none fits, or several do.
    """
    wanted = wanted or shared_value(VARIABLE)
    try:
        return find_flow(wanted, as_in=as_in, one_shots=one_shots)
    except SeveralFlows:
        found = None if wanted else here()
        if found is None:
            raise
        path = os.path.realpath(found.file)
        for _, record in running():
            if record.file == path and not record.is_one_shot:
                if found.others and not quiet:
                    file = shortest(str(found.file))
                    say(f"using {file}; there is also {' and '.join(found.others)}")
                return record
        raise


def say_other(record: FlowRecord) -> None:
    """Say so where the only running Flow is not that of the folder one is in."""
    found = here()
    if found is None or not record.file:
        return
    if os.path.dirname(record.file) == os.path.realpath(found.file.parent):
        return  # another Flow of the same project
    say(
        f'note: using the Flow "{record.name}" of {shortest(record.file)}; '
        f"{shortest(str(found.file))} is not running"
    )


def say_stale(record: FlowRecord) -> None:
    """Say so where files of a running Flow changed after it was started."""
    text = stale(record)
    if text:
        say(text)


def stale(record: FlowRecord) -> str:
    """What is said of a Flow whose files changed after it was started; "" for nothing."""
    changed = record.origins.changed() if record.origins is not None else []
    if not changed:
        return ""
    names = [shortest(file) for file in changed]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (
        f'note: {listed} changed since the Flow "{record.name}" started\n'
        f"help: `jina flow restart --flow {record.name}` runs the new version"
    )
