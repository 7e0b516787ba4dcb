"""What a worker does with requests: one alone, or a lot of them that becomes one call.

A lot's Documents stand one request behind the other; what the calls give is taken apart by row.
Whoever asked gets nothing of what belongs to others, neither Documents nor errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter, is_
from typing import Any

import msgspec

from jina.excepts import BatchingError, RequestTimeout, WireError
from jina.executors.call import call as call_executor
from jina.graph.plan import WorkerSpec
from jina.names import DEFAULT_ENDPOINT
from jina.records.selection import selection_of
from jina.runtime import halves
from jina.transport import sockets
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire import body as bodies
from jina.wire.batching import Batching, goes_around
from jina.wire.header import Header
from jina.wire.maps import Call, LineFailures, Part, Route, unpack_map, unpack_route

_FIRST_IDS = 3  # of a request that failed, in the Flow's log
_ID_CHARS = 100  # of each

#: What is sent back: the parts and their frames.
Written = tuple[list[Part], list[Any]]


class Arrivals:
    """Requests on their way in: those of a lot come one behind the other."""

    def __init__(self) -> None:
        self._lot = 0
        self._waiting: list[Header] = []

    def add(self, header: Header) -> list[list[Header]]:
        """Take a request; return what is complete: a lot, or a request alone."""
        try:
            lot = unpack_route(header.route).lot
        except WireError:
            lot = 0  # whoever reads it will say so
        if not lot and not self._waiting:  # the usual case
            return [[header]]
        complete = []
        if self._waiting and lot != self._lot:
            complete.append(self._taken())  # the rest was lost with its gateway
        self._lot = lot
        self._waiting.append(header)
        if lot in (0, header.number):
            complete.append(self._taken())
        return complete

    def drop(self) -> None:
        """Forget a lot that is not complete: its gateway has died, another one sends it anew."""
        self._waiting = []

    def _taken(self) -> list[Header]:
        taken, self._waiting = self._waiting, []
        return taken


class Work(msgspec.Struct, frozen=True):
    """One request, read.

    Args:
        header: as it came.
        route: likewise.
        call: likewise.
        docs: its Documents, of all branches.
        groundtruths: likewise; None where there are none.
        failures: its lines that have an error as their outcome; None where there are none.
        matrix: on a join, the Documents of each branch.
        groundtruths_matrix: likewise.
        is_called: whether there is anything to call the Executor for.
    """

    header: Header
    route: Route
    call: Call
    docs: DocumentArray
    groundtruths: DocumentArray | None
    failures: LineFailures | None
    matrix: list[DocumentArray] | None
    groundtruths_matrix: list[DocumentArray] | None
    is_called: bool

    @property
    def as_lines(self) -> bool:
        """Whether the result is written as JSON lines."""
        return self.route.is_last and self.call.lines

    @property
    def may_be_lines(self) -> bool:
        """Whether a client may take the result for its JSON lines, if it is written as lines."""
        call = self.call
        if not call.lines:
            return True
        if call.words:  # what is not the whole answer is written in ours
            return not self.route.is_answer
        return self.route.is_end or not (call.select or call.exclude)


class Stretch(msgspec.Struct, frozen=True):
    """What one call gave: for the rows from `start` up to `stop`, Documents or an error."""

    start: int
    stop: int
    docs: DocumentArray
    groundtruths: DocumentArray | None
    error: BaseException | None = None


class Desk:
    """Reads requests, calls the Executor and writes what comes of it.

    Args:
        executor: the instance.
        spec: of its worker.
        bound: endpoints that it serves.
        batching: those of them that are batched.
        once: those of them whose method must not see a Document twice.
    """

    def __init__(
        self,
        executor: Any,
        spec: WorkerSpec,
        bound: Sequence[str],
        batching: Mapping[str, Batching],
        once: Collection[str] = (),
    ) -> None:
        self._executor = executor
        self._spec = spec
        self._bound = bound
        self._batching = batching
        self._once = once

    def run(self, header: Header) -> Written:
        """Do one request.

        Raises:
            BaseException: whatever the method raises; WireError for a body that cannot be read.
        """
        work = self._read(header)
        written = self._do(work)
        if work.route.carried:
            return halves.together(
                work.route,
                header.frames,
                written,
                as_lines=work.as_lines,
                may_be_lines=work.may_be_lines,
            )
        return written

    def _do(self, work: Work) -> Written:
        if not work.is_called:
            return write(work, work.docs, work.groundtruths)
        if self._batching and work.matrix is None:
            batching = self._batching_for(work)
            if batching is not None and len(work.docs):
                stretches = list(self._stretches([work], batching.most_rows))
                for stretch in stretches:
                    if stretch.error is not None:
                        raise stretch.error
                return write(work, *_between(stretches, 0, len(work.docs)))
        docs = call_executor(
            self._executor,
            work.route.endpoint,
            docs=work.docs,
            parameters=work.call.parameters,
            docs_matrix=work.matrix,
            groundtruths=work.groundtruths,
            groundtruths_matrix=work.groundtruths_matrix,
        )
        return write(work, docs, work.groundtruths)

    def run_lot(self, headers: Sequence[Header]) -> list[Written | BaseException | None]:
        """Do several requests in one call.

        Returns:
            for each what came of it: what is sent back, the error that is its own, or None where it
            is to be done alone, since the call raised, and may see its Documents twice.
        """
        results: list[Written | BaseException | None] = [None] * len(headers)
        together: dict[bool, list[tuple[int, Work]]] = {False: [], True: []}
        for place, header in enumerate(headers):
            try:
                work = self._read(header)
                if not work.is_called:
                    results[place] = write(work, work.docs, work.groundtruths)
                elif len(work.docs) and len(work.groundtruths or work.docs) == len(work.docs):
                    together[bool(work.groundtruths)].append((place, work))
            except Exception as error:
                results[place] = error
        for places_and_works in together.values():
            if places_and_works:
                places, works = zip(*places_and_works, strict=True)
                for place, result in zip(places, self._results(works), strict=True):
                    results[place] = result
        return results

    def about(self, header: Header) -> tuple[list[str], str]:
        """What to tell of a request that failed, as far as it can be read.

        Returns:
            the ids of its first Documents, and the uri of its Document if it has only one.
        """
        try:
            docs = self._read(header).docs
            uri = bodies.uri_of(docs[0]) if len(docs) == 1 else ""
            return [doc.id[:_ID_CHARS] for doc in docs[:_FIRST_IDS]], uri
        except Exception:
            return [], ""

    def _read(self, header: Header) -> Work:
        """Read a request.

        Raises:
            RequestTimeout: its time is over.
            WireError: its body does not fit its route map, or is damaged.
        """
        route = unpack_route(header.route)
        if route.deadline is not None and time.monotonic() >= route.deadline:
            # The gateway reckons on the same clock, because both are on one machine. Nobody reads
            # this but one whose own timer comes a moment later.
            raise RequestTimeout("The request exceeded its time limit")
        call = unpack_map(Call, header.call)
        if route.stop:
            docs, groundtruths, failures = halves.read_some(header, route, call)
            is_called = len(docs) > 0 and not route.skip
            return Work(header, route, call, docs, groundtruths, failures, None, None, is_called)
        body = bodies.read_body(
            route.parts, header.frames, route.branches, call, header.base, sockets.payload
        )
        failures = body.failures
        branches, docs, groundtruths = self._joined(body, route.endpoint)
        is_called = failures is None or len(failures.failures) < failures.total
        joined = route.branches > 1
        return Work(
            header,
            route,
            call,
            docs,
            groundtruths,
            failures,
            branches if joined else None,
            (body.groundtruths or None) if joined else None,
            is_called,
        )

    def _joined(
        self, body: bodies.Body, endpoint: str
    ) -> tuple[list[DocumentArray], DocumentArray, DocumentArray | None]:
        """The Documents of each branch, those of all, and the groundtruths of all.

        Where the branches are a node's shards, Documents with the same id become one, unless an
        Executor serves the endpoint, which does as it wants, or the node says otherwise.
        """
        spec = self._spec
        branches = body.docs if len(body.docs) == 1 else bodies.without_failed(body)
        if len(branches) == 1 or not spec.tail_of:
            truths = bodies.concatenated(body.groundtruths) if body.groundtruths else None
            return branches, bodies.concatenated(branches), truths
        truths = bodies.reduced(body.groundtruths) if body.groundtruths else None
        if spec.reduces and not self._serves(endpoint):
            return branches, bodies.reduced(branches), truths
        return branches, bodies.concatenated(branches), truths

    def _serves(self, endpoint: str) -> bool:
        return endpoint in self._bound or DEFAULT_ENDPOINT in self._bound

    def _results(self, works: Sequence[Work]) -> Iterator[Written | BaseException | None]:
        """What came of each of some requests that become one call."""
        batching = self._batching_for(works[0])
        stretches = list(self._stretches(works, batching.most_rows if batching else 0))
        start = 0
        for work in works:
            stop = start + len(work.docs)
            errors = [
                stretch.error
                for stretch in stretches
                if stretch.error is not None and stretch.start < stop and start < stretch.stop
            ]
            if not errors:
                yield _kept(partial(_written, work, stretches, start, stop))
            else:
                is_told = all(isinstance(error, BatchingError) for error in errors)
                is_told = is_told or self._is_once(works[0].route.endpoint)
                yield errors[0] if is_told else None
            start = stop

    def _stretches(self, works: Sequence[Work], most_rows: int) -> Iterator[Stretch]:
        """Call the method with the Documents of all, `most_rows` at a time.

        After an error, a request alone is not gone on with; among several others may succeed.
        """
        docs = bodies.concatenated([work.docs for work in works])
        groundtruths = None
        if works[0].groundtruths:
            groundtruths = bodies.concatenated(
                [work.groundtruths for work in works if work.groundtruths is not None]
            )
            if len(groundtruths) != len(docs):  # nobody knows which row they belong to
                most_rows = 0
        total = len(docs)
        step = most_rows or total
        for start in range(0, total, step):
            stop = min(start + step, total)
            stretch = self._stretch(works, docs, groundtruths, start, stop)
            yield stretch
            if stretch.error is not None and len(works) == 1:
                return

    def _stretch(
        self,
        works: Sequence[Work],
        docs: DocumentArray,
        groundtruths: DocumentArray | None,
        start: int,
        stop: int,
    ) -> Stretch:
        first = works[0]
        some, some_truths = docs, groundtruths
        if stop - start < len(docs):
            some = docs[start:stop]
            some_truths = None if groundtruths is None else groundtruths[start:stop]
        before = list(some)  # also of one alone: no answer depends on who else was there
        try:
            given = call_executor(
                self._executor,
                first.route.endpoint,
                docs=some,
                # Decoded anew: a method may change what stands within its parameters.
                parameters=unpack_map(Call, first.header.call).parameters,
                groundtruths=some_truths,
            )
            if len(given) != stop - start:
                raise _miscounted(first.route.endpoint, len(given), stop - start)
            given = _by_row(given, before, first.route.endpoint)
        except BaseException as error:
            return Stretch(start, stop, DocumentArray(), None, error)
        return Stretch(start, stop, given, some_truths)

    def _is_once(self, endpoint: str) -> bool:
        return (endpoint if endpoint in self._bound else DEFAULT_ENDPOINT) in self._once

    def _batching_for(self, work: Work) -> Batching | None:
        """The settings of a request's endpoint; None where it goes around them."""
        endpoint = work.route.endpoint
        found = self._batching.get(endpoint)
        if found is None and endpoint not in self._executor.requests:
            found = self._batching.get(DEFAULT_ENDPOINT)
        return None if found is None or goes_around(work.call.parameters) else found


