"""Nearest neighbours: `docs.match(index)` fills the matches of each Document.

How distances are measured stands in `jina.types.arrays.distances`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

from jina.excepts import BadDocType, DocumentError, MissingExtra
from jina.records.mapping import kind_of
from jina.records.record import Live
from jina.records.score import NamedScore, Scores
from jina.types.arrays.column_access import Attributes
from jina.types.arrays.distances import METRICS, Index, Metric, nearest
from jina.types.arrays.traversal import Paths
from jina.types.document import Document

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray

_BLOCK_VALUES = 1 << 25  # distances held at once: 128 MiB of float32


class Match(Attributes):
    """Search by embeddings."""

    __slots__ = ()

    def match(
        self,
        darray: DocumentArray,
        metric: Metric = "cosine",
        limit: int | None = 20,
        normalization: tuple[float, float] | None = None,
        metric_name: str | None = None,
        batch_size: int | None = None,
        use_scipy: bool = False,
        exclude_self: bool = False,
        only_id: bool = False,
        traversal_ldarray: Paths | None = None,
        traversal_rdarray: Paths | None = None,
        filter_fn: Callable[[Document], bool] | None = None,
        is_sparse: bool = False,
        device: str = "cpu",
    ) -> None:
        """Set the matches of each Document to its nearest neighbours in `darray`.

        The matches are copies: `darray` and its Documents are not changed. A match that is one of
        the queries itself, by its id, has no matches of its own: they would hold each other
        without end.

        Args:
            darray: where to search; its embeddings have the width of those here.
            metric: "cosine", "euclidean" or "sqeuclidean", or a function of two matrices, (n, d)
                and (m, d), that returns the distances (n, m). All are distances: the smallest
                is the nearest. With `use_scipy`, also any other that scipy's `cdist` knows.
            limit: how many matches at most; None for all.
            normalization: (a, b) maps each query's smallest distance to a and its largest to b.
            metric_name: the score's name; the metric's by default.
            batch_size: so many Documents of `darray` are compared at once; all by default.
            use_scipy: take scipy for a metric that is none of the three; these need none.
            exclude_self: leave out Documents with the query's own id; the next ones fill up.
            only_id: matches with an id and a score, and nothing else.
            traversal_ldarray: the Documents at the end of these paths get matches, not those here.
            traversal_rdarray: the Documents at the end of these paths are searched.
            filter_fn: of these, only those for which it is true.
            is_sparse: no effect; sparse embeddings are seen as such.
            device: no effect; distances are computed on the processor.

        Raises:
            DocumentError: an embedding is missing, of another width, or complex, which only a
                function can compare.
            TypeError: a metric that is neither text nor function, an index that is no array.
            ValueError: a metric of an unknown name, or a limit or batch size below 1.
            MissingExtra: `use_scipy`, and scipy is not installed.
        """
        if not isinstance(darray, Match):
            raise BadDocType(
                f"{kind_of(darray)} where a DocumentArray is expected", hint="DocumentArray([...])"
            )
        if traversal_rdarray or filter_fn:
            darray = darray.traverse_flat(traversal_rdarray or "r", filter_fn)
        if traversal_ldarray:
            self.traverse_flat(traversal_ldarray).match(
                *(darray, metric, limit, normalization, metric_name, batch_size),
                *(use_scipy, exclude_self, only_id),
            )
            return
        measure = _measure(metric, use_scipy)
        if metric_name is not None and not isinstance(metric_name, str):
            raise TypeError(f"`metric_name` is {kind_of(metric_name)}, expected text")
        name = metric_name or (metric if isinstance(metric, str) else _name_of(metric))
        limit = _at_least_one("a limit", limit)
        batch_size = _at_least_one("a batch size", batch_size)
        bounds = None if normalization is None else _bounds(normalization)
        count = len(darray)
        if not len(self) or not count:
            for doc in self._docs:
                doc.matches = []
            return
        ids = self.get_attributes("id")
        wanted = count
        if limit is not None:
            wanted = min(count, limit + (_most_frequent(ids, darray) if exclude_self else 0))
        block = max(1, _BLOCK_VALUES // max(1, batch_size or count))
        queries = self.embeddings
        parts = Index(darray, batch_size)
        fill = _Filling(darray, name, limit, exclude_self, only_id, frozenset(ids))
        for start in range(0, len(self), block):
            rows = queries[start : start + block]
            best = nearest(rows, parts, measure, wanted, bounds)
            for doc, distances, positions in zip(
                self._docs[start : start + block], *best, strict=True
            ):
                fill.matches_of(doc, distances, positions)


class _Filling(NamedTuple):
    """What matches are made of, the same for all queries."""

    searched: DocumentArray
    name: str
    limit: int | None
    exclude_self: bool
    only_id: bool
    queries: frozenset[str]

    def matches_of(self, doc: Any, distances: list[float], positions: list[int]) -> None:
        """Set the matches of a query."""
        doc.matches = []
        matches = doc.matches
        for distance, position in zip(distances, positions, strict=True):
            found = self.searched._docs[position]
            if self.exclude_self and found.id == doc.id:
                continue
            if len(matches) == self.limit:
                break
            match = matches.append(Document(id=found.id) if self.only_id else found)
            self._rate(match._record, distance)

    def _rate(self, match: Any, distance: float) -> None:
        if match.matches is not None and match.id in self.queries:
            match.matches = None
        scores = match.scores
        held = Scores(scores or ())
        held[self.name] = NamedScore(distance)
        match.scores = Live(held)


def _most_frequent(ids: list[str], darray: DocumentArray) -> int:
    """Return how often the id of a query stands in the index at most."""
    counts = Counter(darray.get_attributes("id"))
    return max(counts[name] for name in ids)


def _at_least_one(what: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the parameters of Jina 2 have no whole numbers
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or index(value) < 1:
        raise DocumentError(f"{what} of {value!r}; a whole number, at least 1, or None for all")
    return index(value)


def _bounds(normalization: Any) -> tuple[float, float]:
    try:
        a, b = map(float, normalization)
    except (TypeError, ValueError):
        raise DocumentError(
            f"a normalization of {normalization!r}; two numbers, such as (0, 1)"
        ) from None
    return a, b


def _name_of(metric: Any) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))


def _measure(metric: Any, use_scipy: bool) -> Callable[[Any, Any], Any] | str:
    if callable(metric):
        own: Callable[[Any, Any], Any] = metric
        return own
    if not isinstance(metric, str):
        raise TypeError(f"a metric is a name or a function, not {type(metric).__name__}")
    if metric not in METRICS and use_scipy:
        return _by_scipy(metric)
    if metric not in METRICS:
        raise DocumentError(
            f"no metric is named {metric!r}",
            hint=f"known: {', '.join(METRICS)}; or give a function of two matrices, such as "
            "`lambda a, b: scipy.spatial.distance.cdist(a, b, 'hamming')`",
        )
    return metric


def _by_scipy(metric: str) -> Callable[[Any, Any], Any]:
    try:
        from scipy.spatial.distance import cdist  # late: optional
    except ImportError as err:
        raise MissingExtra(
            f"the metric {metric!r} needs scipy", hint="pip install 'jinacli[sparse]'"
        ) from err

    def measure(queries: Any, index: Any) -> Any:
        try:
            return cdist(queries, index, metric)
        except ValueError as err:
            raise DocumentError(f"scipy cannot measure by {metric!r}: {err}") from err

    return measure
