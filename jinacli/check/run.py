"""`check`: say everything that is wrong with Executors, or with a Flow and its Executors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jina.check import Report, check_executor, check_flow
from jinacli import exits
from jinacli.check.watched import Begin, watched
from jinacli.executor.given import plain_path
from jinacli.flow.given import Given
from jinacli.screens.reports import Format, show_reports

_UNREADABLE = {"no-source", "yaml-encoding"}


def check_executors(
    files: Sequence[str], *, no_import: bool, form: Format, strict: bool = False
) -> int:
    """Check Executors and print what was found."""

    def work(begin: Begin) -> int:
        reports = [check_executor(plain_path(f), no_import=no_import, begin=begin) for f in files]
        show_reports(reports, form, sys.stdout)
        return code_of_reports(reports, strict=strict)

    return work(_say_nothing) if no_import else watched(work)


def check_flows(
    flows: Sequence[Given], *, no_import: bool, form: Format, strict: bool = False
) -> int:
    """Check Flows and the Executors they use, and print what was found."""

    def work(begin: Begin) -> int:
        reports = [
            check_flow(given.source, no_import=no_import, begin=begin, options=given.options)
            for given in flows
        ]
        show_reports(reports, form, sys.stdout)
        return code_of_reports(reports, strict=strict)

    return work(_say_nothing) if no_import else watched(work)


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


def _say_nothing(what: str) -> None:
    """Nothing of the user's code runs that could end the process."""
