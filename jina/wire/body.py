"""The body of a message: parts and frames on one side, Documents and failed lines on the other.

Worker and client share it, so that a line that goes wrong is treated alike wherever it is parsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from jina.defaults import MAX_LINE_BYTES, MAX_REQUEST_DOCS, MIB
from jina.excepts import WireError
from jina.records import reduce
from jina.records.dialects import rewritten
from jina.records.jsonlines import line_ends
from jina.records.selection import Selection
from jina.records.tensors import JsonForm
from jina.types import codec
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire.line_frames import in_frames
from jina.wire.maps import (
    BATCH,
    DOCS,
    ERRORS,
    FAILURES,
    GROUNDTRUTHS,
    LINES,
    Call,
    ErrorInfo,
    Failure,
    LineFailures,
    Part,
    Route,
    pack_map,
    unpack_map,
)

_LONGEST_URI = 1_000  # characters, in an error
_FORMS: dict[str, JsonForm] = {"typed": "typed", "base64": "base64"}  # else lists


class Body(msgspec.Struct, frozen=True):
    """A body, as far as somebody needs it.

    Attributes:
        docs: of each branch, in order; an empty array where a branch brought none.
        groundtruths: likewise; an empty list when no branch brought any.
        failures: lines that have an error as their outcome; None when there is none.
        failed: of each branch, where there are several: a node's name -> ids of the Documents that
            are an error since it; an empty list when there is none.
    """

    docs: list[DocumentArray]
    groundtruths: list[DocumentArray]
    failures: LineFailures | None
    failed: list[dict[str, list[str]]] = []


def read_body(
    parts: Sequence[Part],
    frames: Sequence[Any],
    branches: int,
    call: Call,
    base: int,
    payload: Callable[[Any], bytes | memoryview] = memoryview,
) -> Body:
    """Read a body.

    Args:
        parts: from the route map.
        frames: the payload.
        branches: how many branches were joined.
        call: for the lines of a body that nobody has parsed yet.
        base: number of the request's first line in its source.
        payload: takes the bytes out of a frame.

    Raises:
        WireError: the parts do not fit the frames, or a frame is damaged.
    """
    if len(parts) == 1 and branches == 1 and parts[0].role == DOCS:
        # What most messages are; the loop below would come to the same.
        part = parts[0]
        if len(frames) != part.frames or not frames or part.branch:
            raise WireError("a route map that does not fit the message")
        if part.kind == LINES:
            return _lines(payload(frames[0]), call, base)
        if part.kind == BATCH:
            return Body([_batch([payload(frame) for frame in frames])], [], None)
    docs: list[list[DocumentArray]] = [[] for _ in range(branches)]
    groundtruths: list[list[DocumentArray]] = []  # only where there are any
    failures: list[LineFailures] = []
    failed: list[dict[str, list[str]]] = []
    start = 0
    for part in parts:
        own = [payload(frame) for frame in frames[start : start + part.frames]]
        start += part.frames
        if not 0 <= part.branch < branches or len(own) != part.frames or not own:
            raise WireError("a route map that does not fit the message")
        if part.kind == LINES:
            read = _lines(own[0], call, base)
            docs[part.branch].append(read.docs[0])
            if read.groundtruths:
                groundtruths = groundtruths or [[] for _ in range(branches)]
                groundtruths[part.branch] += read.groundtruths
            if read.failures:
                failures.append(read.failures)
        elif part.kind == BATCH:
            array = _batch(own)
            if part.role == DOCS:
                docs[part.branch].append(array)
            else:
                groundtruths = groundtruths or [[] for _ in range(branches)]
                groundtruths[part.branch].append(array)
        elif part.kind == FAILURES:
            found = unpack_map(LineFailures, own[0])
            failures.append(found)
            if branches > 1:
                failed = failed or [{} for _ in range(branches)]
                for failure in found.failures:
                    failed[part.branch].setdefault(failure.executor, []).append(failure.id)
        else:
            raise WireError(f"a part of unknown kind {part.kind}")
    return Body(
        [concatenated(arrays) for arrays in docs],
        [concatenated(arrays) for arrays in groundtruths],
        _merged(failures),
        failed,
    )


def _lines(frame: bytes | memoryview, call: Call, base: int) -> Body:
    chunk = bytes(frame)
    if len(chunk) > MAX_REQUEST_DOCS and line_ends(chunk) > MAX_REQUEST_DOCS:
        raise WireError(f"a request of more than {MAX_REQUEST_DOCS} lines")
    return read_lines(chunk, call, base)


def _batch(frames: list[bytes | memoryview]) -> DocumentArray:
    array = codec.decode(frames)
    if len(array) > MAX_REQUEST_DOCS:
        raise WireError(f"a request of more than {MAX_REQUEST_DOCS} Documents")
    return array


def read_lines(chunk: bytes | memoryview | list[bytes], call: Call, base: int) -> Body:
    """Parse JSON lines: each line becomes a Document or a failure, never both, never neither.

    Args:
        chunk: whole lines, in one piece or each by itself.
        call: names the source and the stream key.
        base: number of the first line in its source.
    """
    parsed = codec.parse_lines(chunk, key=call.key, first_line=base)
    groundtruths = [parsed.groundtruths] if parsed.groundtruths is not None else []
    if not parsed.errors and not call.oversize:
        return Body([parsed.docs], groundtruths, None)
    lines = chunk if isinstance(chunk, list) else bytes(chunk).split(b"\n")
    oversize = {row for row, _, _ in call.oversize}
    wrong = [
        (error.row, error.line, error.id, error.type, error.message) for error in parsed.errors
    ] + [
        (row, line, "", "jina.excepts.InputError", _too_long(size))
        for row, line, size in call.oversize
    ]
    # How many outcomes there are before each row: blank lines have none.
    before = [
        0,
        *accumulate(int(row in oversize or bool(text.strip())) for row, text in enumerate(lines)),
    ]
    failures = [
        Failure(
            before[min(max(row, 0), len(lines))],
            name or f"{call.key}-{line}",
            kind,
            f"{call.source}:{line}: {message}",
        )
        for row, line, name, kind, message in sorted(wrong)
    ]
    return Body(
        [parsed.docs], groundtruths, LineFailures(len(parsed.docs) + len(failures), failures)
    )


def write_body(
    docs: DocumentArray,
    groundtruths: DocumentArray | None,
    failures: LineFailures | None,
    *,
    may_be_lines: bool = True,
) -> tuple[list[Part], list[Any]]:
    """Write Documents as columnar batches, and the failed lines beside them.

    A few small Documents are written as JSON lines, which is quicker and means the same; but not
    where a client could take them for its results, which have other fields.
    """
    if may_be_lines and groundtruths is None and not failures:
        text = codec.render_few(docs)
        if text is not None:
            return [Part(LINES, DOCS, 1, len(docs))], [text]
    parts: list[Part] = []
    frames: list[Any] = []
    for role, array in ((DOCS, docs), (GROUNDTRUTHS, groundtruths)):
        if array is not None and (len(array) or role == DOCS):
            batch = codec.encode(array)
            parts.append(Part(BATCH, role, len(batch), len(array)))
            frames += batch
    if failures:
        parts.append(failures_part(failures))
        frames.append(pack_map(failures))
    return parts, frames


def write_lines(
    docs: DocumentArray,
    failures: LineFailures | None,
    endpoint: str,
    call: Call,
    selection: Selection | None = None,
) -> tuple[list[Part], list[bytes | memoryview]]:
    """Write the request's outcomes as JSON lines: Documents, and failed lines in their places."""
    text = codec.render(docs, tensors=_FORMS.get(call.tensors, "list"), selection=selection)
    if call.words:
        text = rewritten(text, call.words)
    failed = 0
    if failures:
        failed = len(failures.failures)
        text = _with_failures(text, len(docs), failures, endpoint)
    return in_frames(text, len(docs) + failed, failed)


