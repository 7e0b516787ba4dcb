"""What `check` found as SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jina
from jina.check import Report
from jina.config.problems import Problem

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(reports: Sequence[Report]) -> str:
    """The reports as one run of the tool `jina`."""
    problems = [problem for report in reports for problem in report.problems]
    rules = [{"id": code} for code in dict.fromkeys(problem.code for problem in problems)]
    driver = {"name": "jina", "version": jina.__version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in problems],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(problem: Problem) -> dict[str, Any]:
    said = [problem.message, problem.detail, f"help: {problem.hint}" if problem.hint else ""]
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": "\n".join(part for part in said if part)},
        "locations": [_location(problem.file, problem.line, problem.column, problem.end_column)]
        if problem.file
        else [],
    }
    related = [
        {**_location(note.file, note.line, note.column), "message": {"text": note.message}}
        for note in problem.notes
        if note.file
    ]
    return {**result, "relatedLocations": related} if related else result


def _location(file: str, line: int, column: int, end_column: int = 0) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": file}}
    if line:
        region = {"startLine": line, "startColumn": column, "endColumn": end_column}
        physical["region"] = {key: value for key, value in region.items() if value > 0}
    return {"physicalLocation": physical}
