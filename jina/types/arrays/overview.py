"""Arrays as people see them: a summary, a table in a terminal or a notebook, a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from jina.excepts import DocumentError, MissingExtra
from jina.records.record import FIELDS
from jina.records.record_ops import set_fields
from jina.types.arrays.column_access import listed
from jina.types.arrays.sources import Sources
from jina.types.document.display import printed

_ROWS = 10


class Overview(Sources):
    """What is in an array."""

    __slots__ = ()

    def describe(self) -> str:
        """Return how many Documents there are, and in how many of them each field is set."""
        counts = Counter(field for doc in self._docs for field in set_fields(doc._record))
        width = max((len(field) for field in counts), default=0)
        lines = [f"{len(self)} Document{'s' * (len(self) != 1)}"]
        for field, count in counts.items():
            kinds = _kinds(self._docs, field)
            lines.append(f"  {field:{width}}  {count}{'  ' + kinds if kinds else ''}")
        return "\n".join(lines)

    def summary(self) -> None:
        """Print what `describe` returns."""
        print(self.describe())

    def __rich_repr__(self) -> Iterator[Any]:
        """The number of Documents and the first ones, for rich's printer."""
        yield "length", len(self)
        yield from self._docs[:3]

    def _repr_html_(self) -> str:
        """A table of the first Documents, for a notebook."""
        shown = [dict(doc._shown()) for doc in self._docs[:_ROWS]]
        fields = [field for field in FIELDS if any(field in values for values in shown)]
        head = "".join(f"<th>{escape(field)}</th>" for field in fields)
        cells = (
            "".join(f"<td>{_cell(values.get(field, ''))}</td>" for field in fields)
            for values in shown
        )
        rows = "".join(f"<tr>{row}</tr>" for row in cells)
        return (
            f"<p>DocumentArray of {len(self)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def visualize(
        self, output: str | Path | None = None, title: str | None = None, **options: Any
    ) -> None:
        """Draw the embeddings in two dimensions: their first two principal components.

        Args:
            output: an image file; a window by default.
            title: written above.
            **options: of matplotlib's `scatter`.

        Raises:
            MissingExtra: matplotlib is not installed.
            DocumentError: embeddings are missing, have fewer than two numbers, or some that are
                not finite.
        """
        import numpy as np  # late: a process that sees only text never loads it

        matrix = self.embeddings
        points = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, float)
        points = points.reshape(len(points), -1)
        if points.shape[1] < 2:
            raise DocumentError("a picture needs embeddings of at least two numbers")
        if not np.isfinite(points).all():
            rows = np.flatnonzero(~np.isfinite(points).all(axis=1))
            odd = [self._docs[int(row)].id for row in rows]
            raise DocumentError(f"NaN or infinity in the embeddings of {listed(odd)}")
        centred = points - points.mean(axis=0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        places = centred @ axes[:2].T if len(axes) > 1 else centred[:, :2]
        try:
            pyplot = import_module("matplotlib.pyplot")  # late: optional
        except ImportError as err:
            raise MissingExtra(
                "drawing needs matplotlib", hint="pip install 'jinacli[plot]'"
            ) from err
        figure, plane = pyplot.subplots()
        plane.scatter(places[:, 0], places[:, 1], **options)
        plane.set_title(title or f"{len(self)} Documents")
        if output is None:
            pyplot.show()
        else:
            figure.savefig(output)
        pyplot.close(figure)


def _kinds(docs: list[Any], field: str) -> str:
    """Name the shapes of a tensor field."""
    if field not in ("blob", "embedding"):
        return ""
    tensors = [getattr(doc, field) for doc in docs]
    shapes = Counter(f"{t.dtype}{tuple(t.shape)}" for t in tensors if t is not None)
    return ", ".join(f"{shape} x {count}" for shape, count in shapes.most_common(3))


def _cell(value: Any) -> str:
    text = printed(value)
    return escape(text if len(text) <= 80 else f"{text[:79]}…")
