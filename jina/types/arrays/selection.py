"""Picking Documents out of an array: by tags, at random, in batches, in groups, the first ones."""

from __future__ import annotations

import operator as operators
import random
import re
from collections.abc import Callable, Iterator, Mapping
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Any, SupportsIndex

from jina.excepts import DocumentError
from jina.records.mapping import kind_of
from jina.types.arrays.matching import Match
from jina.types.arrays.traversal import Paths
from jina.types.document.editing import MISSING, reached

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    "==": operators.eq,
    "!=": operators.ne,
    ">=": operators.ge,
    ">": operators.gt,
}


class Selection(Match):
    """New arrays from this one; all share its Documents."""

    __slots__ = ()

    def find(
        self,
        regexes: Mapping[str, str | re.Pattern[str]],
        traversal_paths: Paths = ("r",),
        operator: str = ">=",
        threshold: int | None = None,
    ) -> DocumentArray:
        """Return the Documents whose tags fit regular expressions.

        Args:
            regexes: an expression for each tag; it is matched from the start of the tag's value.
            traversal_paths: where to look.
            operator: how the number of fitting tags compares with `threshold`: one of
                `<`, `<=`, `==`, `!=`, `>=`, `>`.
            threshold: as many tags; all of `regexes` by default.

        Raises:
            ValueError: another operator, or an expression that is none.
        """
        compare = _OPERATORS.get(operator)
        if compare is None:
            raise DocumentError(
                f"no operator is {operator!r}", hint=f"known: {' '.join(_OPERATORS)}"
            )
        try:
            patterns = {tag: re.compile(regex) for tag, regex in regexes.items()}
        except re.error as err:
            raise DocumentError(f"{err.pattern!r} is no regular expression: {err}") from err
        except (TypeError, AttributeError):
            raise DocumentError(
                f"{regexes!r} are no regular expressions by tag", hint="{'tag': '^expression$'}"
            ) from None
        needed = len(patterns) if threshold is None else threshold
        found = []
        for doc in self.traverse_flat(traversal_paths):
            tags = doc.tags
            try:
                fitting = sum(
                    tag in tags and pattern.match(str(tags[tag])) is not None
                    for tag, pattern in patterns.items()
                )
            except RecursionError as err:
                raise DocumentError(f"`tags` of Document {doc.id!r} is nested too deeply") from err
            if compare(fitting, needed):
                found.append(doc)
        return self._new(found)

    def sample(self, k: int, seed: int | None = None) -> DocumentArray:
        """Return `k` different Documents, at random.

        Raises:
            ValueError: fewer than `k` are there.
        """
        if not 0 <= k <= len(self):
            raise DocumentError(f"a sample of {k} out of {len(self)} Documents")
        return self._new(random.Random(seed).sample(self._docs, k))

    def shuffle(self, seed: int | None = None) -> DocumentArray:
        """Return all Documents in another order."""
        return self.sample(len(self), seed)

    def split(self, tag: str) -> dict[Any, DocumentArray]:
        """Return an array for each value of a tag; Documents without the tag are in none.

        Args:
            tag: its key; `a__b` reaches into the map under `a`.

        Raises:
            ValueError: the tag is a list or a map in one of them.
        """
        groups: dict[Any, list[Any]] = {}
        for doc in self._docs:
            value = reached(doc.tags, tag.split("__"))
            if value is MISSING:
                continue
            try:
                groups.setdefault(value, []).append(doc)
            except TypeError:
                raise DocumentError(
                    f"the tag {tag!r} of Document {doc.id!r} is {kind_of(value)}; "
                    "Documents are split by texts and numbers"
                ) from None
        return {value: self._new(docs) for value, docs in groups.items()}

    def batch(
        self,
        batch_size: int,
        traversal_paths: Paths | None = None,
        require_attr: str | None = None,
        shuffle: bool = False,
    ) -> Iterator[DocumentArray]:
        """Yield arrays of `batch_size` Documents; the last one may be smaller.

        Args:
            batch_size: at least 1.
            traversal_paths: which Documents; these here by default.
            require_attr: leave out Documents where this field is not set.
            shuffle: in another order.

        Raises:
            ValueError: a batch size below 1.
        """
        if not isinstance(batch_size, SupportsIndex) or batch_size < 1:
            raise DocumentError(f"a batch of {batch_size!r} Documents; a whole number, at least 1")
        docs: Any = self if traversal_paths is None else self.traverse_flat(traversal_paths)
        if require_attr:
            docs = docs.get_attributes_with_docs(require_attr)[1]
        if shuffle:
            docs = docs.shuffle()
        for start in range(0, len(docs), batch_size):
            yield docs[start : start + batch_size]

    @staticmethod
    def _new(docs: list[Any]) -> DocumentArray:
        # Late: the DocumentArray is made of this class.
        from jina.types.arrays.document import DocumentArray

        return DocumentArray._of_rows(docs)


def first(keys: list[Any], count: int, reverse: bool) -> list[int]:
    """Return all positions: those of the `count` smallest keys, sorted, and then the others.

    Args:
        keys: what is compared; equal ones keep their order.
        count: how many are sorted.
        reverse: the greatest keys instead.
    """
    pick = nlargest if reverse else nsmallest
    front = pick(int(count), range(len(keys)), key=keys.__getitem__)
    taken = set(front)
    return front + [position for position in range(len(keys)) if position not in taken]
