"""Columns of a DocumentArray: one field of all Documents, read and set in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from jina.excepts import DocumentError
from jina.records import record_ops
from jina.records.batch import Columns, Constant
from jina.records.mapping import kind_of
from jina.records.record import DEFAULTS, TEXT_FIELDS
from jina.records.tensor_columns import DenseColumn
from jina.records.tensors import Cell, as_tensor, is_sparse
from jina.types.arrays.traversal import Traversal

if TYPE_CHECKING:
    import numpy as np

    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

# Fields that are read from undecoded columns: their values are not changed in place.
_BY_COLUMN = TEXT_FIELDS | {"granularity", "adjacency", "offset", "weight"}


class Attributes(Traversal):
    """Access by column. A columnar array stays columnar."""

    __slots__ = ()
    _columns: Columns | None

    if TYPE_CHECKING:

        @property
        def _docs(self) -> list[Document]: ...

    def get_attributes(self, *fields: str) -> list[Any]:
        """Return fields of all Documents; `tags__a__b` reaches into tags.

        Returns:
            One list of values for one field, a list of such lists for several; None for what a
            Document does not have.
        """
        columns = [self._column(field) for field in fields]
        return columns[0] if len(columns) == 1 else columns

    def get_attributes_with_docs(self, *fields: str) -> tuple[list[Any], DocumentArray]:
        """Return fields of those Documents that have all of them, and these Documents.

        Returns:
            The values as `get_attributes` gives them, and an array of the same length.
        """
        have = [doc for doc in self._docs if all(_has(doc, field) for field in fields)]
        found = _array(have)
        return found.get_attributes(*fields), found

    def _column(self, field: str) -> list[Any]:
        columns = self._columns
        if columns is not None:
            if field in _BY_COLUMN:
                return list(columns.values(field))
            if field in ("text", "buffer"):
                empty: Any = "" if field == "text" else b""
                values = columns.values(field)
                return [value or empty for value in values] if None in values else list(values)
            if field in ("blob", "embedding"):
                column = columns.tensor(field)
                return [None] * columns.rows if column is None else _tensors(column)
        if field in DEFAULTS and field not in ("text", "id"):
            return [getattr(doc, field) for doc in self._docs]
        if field == "text":
            return [doc._record.text or "" for doc in self._docs]
        if field == "id":
            return [doc._record.id for doc in self._docs]
        return [doc._attribute(field) for doc in self._docs]

    # --- whole columns --------------------------------------------------------------------------

    @property
    def texts(self) -> list[str]:
        """The text of each Document, "" where it has none."""
        return self._column("text")

    @texts.setter
    def texts(self, values: Sequence[str | None] | None) -> None:
        if values is None:
            values = [None] * len(self)
        elif isinstance(values, str):
            raise TypeError("`texts` is a text, expected a list of them")
        values = list(self._of_length("texts", values))
        some_unset = False
        if set(map(type, values)) != {str}:
            values = [_text(value) for value in values]
            some_unset = None in values
        columns = self._columns
        if columns is None or some_unset:
            for doc, value in zip(self._docs, values, strict=True):
                doc.text = value
            return
        columns.put("text", values)
        columns.put("mime_type", Constant("text/plain"))
        columns.put("blob", None)
        columns.put("buffer", None)

    @property
    def embeddings(self) -> np.ndarray[Any, Any] | Any:
        """The embeddings as one array, shape (documents, …); sparse ones as one csr matrix.

        Of an array that came as columns, this is the memory that is sent on: writing into it
        changes the embeddings. Otherwise it is a copy.

        Raises:
            DocumentError: a Document has none, or their shapes differ; the ids are named.
        """
        return self._matrix("embedding")

    @embeddings.setter
    def embeddings(self, values: Any) -> None:
        self._set_tensors("embedding", values)

    @property
    def blobs(self) -> np.ndarray[Any, Any] | Any:
        """The blobs as one array, shape (documents, …); see `embeddings`."""
        return self._matrix("blob")

    @blobs.setter
    def blobs(self, values: Any) -> None:
        self._set_tensors("blob", values)
        columns = self._columns
        if columns is not None and values is not None:
            columns.put("text", None)
            columns.put("buffer", None)

    def _matrix(self, field: str) -> Any:
        columns = self._columns
        if columns is not None:
            column = columns.tensor(field)
            if isinstance(column, DenseColumn):
                return column.matrix
        tensors = self._column(field)
        ids = self._column("id")
        missing = [name for name, value in zip(ids, tensors, strict=True) if value is None]
        if missing or not tensors:
            raise DocumentError(
                f"no `{field}` in {listed(missing)}" if missing else f"no Documents, no `{field}`s"
            )
        shapes = [value.shape for value in tensors]
        if len(set(shapes)) > 1:
            usual = max(set(shapes), key=shapes.count)
            odd = [name for name, shape in zip(ids, shapes, strict=True) if shape != usual]
            raise DocumentError(f"`{field}` is not of shape {usual} in {listed(odd)}")
        if any(is_sparse(value) for value in tensors):
            import scipy.sparse  # late: optional, and loaded already where there is one

            return scipy.sparse.vstack(tensors).tocsr()
        import numpy as np  # late: a process that sees only text never loads it

        # Faster than numpy's stack, which makes a view of each row first.
        if tensors[0].ndim == 0:
            return np.stack(tensors)
        return np.concatenate(tensors).reshape(len(tensors), *tensors[0].shape)

    def _set_tensors(self, field: str, values: Any) -> None:
        columns = self._columns
        if columns is not None and columns.has_matrix(field, values):
            return  # `docs.embeddings *= 2` gives it back
        if values is None:
            values = list(repeat(None, len(self._docs)))
        elif hasattr(values, "dtype") and not is_sparse(values):
            values = as_tensor(values)
            if not values.ndim:
                raise DocumentError(f"one number for {len(self)} Documents")
            self._of_length(f"{field}s", values)
            if columns is not None:
                columns.put(field, DenseColumn.of(values))
                return
        elif is_sparse(values):
            self._of_length(f"{field}s", range(values.shape[0]))
            rows = values.tocsr()
            values = [rows[i : i + 1].asformat(values.format) for i in range(rows.shape[0])]
        else:
            # Before any Document is changed: one of them may be no tensor.
            values = [
                None if value is None else as_tensor(value)
                for value in self._of_length(f"{field}s", values)
            ]
        for doc, value in zip(self._docs, self._of_length(f"{field}s", values), strict=True):
            setattr(doc, field, value)

    def _of_length(self, name: str, values: Any) -> Any:
        values = values if hasattr(values, "__len__") else list(values)
        if len(values) != len(self):
            raise DocumentError(f"{len(values)} {name} for {len(self)} Documents")
        return values

    def __len__(self) -> int:
        raise NotImplementedError


def _tensors(column: Any) -> list[Any]:
    return [value.get() if type(value) is Cell else value for value in column.cells()]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    raise TypeError(f"`texts` holds {kind_of(value)}, expected text")


def _has(doc: Document, field: str) -> bool:
    if field in DEFAULTS:
        value = getattr(doc._record, field)
        return record_ops.settled(field, value) is not None
    value = doc._attribute(field)
    return value is not None


def _array(docs: Iterable[Any]) -> DocumentArray:
    # Late: the DocumentArray is made of this class.
    from jina.types.arrays.document import DocumentArray

    return DocumentArray._of_rows(list(docs))


def listed(ids: list[str]) -> str:
    """Return the first of these ids, and how many more there are."""
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return ", ".join(map(repr, ids[:5])) + more
