"""A parsed config: plain data, and the place of each key and value in the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import msgspec

from jina.config.problems import Note, Problem, Severity
from jina.config.source import Source

#: Keys and indices from the root of the data, such as ("executors", 1, "needs").
DataPath = tuple[str | int, ...]


class Span(NamedTuple):
    """A stretch of the source; all counted from 1, `end_column` one past the last character."""

    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


class RawScalar(NamedTuple):
    """A scalar as written, kept where it may hold a variable.

    Args:
        text: its value before interpolation.
        is_plain: written without quotes and not as a block, so that a whole variable is re-typed.
    """

    text: str
    is_plain: bool


class Tree(msgspec.Struct):
    """What the loader returns.

    Args:
        source: where it comes from.
        data: dicts with text keys, lists, None, bool, int, float, str.
        values: the place of each value.
        keys: the place of each key.
        raws: the scalars that hold a `$`.
        problems: what was found while parsing.
        codes: those of the problems that the parser found.
        sources: where values and keys come from that are not from `source`: from a further file
            that overrides it, or from a command line.
    """

    source: Source
    data: Any = None
    values: dict[DataPath, Span] = {}
    keys: dict[DataPath, Span] = {}
    raws: dict[DataPath, RawScalar] = {}
    problems: list[Problem] = []
    codes: set[str] = set()
    sources: dict[DataPath, Source] = {}

    @property
    def files(self) -> set[str]:
        """The files that it comes from, as the user named them."""
        return {self.source.file, *(source.file for source in self.sources.values())}

    def source_of(self, path: DataPath) -> Source:
        """Where a value comes from."""
        return self.located(path)[0]

    def mark(self, path: DataPath) -> tuple[str, int, int]:
        """File, line and column of a value; line 0 where it came from Python."""
        source, span = self.located(path)
        return (source.file, span.line, span.column)

    def span(self, path: DataPath, at: Literal["key", "value"] = "value") -> Span:
        """The place of a key or value; that of the closest parent where it has none."""
        return self.located(path, at)[1]

    def located(self, path: DataPath, at: Literal["key", "value"] = "value") -> tuple[Source, Span]:
        """The source and the place of a key or value, see `span`."""
        for length in range(len(path), -1, -1):
            part = path[:length]
            first, second = (self.keys, self.values) if at == "key" else (self.values, self.keys)
            found = first.get(part) or second.get(part)
            if found:
                # The parent of something missing: its key says more than its first child.
                source = self.sources.get(part, self.source)
                return source, found if part == path else self.keys.get(part, found)
        # Of an empty file: its beginning.
        is_file = self.source.file and self.source.data is None
        return self.source, Span(1, 1, 1, 2) if is_file else Span()

    def problem(
        self,
        path: DataPath,
        code: str,
        message: str,
        *,
        at: Literal["key", "value"] = "value",
        hint: str = "",
        severity: Severity = "error",
        notes: Iterable[Note] = (),
        word: str = "",
    ) -> Problem:
        """A problem at a place of this tree.

        Args:
            path: the key or value.
            code: as in `Problem`.
            message: as in `Problem`.
            at: whether the key or the value is marked.
            hint: as in `Problem`.
            severity: as in `Problem`.
            notes: as in `Problem`.
            word: mark only this part of the value, if the file contains it literally.
        """
        found = Problem(
            code, message, path=path_text(path), hint=hint, severity=severity, notes=tuple(notes)
        )
        source, span = self.located(path, at)
        return self.placed(found, span, word, source)

    def note(self, path: DataPath, message: str, at: Literal["key", "value"] = "value") -> Note:
        """A note at a place of this tree."""
        source, span = self.located(path, at)
        return Note(message, source.file, span.line, span.column)

    def placed(
        self, problem: Problem, span: Span, word: str = "", source: Source | None = None
    ) -> Problem:
        """The problem with file, line, column and source line filled in."""
        source = source or self.source
        lines = source.lines
        if not span.line:
            return replace(problem, file=source.file)
        if word:
            span = _narrowed(lines, span, word)
        line = lines[span.line - 1] if span.line <= len(lines) else ""
        # A value of several lines is marked up to the end of its first one.
        end = span.end_column if span.end_line == span.line else len(line) + 1
        return replace(
            problem,
            file=source.file,
            line=span.line,
            column=span.column,
            end_column=end,
            source_line=line,
        )


def value_at(data: Any, path: DataPath) -> Any:
    """The value at a path.

    Raises:
        LookupError: there is none.
        TypeError: there is none: the path meets a value that holds no others.
    """
    for part in path:
        if isinstance(data, str):
            raise LookupError(part)
        data = data[part]
    return data


def path_text(path: DataPath) -> str:
    """A path as messages name it: `executors[1].needs`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _narrowed(lines: list[str], span: Span, word: str) -> Span:
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        line = lines[number - 1]
        start = span.column - 1 if number == span.line else 0
        stop = span.end_column - 1 if number == span.end_line else len(line)
        found = line.find(word, start, max(stop, start))
        if found >= 0:
            return Span(number, found + 1, number, found + 1 + len(word))
    return span
