"""Read Parquet and Arrow files: each row is a Document. Needs the extra `columnar`.

They are read batch by batch. A column with the name of a field becomes that field, `tags.KEY` that
key of the tags, any other a tag. Metadata {"jina": "json"} say that a column holds JSON.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from jina.defaults import MAX_LINE_BYTES
from jina.excepts import DocumentError, InputError
from jina.readers.gzipped import unpacked
from jina.readers.inputs import Input
from jina.readers.lines import too_long
from jina.readers.rows import Rows, rows_of_values
from jina.records.mapping import KEYS
from jina.records.record import TENSOR_FIELDS
from jina.records.tables import TAG, check_resolver, unique_names

_BATCH_ROWS = 1_000
# A damaged length asks for more memory than there is.
_BROKEN = (OSError, ValueError, MemoryError, OverflowError)
_FILE_MAGIC = b"ARROW1"


class ColumnarReader:
    """Reads record batches; see RowReader.

    Args:
        one: the input.
        key: of the file, for ids.
        batches: of the file, in order.
        fields: the key of each column in a Document.
        file: closed at the end.
    """

    def __init__(
        self, one: Input, key: str, batches: Iterator[Any], fields: Sequence[str], file: IO[bytes]
    ) -> None:
        self._name = one.name
        self._size = one.size_bytes or 0
        self._key = key
        self._batches = batches
        self._fields = fields
        self._file = file
        self._batch: Any = None
        self._at = 0  # the next row in the batch
        self._next = 1  # its number in the file

    def take(self, max_rows: int, max_bytes: int) -> Rows | None:
        """See RowReader."""
        while self._batch is None or self._at >= self._batch.num_rows:
            try:
                self._batch = next(self._batches, None)
                if self._batch is not None:
                    # Offsets in a damaged file may point anywhere; using them would crash.
                    self._batch.validate(full=True)
            except (pa.ArrowException, *_BROKEN) as err:
                raise InputError(
                    f"the file is damaged: {_first_line(err)}",
                    where=self._name,
                    hint=f"the {self._next - 1} rows before it were read"
                    if self._next > 1
                    else "no row could be read",
                ) from err
            self._at = 0
            if self._batch is None:
                return None
        batch = self._batch
        per_row = max(1, batch.nbytes // batch.num_rows)
        count = max(1, min(max_rows, batch.num_rows - self._at, max_bytes // per_row))
        part = batch.slice(self._at, count)
        while count > 1 and part.nbytes > max_bytes:  # its rows are larger than others
            count //= 2
            part = batch.slice(self._at, count)
        self._at += count
        first, self._next = self._next, self._next + count
        return rows_of_values(self._values(part, first))

    def _values(self, part: Any, first: int) -> Iterator[tuple[str, Mapping[str, Any] | str, str]]:
        columns = [
            _values_of(part.column(index), field, is_json=_is_json(part.schema.field(index)))
            for index, field in enumerate(self._fields)
        ]
        is_large = part.nbytes > MAX_LINE_BYTES  # then it is one row
        rows = zip(*columns, strict=True) if columns else repeat((), part.num_rows)
        for number, values in enumerate(rows, first):
            place = f"{self._name}: row {number}"
            name = f"{self._key}-{number}"
            if is_large:
                yield name, too_long("a row", part.nbytes), place
                continue
            named = zip(self._fields, values, strict=True)
            yield name, _gathered({key: value for key, value in named if value is not None}), place

    def position(self) -> int:
        """See RowReader."""
        return 0 if self._file.closed else min(self._size, self._file.tell())

    def close(self) -> None:
        """See RowReader."""
        self._batch = None
        self._batches = iter(())
        self._file.close()


def open_columnar(
    one: Input, resolver: Mapping[str, str], descriptor: int, key: str
) -> ColumnarReader:
    """Open a Parquet or Arrow file and read its schema.

    Args:
        one: the input; its format is "parquet" or "arrow".
        resolver: new names for columns.
        descriptor: open for reading; the reader owns it.
        key: for ids.

    Raises:
        InputError: it is not such a file, or has a column that a Document cannot hold.
    """
    file: IO[bytes] = os.fdopen(descriptor, "rb")
    form, name = one.format, one.name
    try:
        if one.is_gzip:
            file = unpacked(file, name)
        schema, batches = _open_parquet(file) if form == "parquet" else _open_arrow(file)
        fields = _fields_of(schema, resolver, name)
        return ColumnarReader(one, key, batches, fields, file)
    except (pa.ArrowException, *_BROKEN) as err:
        file.close()
        raise InputError(f"not a valid {form} file: {_first_line(err)}", where=name) from err
    except BaseException:  # a refused column, or Ctrl-C: nobody else can close the file yet
        file.close()
        raise


def _open_parquet(file: IO[bytes]) -> tuple[Any, Iterator[Any]]:
    # Pages are read as they are needed: a row group may be larger than memory.
    parquet = pq.ParquetFile(file, buffer_size=MAX_LINE_BYTES // 16, pre_buffer=False)
    return parquet.schema_arrow, parquet.iter_batches(_BATCH_ROWS, use_threads=False)


def _open_arrow(file: IO[bytes]) -> tuple[Any, Iterator[Any]]:
    """Open Arrow's file format, which Feather uses too, or its stream format."""
    magic = file.read(len(_FILE_MAGIC))
    file.seek(0)
    if magic != _FILE_MAGIC:
        stream = pa.ipc.open_stream(file)
        return stream.schema, iter(stream)
    opened = pa.ipc.open_file(file)
    return opened.schema, map(opened.get_batch, range(opened.num_record_batches))


