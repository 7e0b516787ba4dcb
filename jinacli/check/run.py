"""`check`: say everything that is wrong with Executors, or with a Flow and its Executors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jina.check import Report, read_for_executor, read_for_flow
from jinacli import exits
from jinacli.check.apart import checked_apart
from jinacli.executor.given import plain_path
from jinacli.flow.given import Given
from jinacli.screens.errors import say
from jinacli.screens.reports import Format, show_reports

_UNREADABLE = {"no-source", "yaml-encoding"}


def check_executors(
    files: Sequence[str],
    *,
    no_import: bool,
    form: Format,
    strict: bool = False,
    quiet: bool = False,
) -> int:
    """Check Executors and print what was found."""
    checks = [read_for_executor(plain_path(file), no_import=no_import) for file in files]
    return _shown(checked_apart(checks, quiet=quiet, stopped=_say_found), form, strict=strict)


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
    return _shown(checked_apart(checks, quiet=quiet, stopped=_say_found), form, strict=strict)


def _say_found(reports: Sequence[Report]) -> None:
    """Say what was found before a signal ended the check."""
    problems = [problem for report in reports for problem in report.problems]
    if problems:
        say("\n\n".join(map(str, problems)))
        say("the check was stopped; there may be more")


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
