"""Where Jina 2 kept the methods that walk along paths; published Executors derive from the class.

An evaluator, for one, walks over pairs of Documents. A pair is not a Document; it only has `chunks`
and `matches`, as Documents do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Self

from jina.types.arrays.traversal import Paths, parse_paths, walk

__all__ = ["TraversableSequence"]


class TraversableSequence:
    """Walking along paths, for anything that can be iterated over.

    A subclass can be made from a list of its elements, and has `__iter__`. Its elements have
    `chunks` and `matches`, which are sequences of the same kind. DocumentArrays do not derive from
    this class: they have these methods themselves.
    """

    def traverse(
        self, traversal_paths: Paths, filter_fn: Callable[[Any], bool] | None = None
    ) -> Iterator[Any]:
        """Yield what is at the end of each path; see `DocumentArray.traverse`."""
        for end in walk(self, traversal_paths):
            yield end if filter_fn is None else self._made(filter(filter_fn, end))

    def traverse_flat_per_path(
        self, traversal_paths: Paths, filter_fn: Callable[[Any], bool] | None = None
    ) -> Iterator[Self]:
        """Yield one sequence per path, with all elements at its end."""
        for path in parse_paths(traversal_paths):
            yield self.traverse_flat([path], filter_fn)

    def traverse_flat(
        self, traversal_paths: Paths, filter_fn: Callable[[Any], bool] | None = None
    ) -> Self:
        """Return one sequence with the elements at the end of all paths, in order."""
        return self._made(chain.from_iterable(self.traverse(traversal_paths, filter_fn)))

    def _made(self, elements: Any) -> Self:
        make: Any = type(self)
        made: Self = make(list(elements))
        return made

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no `__iter__`")
