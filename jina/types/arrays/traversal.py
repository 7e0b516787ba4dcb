"""Walk into chunks and matches along paths such as `r`, `c` and `cm`.

A path is made of letters: r stays here, c goes to the chunks, m to the matches; "" stays here too.
Several paths are a list, or one text with commas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from jina.excepts import DocumentError
from jina.types.arrays.protocols import Doc

Paths = str | Iterable[str]

_FIELD_OF = {"c": "chunks", "m": "matches"}


def parse_paths(traversal_paths: Paths) -> list[str]:
    """Return the paths as a list.

    Raises:
        DocumentError: a letter other than r, c and m, or something that is not text.
    """
    texts = traversal_paths.split(",") if isinstance(traversal_paths, str) else traversal_paths
    if not hasattr(texts, "__iter__"):
        raise DocumentError(f"traversal paths are texts such as 'r' and 'cm', not {texts!r}")
    paths = []
    for text in texts:
        if not isinstance(text, str):
            raise DocumentError(f"a traversal path is a text such as 'r' or 'cm', not {text!r}")
        paths.append(text.strip())
    for path in paths:
        _check_letters(path)
    return paths


def _check_letters(path: str) -> None:
    for letter in path:
        if letter not in "rcm":
            raise DocumentError(
                f"the traversal path {path!r} has the letter {letter!r}",
                hint="r stays here, c goes to the chunks, m to the matches",
            )


def walk(docs: Any, traversal_paths: Paths) -> Iterator[Any]:
    """Yield the sequence at the end of each path, once for each element that the path passes."""
    for path in parse_paths(traversal_paths):
        yield from _walk(docs, path.replace("r", ""))


def _walk(docs: Any, path: str) -> Iterator[Any]:
    if not path:
        yield docs
        return
    for doc in docs:
        yield from _walk(getattr(doc, _FIELD_OF[path[0]]), path[1:])


def flatten(
    docs: Sequence[Doc],
    traversal_paths: Paths,
    filter_fn: Callable[[Doc], bool] | None = None,
) -> list[Doc]:
    """Return the Documents at the end of all paths, in order, where `filter_fn` is true."""
    flat: list[Doc] = []
    for path in parse_paths(traversal_paths):
        flat += _ends(docs, path.replace("r", ""))
    return flat if filter_fn is None else list(filter(filter_fn, flat))


def _ends(docs: Sequence[Doc], path: str) -> Sequence[Doc]:
    """Return the Documents at the end of a path; Documents without children are left untouched."""
    for letter in path:
        field = _FIELD_OF[letter]
        docs = [
            child
            for doc in docs
            if getattr(doc._record, field) is not None
            for child in getattr(doc, field)
        ]
    return docs
