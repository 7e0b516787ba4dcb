"""Nearest neighbours: set the matches of Documents by comparing embeddings.

`jina.types.arrays.distances` measures the distances; it needs numpy and is loaded with the first
match.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import index
from typing import Any, Literal, NamedTuple, SupportsIndex

from jina.excepts import DocumentError, MissingExtra
from jina.records.mapping import kind_of
from jina.records.record import Live, Record
from jina.records.score import NamedScore, Scores
from jina.types.arrays.column_access import get_values
from jina.types.arrays.protocols import ArrayLike

Metric = Literal["cosine", "euclidean", "sqeuclidean"] | Callable[[Any, Any], Any]
Measure = Callable[[Any, Any], Any] | str

METRICS = ("cosine", "euclidean", "sqeuclidean")
_DISTANCES_AT_ONCE = 1 << 25  # 128 MiB of float32


class Options(NamedTuple):
    """How to compare, and what to store: the arguments of `DocumentArray.match`, checked."""

    measure: Measure
    name: str  # of the score
    limit: int | None
    batch_size: int | None
    normalization: tuple[float, float] | None
    exclude_self: bool
    only_id: bool


def checked_options(
    metric: Any,
    limit: Any,
    normalization: Any,
    metric_name: Any,
    batch_size: Any,
    use_scipy: bool,
    exclude_self: bool,
    only_id: bool,
) -> Options:
    """Check the arguments of `DocumentArray.match`, and return them."""
    measure = _measure(metric, use_scipy)
    if metric_name is not None and not isinstance(metric_name, str):
        raise TypeError(f"`metric_name` is {kind_of(metric_name)}, expected text")
    return Options(
        measure,
        metric_name or (metric if isinstance(metric, str) else _name_of(metric)),
        _at_least_one("a limit", limit),
        _at_least_one("a batch size", batch_size),
        None if normalization is None else _bounds(normalization),
        exclude_self,
        only_id,
    )


def match(queries: ArrayLike, searched: ArrayLike, options: Options) -> None:
    """Set the matches of each query to its nearest neighbours among the searched Documents."""
    if not len(queries) or not len(searched):
        for doc in queries._docs:
            doc.matches = []
        return
    ids = get_values(queries, "id")
    writer = _MatchWriter(searched, options, frozenset(ids))
    for doc, nearest in _search(queries, searched, _wanted(ids, searched, options), options):
        writer.write(doc, nearest)


def _search(
    queries: ArrayLike, searched: ArrayLike, wanted: int, options: Options
) -> Iterator[tuple[Any, Iterable[tuple[float, int]]]]:
    """Yield each query with the distances and positions of its nearest neighbours."""
    # Late: it needs numpy, which a process that sees only text never loads.
    from jina.types.arrays.distances import Index, nearest

    embeddings = queries.embeddings  # not read from the Documents: a subclass may compute them
    index = Index(searched, options.batch_size)
    rows = max(1, _DISTANCES_AT_ONCE // max(1, options.batch_size or len(searched)))
    for start in range(0, len(queries), rows):
        part = slice(start, start + rows)
        neighbours = nearest(
            embeddings[part], index, options.measure, wanted, options.normalization
        )
        for doc, *distances_and_positions in zip(queries._docs[part], *neighbours, strict=True):
            yield doc, zip(*distances_and_positions, strict=True)


def _wanted(ids: list[str], searched: ArrayLike, options: Options) -> int:
    """Return how many neighbours to look for, counting those that are left out afterwards."""
    if options.limit is None:
        return len(searched)
    left_out = _most_frequent(ids, searched) if options.exclude_self else 0
    return min(len(searched), options.limit + left_out)


def _most_frequent(ids: list[str], searched: ArrayLike) -> int:
    """Return how often the most frequent id of a query occurs among the searched Documents."""
    counts = Counter(get_values(searched, "id"))
    return max(counts[name] for name in ids)


class _MatchWriter(NamedTuple):
    """Writes the matches of queries; what it holds is the same for all of them."""

    searched: ArrayLike
    options: Options
    query_ids: frozenset[str]

    def write(self, doc: Any, nearest: Iterable[tuple[float, int]]) -> None:
        """Set the matches of a query, given distances and positions."""
        doc.matches = []
        matches, docs, options = doc.matches, self.searched._docs, self.options
        for distance, position in nearest:
            neighbour = docs[position]
            if options.exclude_self and neighbour.id == doc.id:
                continue
            if len(matches) == options.limit:
                break
            if options.only_id:
                match = matches._add(Record(neighbour.id))
            else:
                match = matches.append(neighbour)._record
            self._score(match, NamedScore(distance))

    def _score(self, match: Any, score: NamedScore) -> None:
        # A match that is itself a query would hold matches that hold it, without end.
        if match.matches is not None and match.id in self.query_ids:
            match.matches = None
        scores = Scores(match.scores or ())
        scores[self.options.name] = score
        match.scores = Live(scores)


def _at_least_one(what: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # in Jina 2, a number among the parameters is always a float
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or index(value) < 1:
        raise DocumentError(
            f"{what} of {value!r}; use a whole number of at least 1, or None for all"
        )
    return index(value)


def _bounds(normalization: Any) -> tuple[float, float]:
    try:
        a, b = map(float, normalization)
    except (TypeError, ValueError):
        raise DocumentError(
            f"a normalization of {normalization!r}; use two numbers, such as (0, 1)"
        ) from None
    return a, b


def _name_of(metric: Any) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))


def _measure(metric: Any, use_scipy: bool) -> Measure:
    if callable(metric):
        own: Callable[[Any, Any], Any] = metric
        return own
    if not isinstance(metric, str):
        raise TypeError(f"a metric is a name or a function, not {type(metric).__name__}")
    if metric not in METRICS and use_scipy:
        return _by_scipy(metric)
    if metric not in METRICS:
        raise DocumentError(
            f"there is no metric {metric!r}",
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
            raise DocumentError(f"scipy cannot compute the metric {metric!r}: {err}") from err

    return measure
