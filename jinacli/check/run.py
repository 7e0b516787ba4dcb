"""`check`: say everything that is wrong with Executors, or with a Flow and its Executors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jina.check import Report, read_for_executor, read_for_flow
from jinacli import exits
<<<<<<< HEAD
from jinacli.check.watched import Begin, watched
from jinacli.executor.given import plain_path
=======
from jinacli.check.apart import checked_apart
>>>>>>> starts
from jinacli.flow.given import Given
from jinacli.screens.reports import Format, show_reports

_UNREADABLE = {"no-source", "yaml-encoding"}


def check_executors(
    files: Sequence[str], *, no_import: bool, form: Format, strict: bool = False
) -> int:
    """Check Executors and print what was found."""
    checks = [read_for_executor(plain_path(file), no_import=no_import) for file in files]
    return _shown(checked_apart(checks), form, strict=strict)


def check_flows(
    flows: Sequence[Given],
    *,
    no_import: bool,
    form: Format,
    strict: bool = False,
    quiet: bool = False,
) -> int:
    """Check Flows and the Executors they use, and print what was found."""
    checks = [
        read_for_flow(given.source, no_import=no_import, options=given.options) for given in flows
    ]
    return _shown(checked_apart(checks, quiet=quiet), form, strict=strict)


def _shown(reports: Sequence[Report], form: Format, *, strict: bool) -> int:
    show_reports(reports, form, sys.stdout)
    return code_of_reports(reports, strict=strict)


def code_of_reports(reports: Sequence[Report], *, strict: bool = False) -> int:
    """Return the exit code: a file that cannot be read is wrong usage, an error a failure.

    Args:
        reports: of all files.
        strict: a warning is a failure too.
    """
    codes = {problem.code for report in reports for problem in report.errors}
    if codes & _UNREADABLE:
        return exits.USAGE
    has_warnings = any(report.warnings for report in reports)
    return exits.FAILED if codes or (strict and has_warnings) else exits.OK


<<<<<<< HEAD
def _say_nothing(what: str) -> None:
    """Nothing of the user's code runs that could end the process."""
=======
def plain_path(file: str) -> str | Path:
    """A path without what it does not need, such as "./"; the name of a catalogue's as it is."""
    if "://" in file:
        return file
    path = Path(file)
    # As a path, a folder is no class name.
    is_empty_folder = path.is_dir() and not (path / "config.yml").is_file()
    return path if is_empty_folder else str(path)
>>>>>>> starts
