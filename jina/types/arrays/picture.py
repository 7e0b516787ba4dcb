"""Draw embeddings in two dimensions, with numpy and matplotlib."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from jina.excepts import DocumentError, MissingExtra
from jina.types.arrays.column_access import listed
from jina.types.arrays.protocols import ArrayLike


def draw(array: ArrayLike, output: str | Path | None, title: str | None, options: Any) -> None:
    """Draw the first two principal components; see `DocumentArray.visualize`."""
    points = _in_two_dimensions(_points(array))
    pyplot = _matplotlib()
    figure, plane = pyplot.subplots()
    plane.scatter(points[:, 0], points[:, 1], **options)
    plane.set_title(title or f"{len(array)} Documents")
    if output is None:
        pyplot.show()
    else:
        figure.savefig(output)
    pyplot.close(figure)


def _points(array: ArrayLike) -> Any:
    matrix = array.embeddings
    points = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, float)
    points = points.reshape(len(points), -1)
    if points.shape[1] < 2:
        raise DocumentError("plotting needs embeddings of at least two numbers")
    if not np.isfinite(points).all():
        rows = np.flatnonzero(~np.isfinite(points).all(axis=1))
        odd = [array._docs[int(row)].id for row in rows]
        raise DocumentError(f"NaN or infinity in the embeddings of {listed(odd)}")
    return points


def _in_two_dimensions(points: Any) -> Any:
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ axes[:2].T if len(axes) > 1 else centred[:, :2]


def _matplotlib() -> Any:
    try:
        return import_module("matplotlib.pyplot")  # late: optional
    except ImportError as err:
        raise MissingExtra("plotting needs matplotlib", hint="pip install 'jinacli[plot]'") from err
