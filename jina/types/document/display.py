"""A Document as people see it: printed, in a rich terminal, in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from jina.types import content
from jina.types.document.fields import Fields
from jina.types.record import Record


class Display(Fields):
    """Printed forms; none of them needs a library."""

    __slots__ = ()

    def __str__(self) -> str:
        """The set fields, like a dict; tensors by dtype and shape."""
        return str(content.as_dict(self._record, brief))

    def __repr__(self) -> str:
        """The class, the set fields without their nesting, and the address."""
        parts = [f"{name}={value}" for name, value in self._shown()]
        kind = type(self)
        return f"<{kind.__module__}.{kind.__qualname__} {' '.join(parts)} at {id(self)}>"

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        """The set fields, for rich's printer."""
        yield from self._shown()

    def _shown(self) -> Iterator[tuple[str, Any]]:
        for name, value in content.as_dict(self._record, brief).items():
            if name in ("chunks", "matches"):
                yield name, f"{len(value)} Documents"
            else:
                yield name, value

    def _repr_html_(self) -> str:
        """A table of the set fields, for a notebook."""
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
            for name, value in self._shown()
        )
        return f"<table><tbody>{rows}</tbody></table>"

    def plot(self, output: str | Path | None = None, inline_display: bool = False) -> str:
        """Return the Document and its children as a Mermaid graph; nothing leaves the machine.

        Args:
            output: also write it there: a picture if the name ends in `.svg`, else the text.
            inline_display: no effect; a notebook shows the Document by itself.
        """
        text = mermaid(self._record)
        if output is not None:
            Path(output).write_text(
                svg(self._record) if str(output).endswith(".svg") else text, encoding="utf-8"
            )
        return text


def mermaid(record: Record) -> str:
    """Return a record and its children as the text of a Mermaid graph."""
    lines = ["graph LR"]
    for number, parent, relation, label in _nodes(record):
        lines.append(f'    n{number}["{label.replace(chr(34), "&quot;")}"]')
        if parent is not None:
            lines.append(f"    n{parent} -- {relation} --> n{number}")
    return "\n".join(lines) + "\n"


def svg(record: Record) -> str:
    """Return a record and its children as a picture: one line each, children further right."""
    rows = []
    depth = {-1: -1}
    for number, parent, relation, label in _nodes(record):
        depth[number] = depth[-1 if parent is None else parent] + 1
        text = f"{relation}: {label}" if relation else label
        rows.append(
            f'<text x="{10 + 30 * depth[number]}" y="{20 + 20 * number}">{escape(text)}</text>'
        )
    height = 20 * len(rows) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="{height}" '
        f'font-family="monospace" font-size="12">{"".join(rows)}</svg>\n'
    )


def _nodes(record: Record) -> Iterator[tuple[int, int | None, str, str]]:
    """Yield number, number of the parent, relation and label, parents first."""
    waiting: list[tuple[Record, int | None, str]] = [(record, None, "")]
    number = 0
    while waiting:
        node, parent, relation = waiting.pop()
        text = f": {node.text[:40]}" if node.text else ""
        yield number, parent, relation, f"{node.id}{text}".replace("\n", " ")
        for field in ("matches", "chunks"):
            kind = "chunk" if field == "chunks" else "match"
            for child in reversed(content.children(getattr(node, field))):
                waiting.append((child, number, kind))
        number += 1


def brief(tensor: Any) -> str:
    """Say what a tensor is without its numbers."""
    return f"<{type(tensor).__name__} {tensor.dtype} {tuple(tensor.shape)}>"
