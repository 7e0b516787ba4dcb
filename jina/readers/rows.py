"""Rows that the reader itself makes into Documents, and those that are none.

Raw lines leave it to a worker; what stands in arrays, columns and files, and what must be told
with a place that no line number gives, becomes Documents here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from msgspec.structs import replace

from jina.excepts import DocumentError
from jina.readers.lines import CutLines, too_long
from jina.records.jsonlines import render_record
from jina.records.record import Record
from jina.records.tensors import as_tensor
from jina.types.arrays.document import DocumentArray
from jina.types.codec import parse_lines
from jina.types.document import Document
from jina.wire.maps import Failure, LineFailures

#: The class of what is told about a row that a reader refuses.
REFUSED = "jina.excepts.InputError"


class Rows(NamedTuple):
    """Documents of one source, in order, and the outcomes of rows that are none."""

    docs: DocumentArray
    groundtruths: DocumentArray | None
    """One for each of docs, or None when no row has one."""
    failures: LineFailures | None
    lines: int
    """Rows, the refused ones included."""


class RowReader(Protocol):
    """What LineSource asks of whoever reads a container row by row, from one thread."""

    def take(self, max_rows: int, max_bytes: int) -> Rows | None:
        """The next rows; None at the end.

        Args:
            max_rows: most rows, at least 1.
            max_bytes: about how many bytes they may have; one row alone may have more.

        Raises:
            InputError: the container is damaged here; all that came before has been handed out.
        """

    def position(self) -> int:
        """Bytes of the file that have been read so far, as near as it is known."""

    def close(self) -> None:
        """Let go of the file; may be called twice."""


def rows_of_lines(cut: CutLines, name: str, key: str) -> Rows:
    """Make Documents of a run of JSON lines.

    Args:
        cut: the run; its first line's number and its places are those of the messages.
        name: of the source.
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
        found: for each row its id, where it has none of its own; its fields and tags, or why it is
            refused; and its place for messages, such as "vectors.npy: row 3".
    """
    docs: list[Document] = []
    failures: list[Failure] = []
    for index, (name, value, place) in enumerate(found):
        if isinstance(value, str):
            failures.append(Failure(index, name, REFUSED, f"{place}: {value}"))
            continue
        known = value.get("id")
        # Tables of numbers count their rows: the digits are the id, as they are in CSV.
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
    """Refuse what no line can hold, such as NaN in a tag, while the row's place is still known.

    Later it would fail the whole request, or the lines of its answer.

    Raises:
        DocumentError: saying which value.
    """
    # Tensors and bytes have been looked at, and are large.
    light = replace(record, buffer=None, blob=None, embedding=None)
    try:
        render_record(light)
    except DocumentError as err:
        # The cause names the very place in the tags; the Document is named by its row.
        raise err.__cause__ if isinstance(err.__cause__, DocumentError) else err from None


def _is_unicode(text: str) -> bool:
    """Whether a text can be sent: arrays of numpy may hold halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def rows_of_tensors(key: str, first: int, count: int, columns: Mapping[str, Any]) -> Rows:
    """Make Documents of nothing but tensors.

    Args:
        key: of the source, for ids.
        first: number of the first row.
        count: rows.
        columns: `blob`, `embedding` or both, each with the rows as its first dimension.

    Raises:
        DocumentError: numbers that no tensor can hold.
    """
    blocks = {name: as_tensor(block) for name, block in columns.items()}
    records = [
        Record(f"{key}-{first + row}", **{name: block[row, ...] for name, block in blocks.items()})
        for row in range(count)
    ]
    return Rows(DocumentArray._of_records(records), None, None, count)
