"""Read and set one field of all Documents in one go.

An array that is still columnar stays columnar: only the columns that are asked for are decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any

from jina.excepts import DocumentError, EmptyArray
from jina.records.batch import Columns, Constant
from jina.records.mapping import kind_of
from jina.records.record import DEFAULTS, TENSOR_FIELDS, TEXT_FIELDS
from jina.records.record_ops import decoded, tensor
from jina.records.tensor_columns import DenseColumn
from jina.records.tensors import as_tensor, is_sparse
from jina.types.arrays.protocols import ArrayLike, Doc

# What an unset value reads as; the column holds None.
_UNSET = {"text": "", "buffer": b""}
# Fields that can be read from undecoded columns. Their values cannot be changed in place; tensors
# can, but they stay in the column that is sent on.
_BY_COLUMN = TEXT_FIELDS | TENSOR_FIELDS | _UNSET.keys()
_BY_COLUMN |= {"granularity", "adjacency", "offset", "weight"}


def get_values(array: ArrayLike, field: str) -> list[Any]:
    """Return the field of each Document; `tags__a__b` reaches into tags."""
    columns = array._columns
    if columns is not None and field in _BY_COLUMN:
        return _from_columns(columns, field)
    return _from_documents(array._docs, field)


def _from_columns(columns: Columns, field: str) -> list[Any]:
    if field in TENSOR_FIELDS:
        column = columns.tensor(field)
        return [None] * columns.rows if column is None else list(map(tensor, column.cells()))
    found = columns.values(field)
    if field in _UNSET and None in found:
        return [value or _UNSET[field] for value in found]
    return list(found)


def _from_documents(docs: Sequence[Any], field: str) -> list[Any]:
    if field == "text":
        return [doc._record.text or "" for doc in docs]
    if field == "id":
        return [doc._record.id for doc in docs]
    if field in DEFAULTS:
        return [getattr(doc, field) for doc in docs]
    return [doc._attribute(field) for doc in docs]


def having(docs: Sequence[Doc], fields: Sequence[str]) -> list[Doc]:
    """Return the Documents in which all of these fields are set."""
    return [doc for doc in docs if all(_has(doc, field) for field in fields)]


def _has(doc: Doc, field: str) -> bool:
    if field in DEFAULTS:
        return decoded(field, getattr(doc._record, field)) is not None
    return doc._attribute(field) is not None


# --- texts --------------------------------------------------------------------------------------


def set_texts(array: ArrayLike, values: Sequence[str | None] | None) -> None:
    """Set the text of each Document; None unsets it.

    Raises:
        TypeError: something other than a list of texts.
        DocumentError: more or fewer texts than there are Documents.
    """
    if values is None:
        values = [None] * len(array)
    elif isinstance(values, str):
        raise TypeError("`texts` is a text, expected a list of them")
    texts = list(_one_each("texts", values, len(array)))
    kinds = set(map(type, texts))
    if kinds != {str}:
        texts = list(map(_as_text, texts))
    columns = array._columns
    if columns is not None and NoneType not in kinds:
        _put_texts(columns, texts)
        return
    for doc, text in zip(array._docs, texts, strict=True):
        doc.text = text


def _put_texts(columns: Columns, texts: list[str]) -> None:
    columns.put("text", texts)
    columns.put("mime_type", Constant("text/plain"))
    columns.put("blob", None)
    columns.put("buffer", None)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    raise TypeError(f"`texts` holds {kind_of(value)}, expected text")


# --- tensors ------------------------------------------------------------------------------------


def get_matrix(array: ArrayLike, field: str) -> Any:
    """Return the tensors as one array, shape (documents, …); sparse ones as one csr matrix.

    Raises:
        DocumentError: a Document has none, or their shapes differ; the ids are named.
    """
    columns = array._columns
    if columns is not None:
        column = columns.tensor(field)
        if isinstance(column, DenseColumn):
            return column.matrix
    tensors = get_values(array, field)
    _check_shapes(field, tensors, get_values(array, "id"))
    if any(map(is_sparse, tensors)):
        import scipy.sparse  # late: optional, and loaded already where there is such a tensor

        return scipy.sparse.vstack(tensors).tocsr()
    return _stacked(tensors)


def _check_shapes(field: str, tensors: list[Any], ids: list[str]) -> None:
    missing = [name for name, value in zip(ids, tensors, strict=True) if value is None]
    if missing:
        raise DocumentError(f"no `{field}` in {listed(missing)}")
    if not tensors:
        raise EmptyArray(f"no Documents, no `{field}`s")
    shapes = [value.shape for value in tensors]
    if len(set(shapes)) > 1:
        usual = max(set(shapes), key=shapes.count)
        odd = [name for name, shape in zip(ids, shapes, strict=True) if shape != usual]
        raise DocumentError(f"`{field}` is not of shape {usual} in {listed(odd)}")


def _stacked(tensors: list[Any]) -> Any:
    import numpy as np  # late: a process that sees only text never loads it

    # Faster than numpy's stack, which makes a view of each row first.
    if tensors[0].ndim == 0:
        return np.stack(tensors)
    return np.concatenate(tensors).reshape(len(tensors), *tensors[0].shape)


def set_blobs(array: ArrayLike, values: Any) -> None:
    """Set the blob of each Document, which takes the place of its text and buffer."""
    set_tensors(array, "blob", values)
    columns = array._columns
    if columns is not None and values is not None:
        columns.put("text", None)
        columns.put("buffer", None)


def set_tensors(array: ArrayLike, field: str, values: Any) -> None:
    """Set the blob or the embedding of each Document.

    Args:
        array: holds the Documents.
        field: "blob" or "embedding".
        values: an array or a sparse matrix with a row for each Document, or a list of tensors and
            None; None alone unsets all.

    Raises:
        DocumentError: more or fewer rows than there are Documents, or something that is not a
            tensor. No Document is changed then.
    """
    columns = array._columns
    if columns is not None and columns.has_matrix(field, values):
        return  # as after `docs.embeddings *= 2`
    tensors = _tensor_each(f"{field}s", values, len(array))
    if columns is not None and _is_dense(values):
        columns.put(field, DenseColumn.of(tensors))
        return
    for doc, value in zip(array._docs, tensors, strict=True):
        setattr(doc, field, value)


def _tensor_each(name: str, values: Any, count: int) -> Any:
    """Return one tensor or None for each Document."""
    if values is None:
        return [None] * count
    if is_sparse(values):
        _one_each(name, range(values.shape[0]), count)
        rows = values.tocsr()
        return [rows[i : i + 1].asformat(values.format) for i in range(count)]
    if _is_dense(values):
        values = as_tensor(values)
        if not values.ndim:
            raise DocumentError(f"one number for {count} Documents")
        return _one_each(name, values, count)
    tensors = _one_each(name, values, count)
    return [None if value is None else as_tensor(value) for value in tensors]


def _is_dense(values: Any) -> bool:
    return hasattr(values, "dtype") and not is_sparse(values)


def _one_each(name: str, values: Any, count: int) -> Any:
    values = values if hasattr(values, "__len__") else list(values)
    if len(values) != count:
        raise DocumentError(f"{len(values)} {name} for {count} Documents")
    return values


def listed(ids: list[str]) -> str:
    """Return the first of these ids, and how many more there are."""
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return ", ".join(map(repr, ids[:5])) + more