class Cut(NamedTuple):
    """Some of a request's outcomes."""

    docs: DocumentArray
    groundtruths: DocumentArray | None
    failures: LineFailures | None


def cut(
    docs: DocumentArray,
    groundtruths: DocumentArray | None,
    failures: LineFailures | None,
    route: Route,
    *,
    alone: bool,
) -> Cut:
    """Take the outcomes that a route names out of a whole request.

    Args:
        docs: of the request.
        groundtruths: of the request.
        failures: of the request.
        route: its `first`, `stop` and `blame` count.
        alone: whether the failures' places are to be counted within the cut.

    Returns:
        the Documents among these outcomes, and the failures; with `blame` no Document, and a
        failure in the place of each.
    """
    found = failures.failures if failures else []
    total = len(docs) + len(found)
    places = [failure.place for failure in found]
    parsed = 0  # the request's outcomes at first, where they are not the same any more
    if failures and (total != failures.total or len(set(places)) < len(found)):
        parsed = failures.total
        places = list(range(len(docs), total))
    first, stop = min(route.first, total), min(route.stop, total)
    failed = set(places)
    free = [place for place in range(first, stop) if place not in failed]
    start = first - sum(place < first for place in places)
    some = docs[start : start + len(free)]
    kept = [pair for pair in zip(places, found, strict=True) if first <= pair[0] < stop]
    if route.blame is not None:
        error = route.blame
        kept += [
            (place, _blamed(doc, parsed + place, error))
            for place, doc in zip(free, some, strict=True)
        ]
        some = DocumentArray()
    if groundtruths is not None:
        if len(groundtruths) == len(docs):
            groundtruths = groundtruths[start : start + len(some)]
        elif first:  # they belong to nobody, so they go along once
            groundtruths = None
    if alone:
        total = stop - first
        own = [replace(failure, place=place - first) for place, failure in kept]
    else:  # lines that failed at the start keep their places: another branch may bring them, too
        total = parsed or total
        own = [failure for _, failure in kept]
    own.sort(key=attrgetter("place"))
    # Failures of the request that lie outside are told by an empty list: what is written as plain
    # lines is read like the input, and the lines that were too long would be found in it again.
    return Cut(some, groundtruths, LineFailures(total, own) if own or failures else None)