def _miscounted(endpoint: str, given: int, taken: int) -> BatchingError:
    number = "1 Document" if given == 1 else f"{given} Documents"
    return BatchingError(
        f"the method of {endpoint} returned {number} for {taken}; with dynamic batching it must "
        "return one for each, in the same order",
        hint=f"return one Document for each, or turn dynamic batching off for {endpoint}",
    )


def write(work: Work, docs: DocumentArray, groundtruths: DocumentArray | None) -> Written:
    """Write what came of a request; at an end, without the fields that the client leaves out."""
    call = work.call
    is_end = work.route.is_end or work.route.is_last
    selection = selection_of(call.select, call.exclude) if is_end else None
    if work.as_lines:
        parts, lines = bodies.write_lines(docs, work.failures, work.route.endpoint, call, selection)
        return parts, list(lines)
    if selection is not None:
        docs = DocumentArray._of_records([selection(record) for record in docs._records()])
    return bodies.write_body(docs, groundtruths, work.failures, may_be_lines=work.may_be_lines)


def _written(work: Work, stretches: Sequence[Stretch], start: int, stop: int) -> Written:
    return write(work, *_between(stretches, start, stop))


def _kept(make: Callable[[], Written]) -> Written | BaseException:
    """What it returns, or the error that it raises."""
    try:
        return make()
    except Exception as error:
        return error


