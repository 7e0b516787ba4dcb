"""What is wrong with a config, where, and how it is printed.

Plain text only; colours are up to the command line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from jina.excepts import BadConfigSource, BadYAMLVersion, ConfigError
from jina.terminal_text import quoted

Severity = Literal["error", "warning"]
_T = TypeVar("_T")

MAX_SHOWN_COLUMNS = 120  # of a source line; a longer one is cut around the caret
MAX_MESSAGE = 1000  # characters of a message or a hint, as it is shown

_RAISED = {
    "no-source": BadConfigSource,
    "no-class": BadConfigSource,
    "class-not-found": BadConfigSource,
    "file-not-found": BadConfigSource,
    "module-not-found": BadConfigSource,
    "not-in-catalogue": BadConfigSource,
    "bad-version": BadYAMLVersion,
}


@dataclass(frozen=True, slots=True)
class Note:
    """Another place that belongs to a problem, such as the first of two definitions.

    Args:
        message: what is there.
        file: as in `Problem`.
        line: as in `Problem`.
        column: as in `Problem`.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"note: {_place(self.file, self.line, self.column, '')}{self.message}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or suspicious.

    Args:
        code: a short name that does not change, such as "unknown-key".
        message: one sentence: what is wrong, what was expected.
        file: the file as the user named it; empty for what came from Python.
        line: counted from 1; 0 when there is no place.
        column: counted from 1, in characters.
        end_column: one past the last marked character of that line.
        path: the place inside the data (`executors[1].needs`), shown when there is no line.
        hint: how to fix it; empty if there is nothing to say.
        severity: errors keep a config from being used, warnings do not.
        notes: other places that belong to it.
        source_line: the line itself, as written.
        detail: further lines, printed as they are, such as the traceback of the user's own code.
    """

    code: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    end_column: int = 0
    path: str = ""
    hint: str = ""
    severity: Severity = "error"
    notes: tuple[Note, ...] = ()
    source_line: str = ""
    detail: str = ""

    @property
    def place(self) -> str:
        """`flow.yml:7:5`, or the path inside the data; empty when neither is known."""
        return _place(self.file, self.line, self.column, self.path).removesuffix(": ")

    def headline(self) -> str:
        """The first line: place, severity, code and message."""
        place = _place(self.file, self.line, self.column, self.path)
        return f"{place}{self.severity}[{self.code}]: {quoted(_bounded(self.message))}"

    def __str__(self) -> str:
        """The whole of it: headline, source line with a caret, notes, help."""
        lines = [self.headline()]
        if self.line and self.source_line.strip():
            lines += _excerpt(self)
        lines += [quoted(line) for line in self.detail.splitlines()]
        lines += [quoted(str(note)) for note in self.notes]
        if self.hint:
            lines.append(f"help: {quoted(_bounded(self.hint))}")
        return "\n".join(lines)


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """Those that keep a config from being used."""
    return [p for p in problems if p.severity == "error"]


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Without repetitions, by file (in order of appearance), line and column."""
    unique = list(dict.fromkeys(problems))
    files = {file: n for n, file in enumerate(dict.fromkeys(p.file for p in unique))}
    return sorted(unique, key=lambda p: (files[p.file], p.line, p.column))


def result_or_raise(result: _T | None, problems: Sequence[Problem]) -> _T:
    """The result, unless there are errors among the problems: they are raised as one.

    Raises:
        BadConfigSource: nothing usable stood where a config was expected.
        BadYAMLVersion: the version of a Flow YAML is not supported.
        ConfigError: anything else.
    """
    errors = errors_in(ordered(problems))
    if result is not None and not errors:
        return result
    if not errors:
        raise ConfigError("this config cannot be used")
    kinds = {_RAISED.get(p.code, ConfigError) for p in errors}
    kind = kinds.pop() if len(kinds) == 1 else ConfigError
    first = errors[0]
    raise kind(first.message, where=first.place, hint=first.hint, problems=errors)


def _place(file: str, line: int, column: int, path: str) -> str:
    parts = [file] if file else []
    parts += [str(number) for number in (line, column) if number]
    if not line and path:
        parts.append(path if not parts else f" {path}")
    return f"{':'.join(parts)}: " if parts else ""


def _excerpt(problem: Problem) -> list[str]:
    line = problem.source_line.rstrip("\r\n")
    start = min(problem.column, len(line) + 1) - 1
    stop = max(start + 1, min(problem.end_column - 1, len(line)))
    before, marked, after = line[:start], line[start:stop], line[stop:]
    if len(before) + len(marked) + len(after) > MAX_SHOWN_COLUMNS:
        half = MAX_SHOWN_COLUMNS // 2
        before = before if len(before) <= half else "…" + before[-half:]
        marked = marked[:half]
        after = after[: max(0, MAX_SHOWN_COLUMNS - len(before) - len(marked))] + "…"
    before, marked, after = quoted(before), quoted(marked), quoted(after)
    number = str(problem.line)
    gutter = " " * len(number)
    caret = "^" * max(1, _width(marked))
    return [
        f"  {number} | {before}{marked}{after}".rstrip(),
        f"  {gutter} | {' ' * _width(before)}{caret}",
    ]


def _bounded(text: str) -> str:
    """The head and tail of a message that quotes something long from a file."""
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[: MAX_MESSAGE // 2]} … {text[-MAX_MESSAGE // 2 :]}"


def _width(text: str) -> int:
    """Columns on a terminal: wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