def _blamed(doc: Document, place: int, error: ErrorInfo) -> Failure:
    """The outcome of a Document that fails on its own: whoever reads it sees which file it is."""
    uri = uri_of(doc)
    message = with_uri(error.message, uri)
    return Failure(place, doc.id, error.type, message, error.executor, uri)


def uri_of(doc: Document) -> str:
    """The uri of a Document, for its error; "" if it is data or very long."""
    uri = doc.uri
    return "" if len(uri) > _LONGEST_URI or uri.startswith("data:") else uri


def with_uri(message: str, uri: str) -> str:
    """The message of an error that is one Document's, with its uri."""
    return message if not uri or uri in message else f"{uri}: {message}"


def failures_part(failures: LineFailures) -> Part:
    """The part that announces failed lines."""
    return Part(FAILURES, ERRORS, 1, len(failures.failures), len(failures.failures))


def error_line(name: str, error: ErrorInfo | Failure, endpoint: str, uri: str = "") -> bytes:
    """The outcome of a failed line, as one JSON line."""
    what = {
        "type": error.type,
        "message": error.message,
        "executor": error.executor,
        "endpoint": endpoint,
    }
    line = {"id": name, "uri": uri, "error": what} if uri else {"id": name, "error": what}
    return msgspec.json.encode(line) + b"\n"


