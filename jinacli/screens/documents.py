"""Documents as a person reads them: text, matches with their scores, errors."""

from __future__ import annotations

import io

import msgspec
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jina.terminal_text import cell
from jinacli.color import console_for

_MAX_TEXT = 600  # characters of a Document's own text
_MAX_MATCH = 280  # characters of a match's text
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


class DocumentScreen:
    """Draws results as text.

    Args:
        colored: use colors.
    """

    def __init__(self, *, colored: bool) -> None:
        self._text = io.StringIO()
        self._console = console_for(self._text, colored=colored, highlight=False, soft_wrap=False)

    def drawn(self, lines: bytes | memoryview) -> bytes:
        """The Documents of one reply, as UTF-8 text.

        Args:
            lines: JSON lines, as they would be written to a file.
        """
        for line in bytes(lines).splitlines():
            self._show(msgspec.json.decode(line))
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()

    def _show(self, doc: dict[str, object]) -> None:
        console = self._console
        name = Text(str(doc.get("id", "")), style="dim")
        error = doc.get("error")
        if isinstance(error, dict):
            console.print(Text("failed ", style="bold red") + name)
            console.print(
                Padding(Text(f"{error.get('type')}: {error.get('message')}"), (0, 0, 0, 2))
            )
            return
        text = _short(doc.get("text"), _MAX_TEXT)
        console.print(Text(text, style="bold") if text else name)
        if text:
            console.print(Padding(name + Text(_rest(doc), style="dim"), (0, 0, 0, 2)))
        matches = doc.get("matches")
        if isinstance(matches, list):
            self._show_matches(matches)
        console.print()

    def _show_matches(self, matches: list[dict[str, object]]) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 1, 0))
        table.add_column(justify="right", style="cyan", no_wrap=True)
        table.add_column()
        for match in matches:
            body = Text(_short(match.get("text"), _MAX_MATCH))
            body.append(f"\n{match.get('id', '')}{_rest(match)}", style="dim")
            table.add_row(_score(match), body)
        self._console.print(Padding(table, (1, 0, 0, 2)))


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
    return "".join(f"  {key}: {_short(value, 60)}" for key, value in shown.items())


def _short(value: object, limit: int) -> str:
    """One line of at most `limit` characters, without control characters."""
    text = "" if value is None else value if isinstance(value, str) else str(value)
    text = cell(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
