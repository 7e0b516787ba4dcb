"""Arrays as people see them: a summary, and a table for a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from jina.records.record import FIELDS, TENSOR_FIELDS
from jina.records.record_ops import set_fields
from jina.types.arrays.protocols import DocumentLike
from jina.types.document.display import printed, shown

_ROWS = 10


def describe(docs: Sequence[DocumentLike]) -> str:
    """Return how many Documents there are, and in how many of them each field is set."""
    counts = Counter(field for doc in docs for field in set_fields(doc._record))
    width = max((len(field) for field in counts), default=0)
    lines = [f"{len(docs)} Document{'s' * (len(docs) != 1)}"]
    for field, count in counts.items():
        kinds = _kinds(docs, field)
        lines.append(f"  {field:{width}}  {count}{'  ' + kinds if kinds else ''}")
    return "\n".join(lines)


def _kinds(docs: Sequence[DocumentLike], field: str) -> str:
    """Name the shapes of a tensor field."""
    if field not in TENSOR_FIELDS:
        return ""
    tensors = [getattr(doc, field) for doc in docs]
    shapes = Counter(f"{t.dtype}{tuple(t.shape)}" for t in tensors if t is not None)
    return ", ".join(f"{shape} x {count}" for shape, count in shapes.most_common(3))


def as_html(docs: Sequence[DocumentLike]) -> str:
    """Return a table of the first Documents."""
    described = [dict(shown(doc._record)) for doc in docs[:_ROWS]]
    fields = [field for field in FIELDS if any(field in values for values in described)]
    head = "".join(f"<th>{escape(field)}</th>" for field in fields)
    cells = (
        "".join(f"<td>{_cell(values.get(field, ''))}</td>" for field in fields)
        for values in described
    )
    rows = "".join(f"<tr>{row}</tr>" for row in cells)
    return (
        f"<p>DocumentArray of {len(docs)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _cell(value: Any) -> str:
    text = printed(value)
    return escape(text if len(text) <= 80 else f"{text[:79]}…")
