"""Make one list of the matches that several shards found for each Document, the best first."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from jina import Document, DocumentArray, Executor, requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIRECTIONS = ("ascending", "descending")
_SOURCES = ("docs_matrix", "matches")


class MatchMerger(Executor):
    """Sorts matches by a score and keeps the best, behind the shards of an indexer.

    Args:
        score: name of the score; matches without it come last.
        direction: "ascending" puts the smallest first, as for distances; "descending" the largest.
        top_k: most matches of a Document; the parameter `top_k` of a request overrides it.
        on: "docs_matrix" puts together what the shards answered, for `uses_after`; "matches" takes
            the matches that each Document has already.
        distinct: of matches with the same text, keep only the best.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: an unknown direction or source, no score, or a top_k below 1.
    """

    def __init__(
        self,
        *,
        score: str = "cosine",
        direction: str = "ascending",
        top_k: int = 10,
        on: str = "docs_matrix",
        distinct: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not score:
            raise ValueError("score: name the score to sort by")
        if direction not in _DIRECTIONS:
            raise ValueError(f"direction: {direction!r} is none of {', '.join(_DIRECTIONS)}")
        if on not in _SOURCES:
            raise ValueError(f"on: {on!r} is none of {', '.join(_SOURCES)}")
        self.score = score
        self.direction = direction
        self.top_k = _top_k(top_k)
        self.on = on
        self.distinct = distinct

    @requests(on="/search")
    def merge(
        self,
        docs: DocumentArray | None,
        parameters: Mapping[str, Any],
        docs_matrix: Sequence[DocumentArray] | None = None,
        **kwargs: Any,
    ) -> DocumentArray | None:
        """Answer with each Document once, its matches sorted and cut.

        Raises:
            ValueError: a bad top_k.
        """
        top_k = _top_k(parameters.get("top_k", self.top_k))
        found = docs
        if self.on == "docs_matrix" and docs_matrix is not None:
            found = DocumentArray(_together(docs_matrix))
        for doc in found or ():
            doc.matches = self._best(doc.matches, top_k)
        return found

    def _best(self, matches: DocumentArray, top_k: int) -> list[Document]:
        best: list[Document] = []
        texts: set[str] = set()
        for match in sorted(matches, key=self._rank):
            text = " ".join(match.text.split()) if self.distinct else ""
            if text and text in texts:
                continue
            texts.add(text)
            best.append(match)
            if len(best) == top_k:
                break
        return best

    def _rank(self, match: Document) -> float:
        """Smaller is better; of equals, the match of an earlier shard stays in front."""
        if self.score not in match.scores:
            return float("inf")
        value = match.scores[self.score].value
        if isnan(value):
            return float("inf")
        return value if self.direction == "ascending" else -value


def _together(docs_matrix: Sequence[DocumentArray]) -> list[Document]:
    """Each Document once, as the first shard gave it, with the matches of all shards.

    An id that stands several times in a request is several Documents.
    """
    whole: dict[tuple[str, int], Document] = {}
    for docs in docs_matrix:
        seen: dict[str, int] = {}
        for doc in docs:
            nth = seen[doc.id] = seen.get(doc.id, -1) + 1
            first = whole.setdefault((doc.id, nth), doc)
            if first is not doc:
                ids = {match.id for match in first.matches}
                first.matches.extend(match for match in doc.matches if match.id not in ids)
    return list(whole.values())


def _top_k(value: Any) -> int:
    if isinstance(value, str | float | int) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if number.is_integer() and number >= 1:
            return int(number)
    raise ValueError(f"top_k: {value!r} is no whole number from 1")
