"""What `check` found, in the forms that people, editors and build servers read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, TextIO

from jina.check import Report
from jina.config.problems import Problem
from jina.terminal_text import escaped
from jinacli.screens.columns import in_columns
from jinacli.screens.errors import say
from jinacli.screens.sarif import sarif
from jinacli.streams import forget

Format = Literal["full", "concise", "json", "github", "sarif"]

#: Of the JSON form; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/check/v1"
_COLUMNS = ("executor", "endpoint", "method", "place")

_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def rendered(reports: Sequence[Report], form: Format) -> str:
    """The reports as text.

    Args:
        reports: in the order of the files.
        form: full (source lines with carets, and the endpoints), concise (a line for each problem),
            json (one object, see docs/check.md), github (annotations of a pull request), sarif.
    """
    return _FORMS[form](reports)


def show_reports(reports: Sequence[Report], form: Format, stream: TextIO) -> None:
    """Print the reports, and the sum on standard error."""
    text = rendered(reports, form)
    if text:
        try:
            print(text if form in ("json", "sarif") else escaped(text), file=stream, flush=True)
        except BrokenPipeError:  # whoever read it has seen enough; the exit code is as it was
            forget(stream)
    say(summary(reports))


def summary(reports: Sequence[Report]) -> str:
    """How much was found, and where."""
    errors = sum(len(report.errors) for report in reports)
    warnings = sum(len(report.warnings) for report in reports)
    names = ", ".join(report.source for report in reports)
    if errors:
        return f"{_number(errors, 'error')} and {_number(warnings, 'warning')} in {names}"
    return (
        f"no errors, {_number(warnings, 'warning')} in {names}"
        if warnings
        else f"no problems in {names}"
    )


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _full(reports: Sequence[Report]) -> str:
    found = [str(problem) for report in reports for problem in report.problems]
    found += [_table(report) for report in reports if report.endpoints]
    return "\n\n".join(found)


def _concise(reports: Sequence[Report]) -> str:
    return "\n".join(problem.headline() for report in reports for problem in report.problems)


def _json(reports: Sequence[Report]) -> str:
    files = [
        {
            "source": report.source,
            "problems": [_problem(problem) for problem in report.problems],
            "endpoints": [dict(zip(_COLUMNS, row.cells, strict=True)) for row in report.endpoints],
        }
        for report in reports
    ]
    counts = {
        "errors": sum(len(report.errors) for report in reports),
        "warnings": sum(len(report.warnings) for report in reports),
    }
    text = json.dumps({"schema": SCHEMA, **counts, "files": files}, ensure_ascii=False, indent=2)
    # What is no letter to look at could steer a terminal; a program reads the escape as the same.
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "end_column": problem.end_column,
        "path": problem.path,
        "help": problem.hint,
        "notes": [
            {
                "message": note.message,
                "file": note.file,
                "line": note.line,
                "column": note.column,
            }
            for note in problem.notes
        ],
        "detail": problem.detail,
    }


def _github(reports: Sequence[Report]) -> str:
    return "\n".join(_annotation(problem) for report in reports for problem in report.problems)


def _annotation(problem: Problem) -> str:
    """A workflow command: `::error file=…,line=…::message`."""
    places = {
        "file": problem.file,
        "line": problem.line,
        "col": problem.column,
        "endColumn": problem.end_column - 1,  # inclusive there
        "title": problem.code,
    }
    said = "\n".join(
        part
        for part in (
            problem.message,
            problem.detail,
            *(str(note) for note in problem.notes),
            f"help: {problem.hint}" if problem.hint else "",
        )
        if part
    )
    properties = ",".join(
        f"{name}={_encoded(str(value)).replace(':', '%3A').replace(',', '%2C')}"
        for name, value in places.items()
        if value and value != -1
    )
    return f"::{problem.severity} {properties}::{_encoded(said)}"


def _encoded(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _table(report: Report) -> str:
    """The endpoints in plain columns: the same in a pipe and on a terminal that is wide enough."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    rows += [tuple(map(escaped, row.cells)) for row in report.endpoints]  # before they are measured
    return in_columns(rows)


_FORMS: dict[Format, Callable[[Sequence[Report]], str]] = {
    "full": _full,
    "concise": _concise,
    "json": _json,
    "github": _github,
    "sarif": sarif,
}