def _fields_of(schema: Any, resolver: Mapping[str, str], name: str) -> list[str]:
    """The key of each column in a Document."""
    try:
        check_resolver(schema.names, resolver)
        fields = unique_names(schema.names, resolver)
    except DocumentError as err:
        raise InputError(err.what, where=name, hint=err.hint) from err
    for column, field in zip(schema, fields, strict=True):
        kind = column.type
        is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        if is_bytes and field not in KEYS and field != "content":
            raise InputError(
                f'the column "{column.name}" contains bytes, which tags cannot hold',
                where=name,
                hint=f"--field-resolver {column.name}=buffer",
            )
    return fields


def _is_json(column: Any) -> bool:
    return (column.metadata or {}).get(b"jina") == b"json" and pa.types.is_string(column.type)


def _json_value(text: str) -> Any:
    """What a cell of JSON holds; text that is none is left as it is."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return text


def _gathered(row: dict[str, Any]) -> dict[str, Any] | str:
    """A row with its `tags.KEY` columns put into `tags`; or why it is refused."""
    keys = [key for key in row if key.startswith(TAG)]
    if keys:
        tags = {key[len(TAG) :]: row.pop(key) for key in keys}
        others = row.get("tags", {})
        if not isinstance(others, Mapping) or not tags.keys().isdisjoint(others):
            return "a key appears both in `tags` and in its own column"
        row["tags"] = {**others, **tags}
    return row


def _values_of(column: Any, field: str, *, is_json: bool) -> Sequence[Any]:
    """The values of a column, as Documents take them; null is None."""
    kind = column.type
    if is_json:
        return [None if value is None else _json_value(value) for value in column.to_pylist()]
    if KEYS.get(field, field) in TENSOR_FIELDS and _is_list_of_numbers(kind):
        return _vectors(column)
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return [None if value is None else _as_text(value) for value in column.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def _as_text(value: Any) -> str:
    """A date or a time in the ISO form, a decimal with all its digits."""
    form: Callable[[], str] | None = getattr(value, "isoformat", None)
    return form() if form is not None else str(value)


def _is_list_of_numbers(kind: Any) -> bool:
    is_list = (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
    if not is_list:
        return False
    inner = kind.value_type
    return bool(pa.types.is_floating(inner) or pa.types.is_integer(inner))


def _vectors(column: Any) -> list[Any]:
    """The rows of a column of lists of numbers, as arrays of the column's own dtype."""
    flat = column.flatten()  # without the rows that are null
    if flat.null_count:
        values: list[Any] = column.to_pylist()  # the row with a null in its list will be refused
        return values
    numbers = flat.to_numpy(zero_copy_only=False)
    rows: list[Any] = []
    end = 0
    for length in column.value_lengths().to_pylist():
        start, end = end, end + (length or 0)
        rows.append(None if length is None else numbers[start:end])
    return rows


def _first_line(err: Exception) -> str:
    return str(err).partition("\n")[0] or type(err).__name__
