"""Places in the user's Python code, and problems there."""

from __future__ import annotations

import inspect
import linecache
from pathlib import Path
from typing import Any

from jina.config.problems import Problem
from jina.config.source import current_folder
from jina.executors.class_faults import Fault


def python_problem(
    function: Any, code: str, message: str, *, hint: str = "", severity: Any = "error"
) -> Problem:
    """A problem at the `def` of a function.

    Args:
        function: the user's.
        code: as in `Problem`.
        message: as in `Problem`.
        hint: as in `Problem`.
        severity: as in `Problem`.
    """
    file, line = definition(function)
    text = linecache.getline(file, line).rstrip("\n") if line else ""
    start = len(text) - len(text.lstrip()) + 1
    return Problem(
        code,
        message,
        file=shown_file(file),
        line=line,
        column=start if line else 0,
        end_column=len(text) + 1,
        hint=hint,
        severity=severity,
        source_line=text,
    )


def fault_problem(fault: Fault) -> Problem:
    """A fault of a class at the `def` that is to blame."""
    severity = "error" if fault.is_error else "warning"
    return python_problem(
        fault.function, fault.code, fault.message, hint=fault.hint, severity=severity
    )


def problem_at(file: str, line: int, code: str, message: str, hint: str = "") -> Problem:
    """A warning at the `def` of a function that begins at a line, with its decorators.

    Args:
        file: absolute path.
        line: counted from 1.
        code: as in `Problem`.
        message: as in `Problem`.
        hint: as in `Problem`.
    """
    line = _def_line(file, line)
    text = linecache.getline(file, line).rstrip("\n")
    return Problem(
        code,
        message,
        file=shown_file(file),
        line=line,
        column=len(text) - len(text.lstrip()) + 1,
        end_column=len(text) + 1,
        hint=hint,
        severity="warning",
        source_line=text,
    )


def definition(function: Any) -> tuple[str, int]:
    """File and line of the `def`, not of the decorators above it; "" and 0 where it has none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return "", 0
    return code.co_filename, _def_line(code.co_filename, code.co_firstlineno)


def _def_line(file: str, line: int) -> int:
    """The line of the `def`, at or behind the line of its first decorator."""
    for offset in range(50):
        text = linecache.getline(file, line + offset).lstrip()
        if text.startswith(("def ", "async def ")):
            return line + offset
    return line


def shown_file(file: str) -> str:
    """A path below the current folder is shown relative to it."""
    folder = current_folder()
    if folder == folder.parent:  # the root, also where the current folder was removed
        return file
    try:
        return str(Path(file).relative_to(folder))
    except ValueError:
        return file
