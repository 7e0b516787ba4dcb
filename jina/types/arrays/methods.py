"""The public methods of arrays, whether their Documents are in memory or on disk.

Each method passes the Documents, or the array, to a function in a file beside this one, and wraps
what it returns. The methods of a list are not here, but in `document` and `memmap`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

from jina.excepts import BadDocType
from jina.records.batch import Columns
from jina.records.mapping import kind_of
from jina.records.record import Record
from jina.types.arrays import column_access, matching, overview, selection, storage, traversal
from jina.types.arrays.matching import Metric
from jina.types.arrays.positions import check_elements
from jina.types.arrays.protocols import Doc
from jina.types.arrays.storage import Format
from jina.types.arrays.traversal import Paths

if TYPE_CHECKING:
    import numpy as np

Array = TypeVar("Array")


class ArrayMethods(Generic[Doc, Array]):
    """The methods that a DocumentArray and a DocumentArrayMemmap share.

    A subclass names two classes, that of its Documents and that of the arrays that the methods
    return, and defines the members that come first here.
    """

    __slots__ = ()

    _columns: Columns | None  # undecoded; None where there are Documents

    @property
    def _docs(self) -> Sequence[Doc]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def _new(docs: list[Doc]) -> Array:
        """Return an array of these Documents."""
        raise NotImplementedError

    @staticmethod
    def _new_of(records: list[Record]) -> Array:
        """Return an array with a Document over each record."""
        raise NotImplementedError

    # --- paths ----------------------------------------------------------------------------------

    def traverse(
        self, traversal_paths: Paths, filter_fn: Callable[[Doc], bool] | None = None
    ) -> Iterator[Array]:
        """Yield the array at the end of each path, one for each Document that the path passes.

        Paths are letters: r stays here, c goes to the chunks, m to the matches; "" stays here too.

        Args:
            traversal_paths: such as `["r", "cm"]` or `"r,cm"`.
            filter_fn: keeps those Documents for which it is true.

        Raises:
            ValueError: a letter other than r, c and m.
        """
        for array in traversal.walk(self, traversal_paths):
            yield array if filter_fn is None else self._new(list(filter(filter_fn, array)))

    def traverse_flat_per_path(
        self, traversal_paths: Paths, filter_fn: Callable[[Doc], bool] | None = None
    ) -> Iterator[Array]:
        """Yield one array per path, with all Documents at its end; see `traverse`."""
        for path in traversal.parse_paths(traversal_paths):
            yield self._new(traversal.flatten(self._docs, [path], filter_fn))

    def traverse_flat(
        self, traversal_paths: Paths, filter_fn: Callable[[Doc], bool] | None = None
    ) -> Array:
        """Return one array with the Documents at the end of all paths, in order; see `traverse`."""
        return self._new(traversal.flatten(self._docs, traversal_paths, filter_fn))

    # --- columns --------------------------------------------------------------------------------

    def get_attributes(self, *fields: str) -> list[Any]:
        """Return fields of all Documents; `tags__a__b` reaches into tags.

        Returns:
            One list of values for one field, a list of such lists for several; None for what a
            Document does not have.
        """
        columns = [column_access.get_values(self, field) for field in fields]
        return columns[0] if len(columns) == 1 else columns

    def get_attributes_with_docs(self, *fields: str) -> tuple[list[Any], Array]:
        """Return fields of those Documents that have all of them, and these Documents.

        Returns:
            The values as `get_attributes` gives them, and an array of the same length.
        """
        complete: Any = self._new(column_access.having(self._docs, fields))
        return complete.get_attributes(*fields), complete

    @property
    def texts(self) -> list[str]:
        """The text of each Document, "" where it has none."""
        return column_access.get_values(self, "text")

    @texts.setter
    def texts(self, values: Sequence[str | None] | None) -> None:
        column_access.set_texts(self, values)

    @property
    def embeddings(self) -> np.ndarray[Any, Any] | Any:
        """The embeddings as one array, shape (documents, …); sparse ones as one csr matrix.

        Of an array that came as columns, this is the memory that is sent on: writing into it
        changes the embeddings. Otherwise it is a copy.

        Raises:
            DocumentError: a Document has none, or their shapes differ; the ids are named.
        """
        return column_access.get_matrix(self, "embedding")

    @embeddings.setter
    def embeddings(self, values: Any) -> None:
        column_access.set_tensors(self, "embedding", values)

    @property
    def blobs(self) -> np.ndarray[Any, Any] | Any:
        """The blobs as one array, shape (documents, …); see `embeddings`."""
        return column_access.get_matrix(self, "blob")

    @blobs.setter
    def blobs(self, values: Any) -> None:
        column_access.set_blobs(self, values)

    # --- neighbours -----------------------------------------------------------------------------

    def match(
        self,
        darray: ArrayMethods[Doc, Any],
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
        filter_fn: Callable[[Doc], bool] | None = None,
        is_sparse: bool = False,
        device: str = "cpu",
    ) -> None:
        """Set the matches of each Document to its nearest neighbours in `darray`.

        The matches are copies: `darray` and its Documents are not changed. A match that has the id
        of a query gets no matches of its own, so that no two Documents hold each other.

        Args:
            darray: where to search; its embeddings have the width of those here.
            metric: "cosine", "euclidean" or "sqeuclidean", or a function of two matrices, (n, d)
                and (m, d), that returns the distances (n, m). All are distances: the smallest
                is the nearest. With `use_scipy`, also any other that scipy's `cdist` knows.
            limit: how many matches at most; None for all.
            normalization: (a, b) maps each query's smallest distance to a and its largest to b.
            metric_name: the score's name; the metric's by default.
            batch_size: compare this many Documents of `darray` at once; all by default.
            use_scipy: let scipy compute a metric other than these three; they need no scipy.
            exclude_self: leave out Documents with the query's own id; the next nearest follow.
            only_id: give matches an id and a score, and nothing else.
            traversal_ldarray: the Documents at the end of these paths get matches, not those here.
            traversal_rdarray: the Documents at the end of these paths are searched.
            filter_fn: search only those for which it is true.
            is_sparse: no effect; sparse embeddings are recognised.
            device: no effect; distances are computed on the processor.

        Raises:
            DocumentError: an embedding is missing, of another width, or complex, which only a
                function can compare.
            TypeError: a metric that is neither text nor function, an index that is not an array.
            ValueError: a metric of an unknown name, or a limit or batch size below 1.
            MissingExtra: `use_scipy`, and scipy is not installed.
        """
        if not isinstance(darray, ArrayMethods):
            raise BadDocType(
                f"{kind_of(darray)} where a DocumentArray is expected", hint="DocumentArray([...])"
            )
        queries: Any = self
        searched: Any = darray
        if traversal_rdarray or filter_fn:
            searched = searched.traverse_flat(traversal_rdarray or "r", filter_fn)
        if traversal_ldarray:
            queries = queries.traverse_flat(traversal_ldarray)
        options = matching.checked_options(
            *(metric, limit, normalization, metric_name, batch_size),
            *(use_scipy, exclude_self, only_id),
        )
        matching.match(queries, searched, options)

    # --- picking --------------------------------------------------------------------------------

    def find(
        self,
        regexes: Mapping[str, str | re.Pattern[str]],
        traversal_paths: Paths = ("r",),
        operator: str = ">=",
        threshold: int | None = None,
    ) -> Array:
        """Return the Documents whose tags fit regular expressions.

        Args:
            regexes: an expression for each tag; it is matched from the start of the tag's value.
            traversal_paths: where to look.
            operator: how the number of fitting tags compares with `threshold`: one of
                `<`, `<=`, `==`, `!=`, `>=`, `>`.
            threshold: how many tags must fit; all of `regexes` by default.

        Raises:
            ValueError: another operator, or something that is not a regular expression.
        """
        fits = selection.by_tags(regexes, operator, threshold)
        return self.traverse_flat(traversal_paths, fits)

    def sample(self, k: int, seed: int | None = None) -> Array:
        """Return `k` different Documents, at random.

        Raises:
            ValueError: there are fewer than `k`.
        """
        return self._new(selection.sample(self._docs, k, seed))

    def shuffle(self, seed: int | None = None) -> Array:
        """Return all Documents in random order."""
        return self.sample(len(self), seed)

    def split(self, tag: str) -> dict[Any, Array]:
        """Return an array for each value of a tag; Documents without the tag are in none.

        Args:
            tag: its key; `a__b` reaches into the map under `a`.

        Raises:
            ValueError: the tag is a list or a map in one of them.
        """
        groups = selection.split(self._docs, tag)
        return {value: self._new(docs) for value, docs in groups.items()}

    def batch(
        self,
        batch_size: int,
        traversal_paths: Paths | None = None,
        require_attr: str | None = None,
        shuffle: bool = False,
    ) -> Iterator[Array]:
        """Yield arrays of `batch_size` Documents; the last one may be smaller.

        Args:
            batch_size: at least 1.
            traversal_paths: where the Documents are; here by default.
            require_attr: leave out Documents in which this field is not set.
            shuffle: take the Documents in random order.

        Raises:
            ValueError: a batch size below 1.
        """
        selection.check_batch_size(batch_size)
        docs: Any = self if traversal_paths is None else self.traverse_flat(traversal_paths)
        if require_attr:
            docs = docs._new(column_access.having(docs._docs, [require_attr]))
        if shuffle:
            docs = docs.shuffle()
        yield from selection.batches(docs, batch_size)

    # --- files ----------------------------------------------------------------------------------

    def save(self, file: str | Path | BinaryIO, file_format: Format = "json") -> None:
        """Write all Documents into a file.

        An existing file is replaced once all of the new one is written.

        Args:
            file: a path, or a file open for writing bytes (text for JSON works too).
            file_format: "json", one Document a line, tensors as base64; or "binary".

        Raises:
            ValueError: another format, or a value that the format cannot hold.
        """
        if file_format == "json":
            self.save_json(file)
        elif file_format == "binary":
            self.save_binary(file)
        else:
            raise storage.unknown_format(file_format)

    @classmethod
    def load(cls, file: str | Path | BinaryIO, file_format: Format = "json") -> Array:
        """Read what `save` wrote.

        Raises:
            ValueError: another format, or a damaged file; the place is named.
        """
        if file_format == "json":
            return cls.load_json(file)
        if file_format == "binary":
            return cls.load_binary(file)
        raise storage.unknown_format(file_format)

    def save_json(self, file: Any) -> None:
        """Write one Document a line, tensors as base64; see `save`."""
        storage.save_json(self._docs, file)

    @classmethod
    def load_json(cls, file: Any) -> Array:
        """Read one Document a line.

        Raises:
            DocumentError: a line that is not a Document, or is a pair; its number is named.
        """
        return cls._new_of(storage.load_json(file))

    def save_binary(self, file: Any) -> None:
        """Write all Documents bit for bit; see `save`."""
        storage.save_binary(self._docs, file)

    @classmethod
    def load_binary(cls, file: Any, *, partial: bool = False) -> Array:
        """Read what `save_binary` wrote.

        Args:
            file: a path, or a file open for reading bytes.
            partial: return what lies before the damage of a damaged file.

        Raises:
            DocumentError: a damaged file; the offset in bytes is named.
        """
        return cls._new_of(storage.load_binary(file, partial))

    # --- read from files and arrays; the arguments are those of the generators -------------------

    @classmethod
    def from_ndarray(cls, *args: Any, **kwargs: Any) -> Array:
        """Return a Document for each row of an array."""
        return cls._collected("from_ndarray", args, kwargs)

    @classmethod
    def from_files(cls, *args: Any, **kwargs: Any) -> Array:
        """Return a Document for each file that fits a pattern."""
        return cls._collected("from_files", args, kwargs)

    @classmethod
    def from_csv(cls, *args: Any, **kwargs: Any) -> Array:
        """Return a Document for each row of a table."""
        return cls._collected("from_csv", args, kwargs)

    @classmethod
    def from_ndjson(cls, *args: Any, **kwargs: Any) -> Array:
        """Return a Document for each JSON line."""
        return cls._collected("from_ndjson", args, kwargs)

    @classmethod
    def from_lines(cls, *args: Any, **kwargs: Any) -> Array:
        """Return Documents from lines or a file of lines."""
        return cls._collected("from_lines", args, kwargs)

    @classmethod
    def _collected(cls, name: str, args: Any, kwargs: Any) -> Array:
        # Late: few programs read files or arrays this way.
        from jina.types import sources

        records = list(getattr(sources, name)(*args, **kwargs))
        check_elements(records, Record)
        return cls._new_of(records)

    # --- shown to people ------------------------------------------------------------------------

    def describe(self) -> str:
        """Return how many Documents there are, and in how many of them each field is set."""
        return overview.describe(self._docs)

    def summary(self) -> None:
        """Print what `describe` returns."""
        print(self.describe())

    def __repr__(self) -> str:
        kind = type(self)
        return f"<{kind.__module__}.{kind.__qualname__} length={len(self)} at {id(self)}>"

    def __rich_repr__(self) -> Iterator[Any]:
        """The number of Documents and the first ones, for rich's printer."""
        yield "length", len(self)
        yield from self._docs[:3]

    def _repr_html_(self) -> str:
        """A table of the first Documents, for a notebook."""
        return overview.as_html(self._docs)

    def visualize(
        self, output: str | Path | None = None, title: str | None = None, **options: Any
    ) -> None:
        """Draw the embeddings in two dimensions: their first two principal components.

        Args:
            output: an image file; a window by default.
            title: written above.
            **options: of matplotlib's `scatter`.

        Raises:
            MissingExtra: matplotlib is not installed.
            DocumentError: embeddings are missing, have fewer than two numbers, or some that are
                not finite.
        """
        # Late: it needs numpy, which a process that sees only text never loads.
        from jina.types.arrays import picture

        picture.draw(self, output, title, options)