def _between(
    stretches: Sequence[Stretch], start: int, stop: int
) -> tuple[DocumentArray, DocumentArray | None]:
    """The Documents and groundtruths of some rows, out of what the calls gave."""
    if len(stretches) == 1 and stop - start == len(stretches[0].docs):
        return stretches[0].docs, stretches[0].groundtruths
    docs: list[DocumentArray] = []
    groundtruths: list[DocumentArray] = []
    for stretch in stretches:
        first, last = max(start, stretch.start), min(stop, stretch.stop)
        if first < last:
            rows = slice(first - stretch.start, last - stretch.start)
            docs.append(stretch.docs[rows])
            if stretch.groundtruths is not None:
                groundtruths.append(stretch.groundtruths[rows])
    return bodies.concatenated(docs), bodies.concatenated(groundtruths) if groundtruths else None


def _by_row(docs: DocumentArray, before: Sequence[Document], endpoint: str) -> DocumentArray:
    """Documents in the order of those that the method got, also if it has sorted them.

    Args:
        docs: that it returned, as many as it got.
        before: those that it got.
        endpoint: for the message.

    Raises:
        BatchingError: they are new ones in another order, and their ids do not tell whose they are.
    """
    after = list(docs)
    if all(map(is_, after, before)):
        return docs
    for key in (id, attrgetter("id")):
        found, wanted = list(map(key, after)), list(map(key, before))
        if found == wanted:
            return docs
        rows = {name: row for row, name in enumerate(wanted)}
        if len(rows) == len(wanted) and rows.keys() == set(found):
            by_row = dict(zip(map(rows.__getitem__, found), after, strict=True))
            return DocumentArray([by_row[row] for row in range(len(wanted))])
    if any(name in rows and name != own for name, own in zip(found, wanted, strict=True)):
        raise BatchingError(
            f"the method of {endpoint} returned Documents in a different order, and their ids do "
            "not identify them",
            hint=f"keep their order, or turn dynamic batching off for {endpoint}",
        )
    return docs
