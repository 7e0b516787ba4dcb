"""A record as people see it: printed, in a rich terminal, in a notebook, as a picture.

None of these forms needs a library.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from jina.excepts import DocumentError
from jina.records import record_ops
from jina.records.record import CHILD_FIELDS, FIELDS, SCORE_FIELDS, TENSOR_FIELDS, Record

_ENDLESS = "{…}"
_LONG = 500  # characters of a text, or bytes, that are shown
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf")
# Characters that neither labels nor XML may hold, and those that Mermaid would read as markup.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MERMAID = str.maketrans(
    {'"': "&quot;", "<": "&lt;", ">": "&gt;", "&": "&amp;", "#": "#35;", "`": "#96;"}
)


def in_full(record: Record) -> str:
    """Return the set fields like a dict; tensors by dtype and shape."""
    return str(record_ops.as_dict(record, brief))


def in_line(record: Record) -> str:
    """Return the set fields as `name=value`, without their nesting."""
    return " ".join(f"{name}={printed(value)}" for name, value in shown(record))


def rich_fields(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield the set fields for rich's printer."""
    for name, value in shown(record):
        # rich looks into containers itself, but not as deep as Python can nest them.
        yield name, _ENDLESS if name == "tags" and printed(value) == _ENDLESS else value


def html(record: Record) -> str:
    """Return a table of the set fields, for a notebook."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(printed(value))}</td></tr>"
        for name, value in shown(record)
    )
    return f"<table><tbody>{rows}</tbody></table>"


def shown(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield the set fields, short enough for a person to read; children are only counted."""
    for name in FIELDS:
        value = record_ops.decoded(name, getattr(record, name))
        if value is not None:
            yield name, _short(name, value)


def _short(name: str, value: Any) -> Any:
    if name in CHILD_FIELDS:
        return f"{len(value)} Document{'s' * (len(value) != 1)}"
    if name in TENSOR_FIELDS:
        return brief(value)
    if name == "buffer":
        return f"<{len(value)} bytes>" if len(value) > _LONG else _base64(value)
    if name in SCORE_FIELDS:
        return {key: getattr(score, "value", score) for key, score in value.items()}
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value[:_LONG]}… ({len(value)} characters)"
    return value


def plot(record: Record, output: str | Path | None) -> str:
    """Return a record and its children as a Mermaid graph, and write it, or a picture, to a file.

    Raises:
        DocumentError: the name ends like that of a picture of another kind than `.svg`.
    """
    text = mermaid(record)
    if output is not None:
        path = Path(output)
        ending = path.suffix.lower()
        if ending in _PICTURES:
            raise DocumentError(
                f"cannot draw a {ending} picture", hint="use a name that ends in .svg"
            )
        written = svg(record) if ending == ".svg" else text
        path.write_text(written, encoding="utf-8", errors="replace")
    return text


def mermaid(record: Record) -> str:
    """Return a record and its children as the text of a Mermaid graph."""
    lines = ["graph LR"]
    for number, parent, relation, label in _nodes(record):
        lines.append(f'    n{number}["{label.translate(_MERMAID)}"]')
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
        yield number, parent, relation, _CONTROL.sub(" ", f"{node.id}{text}")
        for field in ("matches", "chunks"):
            kind = "chunk" if field == "chunks" else "match"
            for child in reversed(record_ops.children(getattr(node, field))):
                waiting.append((child, number, kind))
        number += 1


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def printed(value: Any) -> str:
    """Return a value as text, cut off if it is long; a mark if it is nested too deeply."""
    try:
        text = str(value)
    except RecursionError:
        return _ENDLESS
    return text if len(text) <= 2 * _LONG else f"{text[: 2 * _LONG]}…"


def brief(tensor: Any) -> str:
    """Return what kind of tensor it is, without its numbers."""
    return f"<{type(tensor).__name__} {tensor.dtype} {tuple(tensor.shape)}>"
