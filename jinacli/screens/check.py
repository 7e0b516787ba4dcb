"""What `check` shows: every problem at its place, who serves what, and the sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jina.check import Report, check_executor, check_flow
from jinacli import exits
from jinacli.screens.errors import say


def show_executor_checks(files: Sequence[Path], *, no_import: bool) -> int:
    """Check Executors and print what was found."""
    return _show([_checked(check_executor, file, no_import) for file in files])


def show_flow_checks(files: Sequence[Path], *, no_import: bool) -> int:
    """Check Flows and the Executors they use, and print what was found."""
    return _show([_checked(check_flow, file, no_import) for file in files])


def _checked(check: Callable[..., Report], file: Path, no_import: bool) -> Report:
    return check(str(file), no_import=no_import)


def _show(reports: Sequence[Report]) -> int:
    """Print problems and endpoints on standard output, the sum on standard error."""
    found = [str(problem) for report in reports for problem in report.problems]
    found += [_table(report) for report in reports if report.endpoints]
    if found:
        print("\n\n".join(found), flush=True)
    errors = sum(len(report.errors) for report in reports)
    warnings = sum(len(report.warnings) for report in reports)
    names = ", ".join(report.source for report in reports)
    if errors:
        say(f"{_number(errors, 'error')} and {_number(warnings, 'warning')} in {names}")
    elif warnings:
        say(f"no error, {_number(warnings, 'warning')} in {names}")
    else:
        say(f"all is well: {names}")
    if any(problem.code == "no-source" for report in reports for problem in report.errors):
        return exits.USAGE
    return exits.FAILED if errors else exits.OK


def _table(report: Report) -> str:
    """The endpoints in plain columns: the same on a terminal and in a pipe."""
    rows = [("executor", "endpoint", "method", "place"), *report.endpoints]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    )


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
