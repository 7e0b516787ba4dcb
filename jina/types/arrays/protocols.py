"""What the functions of this folder need from Documents and arrays.

They import neither class, not even for the type checker: Document imports the arrays of its
children, and those import these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from jina.records.batch import Columns
from jina.records.record import Record


class DocumentLike(Protocol):
    """The members of a Document that are used here."""

    _record: Record

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def tags(self) -> dict[str, Any]: ...  # noqa: D102

    def _attribute(self, path: str) -> Any: ...


class ArrayLike(Protocol):
    """An array: Documents, or columns that nobody has decoded yet."""

    @property
    def _columns(self) -> Columns | None: ...
    @property
    def _docs(self) -> Sequence[Any]: ...
    @property
    def embeddings(self) -> Any: ...  # noqa: D102

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice, /) -> ArrayLike: ...


Doc = TypeVar("Doc", bound=DocumentLike)
