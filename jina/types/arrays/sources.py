"""Arrays out of files and arrays: the generators of Documents, collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jina.types.arrays.storage import Storage

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray


class Sources(Storage):
    """Class methods; their arguments are those of `jina.types.document.generators`."""

    __slots__ = ()

    @classmethod
    def from_ndarray(cls, *args: Any, **kwargs: Any) -> DocumentArray:
        """Return a Document for each row of an array."""
        return cls._collected("from_ndarray", args, kwargs)

    @classmethod
    def from_files(cls, *args: Any, **kwargs: Any) -> DocumentArray:
        """Return a Document for each file that fits a pattern."""
        return cls._collected("from_files", args, kwargs)

    @classmethod
    def from_csv(cls, *args: Any, **kwargs: Any) -> DocumentArray:
        """Return a Document for each row of a table."""
        return cls._collected("from_csv", args, kwargs)

    @classmethod
    def from_ndjson(cls, *args: Any, **kwargs: Any) -> DocumentArray:
        """Return a Document for each JSON line."""
        return cls._collected("from_ndjson", args, kwargs)

    @classmethod
    def from_lines(cls, *args: Any, **kwargs: Any) -> DocumentArray:
        """Return Documents from lines or a file of lines."""
        return cls._collected("from_lines", args, kwargs)

    @classmethod
    def _collected(cls, name: str, args: Any, kwargs: Any) -> DocumentArray:
        # Late: the generators are made of the JSON codec, which is made of arrays.
        from jina.types.arrays.document import DocumentArray
        from jina.types.document import generators

        return DocumentArray(getattr(generators, name)(*args, **kwargs))
