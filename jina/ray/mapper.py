"""An Executor as a function from batches to batches, for `map_batches` of Ray Data."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Mapping, Sequence
from tempfile import gettempdir
from typing import Any, NamedTuple

import msgspec
import numpy as np

from jina.config.executors import load_executor
from jina.config.source import is_yaml_path
from jina.excepts import BadClientInput
from jina.executors import BaseExecutor
from jina.executors.call import call
from jina.executors.once import once_endpoints
from jina.executors.user_errors import class_name, message
from jina.names import DEFAULT_ENDPOINT, with_slash
from jina.readers.rows import Rows, rows_of_values
from jina.readers.stream_keys import random_key
from jina.records.jsonlines import render_record
from jina.records.record import FIELDS, TENSOR_FIELDS
from jina.records.record_ops import set_fields
from jina.trial import constructed
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.writers.results import fields_of

ERROR = "error"
"""The column that says why a Document failed; None where it did not."""

_JSON = ("scores", "evaluations", "location", "chunks", "matches")
_NESTED = frozenset(_JSON)
_SPECIAL = frozenset({"tags", "content_hash", *_JSON})

_lock = threading.Lock()
_executors: dict[tuple[Any, ...], BaseExecutor] = {}  # of this process, by where they come from
_open = contextlib.ExitStack()  # closes nothing: they live as long as the process


class _Outcome(NamedTuple):
    """A Document that came back, or a row that failed."""

    columns: dict[str, Any]
    error: str | None = None


class Mapper:
    """Calls an Executor with each batch of a pipeline.

    ```python
    encode = jina.ray.Mapper("executor.yml", "/encode")
    ray.data.read_json("in.jsonl").map_batches(encode, batch_size=100).write_parquet("out")
    ```

    or, with an instance of the Executor in each of four actors:

    ```python
    ds.map_batches(jina.ray.Mapper, fn_constructor_args=("/shared/executor.yml", "/encode"),
                   concurrency=4, num_gpus=0.5)
    ```

    A batch is a dict of columns: arrays or lists with one value for each row. What becomes of it:

    - `id`, `text`, `uri`, `mime_type`, `weight` and the other fields: that field, and back. An id
      that is missing is made up.
    - `embedding`, `blob`: an array of the column's dtype. Back comes one array of shape (rows, …)
      if all of them have one shape and dtype, else one of objects. NaN where there is none.
    - `tags`: a dict, whose keys become tags; they come back as columns of their own.
    - `chunks`, `matches`, `scores`, `evaluations`, `location`: JSON text, both ways.
    - `error`: not read. It comes back as None, or as why this row failed; the rest of that row is
      as it came.
    - any other column: a tag of that name. Text, numbers, truth values, lists, dicts; times become
      ISO 8601 text.

    None in a cell leaves a field or tag unset, and so comes back. The Executor may return other
    Documents than it was given, more or fewer; they become the rows.

    A Document that fails does not end the job. If the method raises, it is called again with each
    half of the batch, down to those Documents that fail alone, except where it says `once=True`.
    If the method ends its process, Ray does with the task what it does with any that dies.

    An instance of this class is pickled with the path of the YAML, and loads the Executor where it
    is first called, once in each process. So the file and its modules must be there: `--on ray` of
    `jina post` sends them along, this class does not; use `runtime_env={"working_dir": …}` of
    `ray.init`, or a folder that all nodes share.

    Args:
        executor: path of the Executor's YAML, or what else `uses` takes. A relative path is
            resolved where the instance is made.
        endpoint: such as "/encode".
        parameters: of every call.
        field_resolver: column -> field or tag, such as {"question": "text"}; the way back, too.
        workspace: absolute folder for the Executor's files; by default one in the folder for
            temporary files.

    Raises:
        BadClientInput: two columns become one field.
    """

    def __init__(
        self,
        executor: str | os.PathLike[str],
        endpoint: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        field_resolver: Mapping[str, str] | None = None,
        workspace: str = "",
    ) -> None:
        self.executor = _resolved(os.fspath(executor))
        self.endpoint = with_slash(endpoint)
        self.parameters = dict(parameters or {})
        self.field_resolver = dict(field_resolver or {})
        if len(set(self.field_resolver.values())) < len(self.field_resolver):
            raise BadClientInput("`field_resolver` gives two columns one name")
        self.workspace = workspace or os.path.join(gettempdir(), f"jina-mapper-{os.getuid()}")
        self._shapes: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Map one batch.

        Args:
            batch: column -> one value for each row.

        Returns:
            column -> an array with one value for each row.

        Raises:
            JinaError: the Executor cannot be loaded or constructed.
        """
        executor = _loaded(self.executor, self.workspace)
        count = max((len(column) for column in batch.values()), default=0)
        rows = [
            {name: column[row] for name, column in batch.items() if name != ERROR}
            for row in range(count)
        ]
        read = self._read(rows)
        refused = (
            {each.place: each.message for each in read.failures.failures} if read.failures else {}
        )
        good = [row for place, row in enumerate(rows) if place not in refused]
        outcomes = self._outcomes(executor, good, read.docs)
        for place, why in sorted(refused.items()):
            outcomes.insert(place, _Outcome(_spread(rows[place]), why.removeprefix(": ")))
        return self._columns(outcomes, list(batch))

    def _read(self, rows: list[dict[str, Any]]) -> Rows:
        """The Documents of some rows, and why others are none."""
        return rows_of_values((random_key(), self._values(row), "") for row in rows)

    def _values(self, row: Mapping[str, Any]) -> dict[str, Any] | str:
        """The fields and tags of a row; or why it has none."""
        try:
            return self._fields(row)
        except (ValueError, TypeError, msgspec.MsgspecError) as error:
            return str(error)

    def _fields(self, row: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column, cell in row.items():
            name = self.field_resolver.get(column, column)
            value = _value(name, cell)
            if value is None:
                continue
            if name == "tags":
                value = {key: each for key, each in dict(value).items() if each is not None}
                value |= values.get("tags", {})
            values[name] = value
        return values

    def _outcomes(
        self, executor: BaseExecutor, rows: list[dict[str, Any]], docs: DocumentArray
    ) -> list[_Outcome]:
        """What becomes of rows whose Documents are all right."""
        if not rows:
            return []
        try:
            found = call(executor, self.endpoint, docs=docs, parameters=self.parameters)
            return [_Outcome(self._cells(doc)) for doc in found]
        except Exception as error:  # whatever the user's method raises
            why = f"{class_name(error)}: {message(error)}"
        if len(rows) == 1 or self._is_once(executor):
            return [_Outcome(_spread(row), why) for row in rows]
        middle = len(rows) // 2
        return [
            each
            for half in (rows[:middle], rows[middle:])
            # Made from the rows again: a method that raises has changed its Documents.
            for each in self._outcomes(executor, half, self._read(half).docs)
        ]

    def _is_once(self, executor: BaseExecutor) -> bool:
        endpoint = self.endpoint if self.endpoint in executor.requests else DEFAULT_ENDPOINT
        return endpoint in once_endpoints(executor)

    def _cells(self, doc: Document) -> dict[str, Any]:
        """The columns of a Document."""
        record = doc._record
        names = set(set_fields(record))
        cells = {name: getattr(doc, name) for name in FIELDS if name in names - _SPECIAL}
        cells |= doc.tags
        if nested := names & _NESTED:
            written = fields_of(render_record(record))
            cells |= {name: bytes(written[name]).decode() for name in _JSON if name in nested}
        back = {name: column for column, name in self.field_resolver.items()}
        return {back.get(name, name): cell for name, cell in cells.items()}

    def _columns(
        self, outcomes: list[_Outcome], given: list[str]
    ) -> dict[str, np.ndarray[Any, Any]]:
        names = dict.fromkeys(name for name in given if name not in (ERROR, "tags"))
        for outcome in outcomes:
            names |= dict.fromkeys(outcome.columns)
        names |= dict.fromkeys(self._shapes)
        tensors = {
            column for column in names if self.field_resolver.get(column, column) in TENSOR_FIELDS
        }
        columns = {}
        for name in names:
            cells = [outcome.columns.get(name) for outcome in outcomes]
            columns[name] = self._tensors(name, cells) if name in tensors else _column(cells)
        columns[ERROR] = _objects([outcome.error for outcome in outcomes])
        return columns

    def _tensors(self, name: str, cells: list[Any]) -> np.ndarray[Any, Any]:
        """A column of arrays; of those that are missing, the numbers are NaN."""
        arrays = [None if cell is None else _dense(cell) for cell in cells]
        kinds = {(array.dtype, array.shape) for array in arrays if array is not None}
        known = self._shapes.get(name)
        kind = kinds.pop() if len(kinds) == 1 else known if not kinds else None
        if kind is None:
            return _objects(arrays)
        dtype, shape = kind
        if any(array is None for array in arrays) and dtype.kind not in "fc":
            return _objects(arrays)
        self._shapes[name] = kind
        missing = np.full(shape, np.nan if dtype.kind in "fc" else 0, dtype)
        return np.stack([missing if array is None else array for array in arrays])


def _value(name: str, cell: Any) -> Any:
    """A cell as a Document takes it; None where it is unset."""
    if isinstance(cell, np.ndarray) and name not in TENSOR_FIELDS:
        return cell.tolist()
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float) and math.isnan(cell):
        return None  # so do columns of numbers say that there is none
    if isinstance(cell, str) and name in _JSON:
        return msgspec.json.decode(cell)
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    return cell


def _spread(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it came, with its tags as columns of their own."""
    cells = {name: _plain(cell) for name, cell in row.items()}
    return cells | dict(cells.pop("tags", None) or {})


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell


def _dense(cell: Any) -> np.ndarray[Any, Any]:
    return np.asarray(cell.toarray() if hasattr(cell, "toarray") else cell)


def _column(cells: list[Any]) -> np.ndarray[Any, Any]:
    """A column of numbers or truth values if all are of one kind, else of objects."""
    kinds = {type(cell) for cell in cells}
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        column = np.array(cells)
        if column.dtype != object:
            return column
    return _objects(cells)


def _objects(cells: Sequence[Any]) -> np.ndarray[Any, Any]:
    column = np.empty(len(cells), dtype=object)
    for row, cell in enumerate(cells):
        column[row] = cell
    return column


def _resolved(executor: str) -> str:
    return os.path.abspath(executor) if is_yaml_path(executor) else executor


def _loaded(executor: str, workspace: str) -> BaseExecutor:
    """The Executor of this process."""
    with _lock:
        key = (executor, workspace)
        if key not in _executors:
            config = load_executor(executor)
            _executors[key] = _open.enter_context(constructed(config, workspace))
        return _executors[key]
