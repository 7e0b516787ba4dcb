"""Walking into chunks and matches along paths such as `r`, `c` and `cm`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from jina.excepts import DocumentError

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

Paths = str | Iterable[str]


class Traversal:
    """Paths are letters: r stays here, c goes to the chunks, m to the matches; "" is here.

    Several paths are a list, or one text with commas.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def _docs(self) -> list[Document]: ...

    def traverse(
        self, traversal_paths: Paths, filter_fn: Callable[[Document], bool] | None = None
    ) -> Iterator[DocumentArray]:
        """Yield the array at the end of each path, one for each Document that the path passes.

        Args:
            traversal_paths: such as `["r", "cm"]` or `"r,cm"`.
            filter_fn: keeps those Documents for which it is true.

        Raises:
            ValueError: a letter that is none of r, c and m.
        """
        for path in paths(traversal_paths):
            for array in walk(self, path):
                yield array if filter_fn is None else _array(filter(filter_fn, array))

    def traverse_flat_per_path(
        self, traversal_paths: Paths, filter_fn: Callable[[Document], bool] | None = None
    ) -> Iterator[DocumentArray]:
        """Yield one array per path, with all Documents at its end; see `traverse`."""
        for path in paths(traversal_paths):
            yield _flat([path], self, filter_fn)

    def traverse_flat(
        self, traversal_paths: Paths, filter_fn: Callable[[Document], bool] | None = None
    ) -> DocumentArray:
        """Return one array with the Documents at the end of all paths, in order; see `traverse`."""
        return _flat(paths(traversal_paths), self, filter_fn)


def paths(traversal_paths: Paths) -> list[str]:
    """Return the paths as a list.

    Raises:
        DocumentError: a letter that is none of r, c and m, or no text.
    """
    texts = traversal_paths.split(",") if isinstance(traversal_paths, str) else traversal_paths
    if not hasattr(texts, "__iter__"):
        raise DocumentError(f"traversal paths are texts such as 'r' and 'cm', not {texts!r}")
    found = []
    for text in texts:
        if not isinstance(text, str):
            raise DocumentError(f"a traversal path is a text such as 'r' or 'cm', not {text!r}")
        found.append(text.strip())
    for path in found:
        for letter in path:
            if letter not in "rcm":
                raise DocumentError(
                    f"the traversal path {path!r} has the letter {letter!r}",
                    hint="r stays here, c goes to the chunks, m to the matches",
                )
    return found


def walk(docs: Any, path: str) -> Iterator[Any]:
    """Yield what is at the end of a path, once for each element that the path passes."""
    if not path:
        yield docs
        return
    letter, rest = path[0], path[1:]
    if letter == "r":
        yield from walk(docs, rest)
        return
    for doc in docs:
        yield from walk(doc.chunks if letter == "c" else doc.matches, rest)


def _flat(
    found: list[str], docs: Any, filter_fn: Callable[[Document], bool] | None
) -> DocumentArray:
    flat: list[Document] = []
    for path in found:
        flat += _leaves(docs._docs, path.replace("r", ""))
    return _array(flat if filter_fn is None else filter(filter_fn, flat))


def _leaves(docs: list[Document], path: str) -> list[Document]:
    """Return the Documents at the end of a path; Documents without children are left untouched."""
    for letter in path:
        field = "chunks" if letter == "c" else "matches"
        docs = [
            child
            for doc in docs
            if getattr(doc._record, field) is not None
            for child in getattr(doc, field)
        ]
    return docs


def _array(docs: Iterable[Document]) -> DocumentArray:
    # Late: the DocumentArray is made of this class.
    from jina.types.arrays.document import DocumentArray

    return DocumentArray._of_rows(list(docs))
