"""Documents as a person reads them: text, matches with rank and score, errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from jina.terminal_text import cell
from jina.writers import Writer
from jinacli.screens.columns import terminal_width, wrapped

_MAX_TEXT = 600  # characters of a Document's own text
_MAX_MATCH = 280  # characters of a match's text
_LEAST_COLUMNS = 10  # for text, however narrow the terminal is
_HIDDEN = frozenset(
    {
        "id",
        "parent_id",
        "text",
        "matches",
        "chunks",
        "embedding",
        "blob",
        "buffer",
        "mime_type",
        "granularity",
        "adjacency",
        "scores",
        "tags",
        "evaluations",
    }
)


_BOLD, _DIM, _CYAN, _RED = "1", "2", "36", "1;31"


class DocumentScreen(Writer):
    """Draws results as text: the Document, and below it what a search found for it.

    Args:
        colored: use colors.
    """

    def __init__(self, *, colored: bool) -> None:
        self._width = terminal_width()
        self._is_colored = colored

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer."""
        drawn: list[str] = []
        for line in bytes(lines).splitlines():
            drawn += self._document(msgspec.json.decode(line))
            drawn.append("")
        return "".join([f"{line}\n" for line in drawn]).encode()

    def _document(self, doc: dict[str, object]) -> Iterator[str]:
        name = cell(str(doc.get("id", "")))
        error = doc.get("error")
        if isinstance(error, dict):
            yield f"{self._in('failed', _RED)} {self._in(name, _DIM)}"
            for line in f"{error.get('type')}: {error.get('message')}".splitlines():
                yield from self._below(line, "  ")
            return
        text = _short(doc.get("text"), _MAX_TEXT)
        if text:
            yield from self._styled(wrapped(text, self._width), _BOLD)
            yield from self._below(f"{name}{_rest(doc)}", "  ", _DIM)
        else:
            yield from self._below(f"{name}{_rest(doc)}", "", _DIM)
        matches = doc.get("matches")
        if isinstance(matches, list) and matches:
            yield ""
            yield from self._matches(matches)

    def _matches(self, matches: list[dict[str, object]]) -> Iterator[str]:
        """Rank, score and text of each match, in columns."""
        scores = list(map(_score, matches))
        ranks, digits = len(str(len(matches))), max(map(len, scores))
        indent = " " * (ranks + (digits + 2 if digits else 0) + 4)
        for rank, (match, score) in enumerate(zip(matches, scores, strict=True), 1):
            name = f"{cell(str(match.get('id', '')))}{_rest(match)}"
            text = _short(match.get("text"), _MAX_MATCH)
            first, *more = self._fitted(text or name, indent)
            column = f"  {self._in(score.rjust(digits), _CYAN)}" if digits else ""
            yield f"  {rank:>{ranks}}{column}  {first}"
            yield from (f"{indent}{line}" for line in more)
            if text:
                yield from self._below(name, indent, _DIM)

    def _below(self, text: str, indent: str, style: str = "") -> Iterator[str]:
        lines = self._fitted(cell(text) if not style else text, indent)
        return (f"{indent}{line}" for line in self._styled(lines, style))

    def _fitted(self, text: str, indent: str) -> list[str]:
        return wrapped(text, max(_LEAST_COLUMNS, self._width - len(indent)))

    def _styled(self, lines: Iterable[str], style: str) -> Iterator[str]:
        return (self._in(line, style) for line in lines)

    def _in(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._is_colored and style and text else text


def _score(doc: dict[str, object]) -> str:
    scores = doc.get("scores")
    if isinstance(scores, dict) and scores:
        value = next(iter(scores.values()))
        if isinstance(value, dict):
            value = value.get("value", 0.0)
        if isinstance(value, (int, float)):
            return f"{value:.3f}"
    return ""


def _rest(doc: dict[str, object]) -> str:
    """Tags and plain fields, on one line."""
    tags = doc.get("tags")
    shown = {key: value for key, value in doc.items() if key not in _HIDDEN}
    if isinstance(tags, dict):
        shown.update(tags)
    return "".join(f"  {_short(key, 60)}: {_short(value, 60)}" for key, value in shown.items())


def _short(value: object, limit: int) -> str:
    """One line of at most `limit` characters, without control characters."""
    text = "" if value is None else value if isinstance(value, str) else str(value)
    text = cell(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