def error_lines(
    docs: Sequence[tuple[str, str]],
    failures: LineFailures | None,
    error: ErrorInfo,
    endpoint: str,
) -> list[bytes]:
    """The outcomes of a request that failed as a whole: one error for each of its lines.

    A line that could not be read keeps its own error, and a request without Documents has one too.

    Args:
        docs: ids of the Documents, and their uris, see `uri_of`.
        failures: the lines that could not be read, if any.
        error: of the request.
        endpoint: that was called.
    """
    if len(docs) == 1:  # it is certain whose error it is
        error = replace(error, message=with_uri(error.message, docs[0][1]))
    lines = [error_line(name, error, endpoint, uri) for name, uri in docs]
    for failure in failures.failures if failures else ():
        lines.insert(failure.place, error_line(failure.id, failure, endpoint, failure.uri))
    return lines or [error_line("", error, endpoint)]


def reduced(arrays: Sequence[DocumentArray]) -> DocumentArray:
    """One array out of the shards' arrays, see `jina.records.reduce`; these are used up."""
    filled = [array for array in arrays if len(array)]
    if len(filled) < 2:
        return filled[0] if filled else DocumentArray()
    columns = [array._columns for array in filled if array._columns is not None]
    if len(columns) == len(filled) and (whole := reduce.reduced_columns(columns)) is not None:
        return DocumentArray._of_columns(whole)
    return DocumentArray._of_records(reduce.reduced([array._records() for array in filled]))


def without_failed(body: Body) -> list[DocumentArray]:
    """The branches' arrays without the Documents that have an error as their outcome.

    A Document that failed in one branch, or in one shard, may have been processed by the others: it
    has one outcome, the error. So rows of the branches that belonged together still do. If an id
    occurs several times in the request, as many are left out as there are errors.

    Args:
        body: with several branches, such as those of a node's shards.
    """
    if body.failures is None or not any(name for each in body.failed for name in each):
        return body.docs
    errors = Counter(each.id for each in body.failures.failures if each.executor)
    asked: Counter[str] = Counter()  # how often each of these ids stood in the request
    for array, failed in zip(body.docs, body.failed, strict=True):
        here = Counter(doc.id for doc in array if doc.id in errors)
        asked |= here + Counter(name for node, ids in failed.items() if node for name in ids)
    kept = []
    for array in body.docs:
        left = asked - errors
        docs = []
        for doc in array:
            if doc.id not in errors:
                docs.append(doc)
            elif left[doc.id] > 0:
                left[doc.id] -= 1
                docs.append(doc)
        kept.append(DocumentArray._of_rows(docs))
    return kept


def concatenated(arrays: Sequence[DocumentArray]) -> DocumentArray:
    """One array out of many; the only one as it is, so that it stays undecoded."""
    return arrays[0] if len(arrays) == 1 else DocumentArray.concat(list(arrays))


def _with_failures(text: bytes, count: int, failures: LineFailures, endpoint: str) -> bytes:
    """Put failed lines where they stood; behind the rest when the number of Documents changed."""
    outcomes = text.splitlines(keepends=True)
    in_place = count + len(failures.failures) == failures.total
    for failure in failures.failures:  # in the order of their places
        line = error_line(failure.id, failure, endpoint, failure.uri)
        outcomes.insert(failure.place if in_place else len(outcomes), line)
    return b"".join(outcomes)


def _merged(found: Sequence[LineFailures]) -> LineFailures | None:
    """One list of failed lines: branches that parsed the same lines found the same failures."""
    if len(found) < 2:
        return found[0] if found else None
    by_place = {(failure.place, failure.id): failure for each in found for failure in each.failures}
    return LineFailures(
        max(each.total for each in found), [by_place[place] for place in sorted(by_place)]
    )


def _too_long(size: int) -> str:
    most = MAX_LINE_BYTES // MIB
    return (
        f"a line of more than {most} MiB ({size} bytes seen), which is too long; "
        "put the content in a file, and its path in `uri`"
    )
