"""Make Documents of rows, and failures of rows that are refused.

Raw lines are parsed by a worker. Documents are made here from arrays, columns and files, and from
lines whose errors name a place that the worker could not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from msgspec.structs import replace

from jina.excepts import DocumentError
from jina.readers.lines import CutLines, too_long
from jina.records.batch import Columns
from jina.records.jsonlines import render_record
from jina.records.record import Record
from jina.records.tensor_columns import fixed_column
from jina.records.tensors import as_tensor
from jina.types.arrays.document import DocumentArray
from jina.types.codec import parse_lines
from jina.types.document import Document
from jina.wire.maps import Failure, LineFailures

#: The class of the error for a row that a reader refuses.
REFUSED = "jina.excepts.InputError"


class Rows(NamedTuple):
    """Documents of one source, in order, and failures for the rows that are not Documents."""

    docs: DocumentArray
    groundtruths: DocumentArray | None
    """One for each of docs; None when no row has one."""
    failures: LineFailures | None
    lines: int
    """Rows, including refused ones."""


class RowReader(Protocol):
    """Reads a container row by row; LineSource calls it, from one thread."""

    def take(self, max_rows: int, max_bytes: int) -> Rows | None:
        """The next rows; None at the end.

        Args:
            max_rows: most rows, at least 1.
            max_bytes: about how many bytes they may have; one row alone may have more.

        Raises:
            InputError: the container is damaged here; everything before has been returned.
        """

    def position(self) -> int:
        """Bytes of the file that have been read so far, as exactly as is known."""

    def close(self) -> None:
        """Let go of the file; may be called twice."""


def rows_of_lines(cut: CutLines, name: str, key: str) -> Rows:
    """Make Documents of a run of JSON lines.

    Args:
        cut: the run; messages use its line numbers, or its places where it has them.
        name: of the source, for messages.
        key: of the source, for ids.
    """
    parsed = parse_lines(cut.data, key=key, first_line=cut.first_line)
    wrong = [(error.row, error.id, error.type, error.message) for error in parsed.errors]
    wrong += [(row, known, REFUSED, message) for row, message, known in cut.refused]
    wrong += [(row, "", REFUSED, too_long("a line", size)) for row, _, size in cut.oversize]
    if not wrong:
        return Rows(parsed.docs, parsed.groundtruths, None, cut.lines)
    wrong.sort(key=lambda each: each[0])
    without_bytes = {row for row, *_ in wrong}
    lines = cut.data.split(b"\n")
    # Blank lines have no outcome.
    before = [
        0,
        *accumulate(
            int(row in without_bytes or bool(line.strip())) for row, line in enumerate(lines)
        ),
    ]
    failures = []
    for row, known, kind, message in wrong:
        number = cut.first_line + row
        place = cut.places[row] if cut.places else str(number)
        failures.append(
            Failure(before[row], known or f"{key}-{number}", kind, f"{name}:{place}: {message}")
        )
    total = len(parsed.docs) + len(failures)
    return Rows(parsed.docs, parsed.groundtruths, LineFailures(total, failures), cut.lines)


def rows_of_values(
    found: Iterable[tuple[str, Mapping[str, Any] | str, str]],
) -> Rows:
    """Make Documents of values.

    Args:
        found: for each row the id that it gets if it has none; its fields and tags, or why it is
            refused; and its place for messages, such as "vectors.npy: row 3".
    """
    docs: list[Document] = []
    failures: list[Failure] = []
    for index, (name, value, place) in enumerate(found):
        if isinstance(value, str):
            failures.append(Failure(index, name, REFUSED, f"{place}: {value}"))
            continue
        known = value.get("id")
        # Whole numbers in an `id` column are ids by their digits, as in CSV.
        known = (str(known) if type(known) is int else known) or name
        try:
            doc = Document({**value, "id": known})
            _check_carried(doc._record)
            docs.append(doc)
        except (DocumentError, ValueError, TypeError) as err:
            why = err.what if isinstance(err, DocumentError) else str(err)
            own = known if isinstance(known, str) and _is_unicode(known) else name
            failures.append(Failure(index, own, REFUSED, f"{place}: {why}"))
    total = len(docs) + len(failures)
    return Rows(
        DocumentArray(docs), None, LineFailures(total, failures) if failures else None, total
    )


def _check_carried(record: Record) -> None:
    """Refuse what a JSON line cannot hold, such as NaN in a tag, while the row's place is known.

    Later it would fail the whole request, or the lines of its answer.

    Raises:
        DocumentError: says which value.
    """
    # Tensors and bytes are large, and have been checked already.
    light = replace(record, buffer=None, blob=None, embedding=None)
    try:
        render_record(light)
    except DocumentError as err:
        # The cause names the exact place in the tags; the message already names the row.
        raise err.__cause__ if isinstance(err.__cause__, DocumentError) else err from None


def _is_unicode(text: str) -> bool:
    """Whether a text can be sent: numpy's arrays may hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def rows_of_tensors(key: str, first: int, count: int, columns: Mapping[str, Any]) -> Rows:
    """Make Documents that have only tensors.

    Args:
        key: of the source, for ids.
        first: number of the first row.
        count: rows.
        columns: `blob`, `embedding` or both, each with the rows as its first dimension.

    Raises:
        DocumentError: the numbers are of a type that no tensor has.
    """
    ids = [f"{key}-{first + row}" for row in range(count)]
    dense = {name: fixed_column(block) for name, block in columns.items() if len(block) == count}
    if len(dense) == len(columns) and None not in dense.values():
        batch = Columns(count, {"id": ids, **dense})
        return Rows(DocumentArray._of_columns(batch), None, None, count)
    blocks = {name: as_tensor(block) for name, block in columns.items()}
    records = [
        Record(name, **{field: block[row, ...] for field, block in blocks.items()})
        for row, name in enumerate(ids)
    ]
    return Rows(DocumentArray._of_records(records), None, None, count)
