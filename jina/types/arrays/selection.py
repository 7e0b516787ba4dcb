"""Pick Documents out of an array: by tags, at random, in groups, in batches, or the first."""

from __future__ import annotations

import operator as operators
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nlargest, nsmallest
from typing import Any, SupportsIndex

from jina.excepts import DocumentError
from jina.records.mapping import kind_of
from jina.types.arrays.protocols import Doc, DocumentLike
from jina.types.document.editing import MISSING, reached

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    "==": operators.eq,
    "!=": operators.ne,
    ">=": operators.ge,
    ">": operators.gt,
}


def by_tags(
    regexes: Mapping[str, str | re.Pattern[str]], operator: str, threshold: int | None
) -> Callable[[DocumentLike], bool]:
    """Return a filter for Documents with enough fitting tags; see `DocumentArray.find`.

    Raises:
        DocumentError: another operator, or something that is not a regular expression.
    """
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise DocumentError(f"unknown operator {operator!r}", hint=f"known: {' '.join(_OPERATORS)}")
    patterns = _compiled(regexes)
    needed = len(patterns) if threshold is None else threshold
    return lambda doc: compare(_fitting(doc, patterns), needed)


def _compiled(regexes: Any) -> dict[str, re.Pattern[str]]:
    try:
        return {tag: re.compile(regex) for tag, regex in regexes.items()}
    except re.error as err:
        raise DocumentError(f"{err.pattern!r} is not a regular expression: {err}") from err
    except (TypeError, AttributeError):
        raise DocumentError(
            f"{regexes!r} is not a dict from tags to regular expressions",
            hint="{'tag': '^expression$'}",
        ) from None


def _fitting(doc: DocumentLike, patterns: dict[str, re.Pattern[str]]) -> int:
    """Return how many of the patterns fit the Document's tags."""
    tags = doc.tags
    try:
        fitting = [tag for tag in patterns if tag in tags and patterns[tag].match(str(tags[tag]))]
    except RecursionError as err:
        raise DocumentError(f"`tags` of Document {doc.id!r} is nested too deeply") from err
    return len(fitting)


def sample(docs: Sequence[Doc], count: int, seed: int | None) -> list[Doc]:
    """Return `count` different Documents, at random.

    Raises:
        DocumentError: there are fewer.
    """
    if not 0 <= count <= len(docs):
        raise DocumentError(f"cannot sample {count} of {len(docs)} Documents")
    return random.Random(seed).sample(docs, count)


def split(docs: Sequence[Doc], tag: str) -> dict[Any, list[Doc]]:
    """Group Documents by the value of a tag; see `DocumentArray.split`."""
    groups: dict[Any, list[Doc]] = {}
    for doc in docs:
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
    return groups


def check_batch_size(batch_size: Any) -> None:
    """Refuse anything but a whole number of at least 1.

    Raises:
        DocumentError: it is something else.
    """
    if not isinstance(batch_size, SupportsIndex) or operators.index(batch_size) < 1:
        raise DocumentError(f"a batch of {batch_size!r} Documents; a whole number, at least 1")


def batches(docs: Any, batch_size: int) -> Iterator[Any]:
    """Yield slices of an array, one after the other; the last one may be shorter."""
    for start in range(0, len(docs), batch_size):
        yield docs[start : start + batch_size]


def first(keys: list[Any], count: int, reverse: bool) -> list[int]:
    """Return all positions: first those of the `count` smallest keys, sorted, then the rest.

    Args:
        keys: what is compared; equal ones keep their order.
        count: how many to sort.
        reverse: sort the greatest keys instead.
    """
    pick = nlargest if reverse else nsmallest
    front = pick(int(count), range(len(keys)), key=keys.__getitem__)
    taken = set(front)
    return front + [position for position in range(len(keys)) if position not in taken]
