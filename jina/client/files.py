"""Post files and write the results to a file; the same post, made again, resumes after a kill.

Both `jina post` and `Client.post_files` go these steps: find the place of an earlier run, open the
lines after it, stream. Nothing here prints.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from jina.client.error_file import ErrorFile
from jina.client.exchange import Reply, exchange, targets_of
from jina.client.finished import check_finished, note_finished
from jina.client.holding import held
from jina.client.outcomes import Outcomes, outcomes_of
from jina.client.requests import LineRequests, Request, RequestSource, call_for, open_lines
from jina.client.results import ResultFile, open_results, writer_of
from jina.client.resume import Journal, Place, find_place, forget, identity_of
from jina.client.session import Session
from jina.client.tally import Tally
from jina.client.timing import Timing
from jina.defaults import WINDOW_REQUESTS
from jina.excepts import BadClientInput, InputError
from jina.readers import ReadOptions
from jina.wire.header import REQUEST, pack_message
from jina.wire.maps import SPLIT, Call, Welcome, pack_map
from jina.writers import Form, Writer


class Posting(msgspec.Struct, kw_only=True):
    """A post under way, whose results are written as they come.

    Attributes:
        endpoint: such as "/index".
        call: of every request.
        source: of the requests.
        results: begun; where the outcomes go.
        tally: counts them.
        journal: of the results; None when they cannot be resumed.
        target: regular expression for the names of the nodes that take part.
        timeout_s: the longest time without any reply.
        request_timeout_s: what one request may take.
        timing: takes in how long requests waited and ran; None if nobody wants to know.
        writer: turns the JSON lines of a reply into what is written.
        window: requests under way at once.
        is_ordered: replies are written in the order of the requests, not as they come.
        on_error: see `exchange`.
        improved: tries what failed of a request again, and gives the outcomes that count.
        errors: begun; a file for errors, which stand among the results too.
        look: is shown the outcomes of each reply, before they are written.
    """

    endpoint: str
    call: Call
    source: RequestSource
    results: ResultFile
    tally: Tally
    journal: Journal | None = None
    target: str = ""
    timeout_s: float | None = None
    request_timeout_s: float | None = None
    timing: Timing | None = None
    writer: Writer = msgspec.field(default_factory=Writer)
    window: int = WINDOW_REQUESTS
    is_ordered: bool = True
    lines_done: int = 0
    """Lines of all inputs that have their outcomes, in this run or before."""
    bytes_done: int = 0
    """Likewise their bytes, about."""
    on_error: str = SPLIT
    improved: Callable[[Request, Outcomes], Outcomes] | None = None
    errors: ErrorFile | None = None
    look: Callable[[Outcomes, Reply], None] | None = None

    def stream(self, session: Session) -> Iterator[int]:
        """Send the requests and write each reply in its turn; yields the outcomes so far.

        Raises:
            InputError: an input broke off; what was read before has its outcomes, and cannot be
                resumed.
            JinaError: anything else that ends a post; it can be resumed if there is a journal.
        """
        replies = exchange(
            session,
            self.endpoint,
            self.source,
            target=self.target,
            timeout_s=self.timeout_s,
            request_timeout_s=self.request_timeout_s,
            is_timed=self.timing is not None,
            window=self.window,
            is_ordered=self.is_ordered,
            on_error=self.on_error,
        )
        try:
            for reply in replies:
                outcomes = outcomes_of(reply, self.endpoint, self.call)
                if self.improved is not None and outcomes.failed:
                    outcomes = self.improved(reply.request, outcomes)
                if self.timing is not None:
                    self.timing.add(reply.way.legs)
                if self.look is not None:
                    self.look(outcomes, reply)
                if self.journal is None:
                    self._write(outcomes, reply)
                else:
                    with held():  # a file makes nobody wait
                        self._write(outcomes, reply)
                yield self.tally.outcomes
        except InputError:
            self.tally.is_broken = True
            self._end()
            raise
        self._end()
        self.writer.complete(self.results.path)
        self.results.complete()

    def _write(self, outcomes: Outcomes, reply: Reply) -> None:
        """Write the outcomes of a reply, and count those that are written, whatever comes."""
        if self.errors is not None:
            self.errors.add(outcomes)
        data = self.writer.written(outcomes.lines)
        before, start, is_written = self.tally.outcomes, self.results.size, False
        try:
            self.tally.add(outcomes, reply)
            self.results.write(data)
            is_written = True
        finally:
            if not is_written:
                lines = bytes(data[: self.results.size - start]).count(b"\n")
                self.tally.outcomes = before + min(outcomes.total, lines)
        self.lines_done = max(self.lines_done, reply.request.lines_read)
        self.bytes_done = max(self.bytes_done, reply.request.bytes_read)
        if self.journal is not None and not self.writer.is_behind:
            self.journal.note(self.place())

    def place(self) -> Place:
        """How far it has come."""
        return Place(
            lines=self.lines_done or self.tally.earlier.lines,
            size=self.results.size,
            outcomes=self.tally.outcomes,
            failed=self.tally.failed,
            went_on=self.tally.went_on,
            errors=self.errors.size if self.errors is not None else 0,
        )

    def _end(self) -> None:
        self.results.write(self.writer.end())
        if self.journal is not None:
            self.journal.finish()


class PostedFiles(NamedTuple):
    """What has become of files that were posted.

    Attributes:
        outcomes: in the output, those of earlier runs included.
        failed: how many of them are errors.
        resumed: how many of them earlier runs had written.
        went_on: how many, none of them an error, are of requests that went on after an error.
    """

    outcomes: int
    failed: int
    resumed: int
    went_on: int = 0


def post_files(
    connect: Callable[[], contextlib.AbstractContextManager[Session]],
    endpoint: str,
    inputs: Sequence[str],
    output: str,
    *,
    call: Call,
    reading: ReadOptions,
    target: str,
    request_docs: int | None,
    restart: bool,
    timeout_s: float | None,
    request_timeout_s: float | None,
    form: Form,
    on_error: str = SPLIT,
) -> PostedFiles:
    """Post files and write one outcome for each line; see `Client.post_files`.

    Args:
        connect: gives the session, once everything else is known to be right.
        endpoint: such as "/index".
        inputs: as for `open_inputs`.
        output: path of the results.
        call: of every request.
        reading: how inputs are read.
        target: regular expression for the names of the nodes that take part.
        request_docs: lines in a request; None for what suits the input.
        restart: whatever an earlier run has written is overwritten.
        timeout_s: the longest time without any reply.
        request_timeout_s: what one request may take.
        form: of the output.
        on_error: see `exchange`.
    """
    call = call_for(form, call)
    pack_message(REQUEST, call=pack_map(call))  # what cannot be carried is told before anything
    is_file = output != "-"
    about = (
        identity_of_post(endpoint, inputs, call, reading, target, form.shown) if is_file else None
    )
    identity = None if form.is_whole else about
    place = None if restart or not is_file else find_place(output, identity, None)
    if place is None and is_file and not restart:
        done = check_finished(output, about, None)
        if done is not None and done.is_all:
            found = done.place
            return PostedFiles(found.outcomes, found.failed, found.outcomes, found.went_on)
        place = done.place if done is not None else None
    place = place or Place()
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(open_lines(inputs, reading, output, place.lines))
        results = stack.enter_context(open_results(output, is_whole=form.is_whole))
        session = stack.enter_context(connect())
        _check_target(session.welcome, target)  # before the results are cut
        results.begin(place.size)
        posting = Posting(
            endpoint=endpoint,
            call=call,
            source=LineRequests(lines, call, request_docs=request_docs),
            results=results,
            tally=Tally(place),
            target=target,
            timeout_s=timeout_s,
            request_timeout_s=request_timeout_s,
            writer=writer_of(results, form, call.select, can_wait=identity is not None),
            on_error=on_error,
        )
        if identity is not None and results.is_regular:
            posting.journal = Journal(output, identity, place)
            stack.callback(posting.journal.close)
        elif restart:
            forget(output)
        for _ in posting.stream(session):
            pass
        if is_file:
            note_finished(output, about, posting.place(), is_all=True)
    tally = posting.tally
    return PostedFiles(tally.outcomes, tally.failed, place.outcomes, tally.went_on)


def _check_target(welcome: Welcome, target: str) -> None:
    """Refuse a target that matches no Executor: every Document would come back as it was.

    Raises:
        BadClientInput: it matches none, or is not a regular expression.
    """
    if targets_of(welcome, target) == [] and welcome.endpoints:
        raise BadClientInput(
            f'no Executor of the Flow "{welcome.flow}" has a name that starts with '
            f"{target!r}; the names are: {', '.join(sorted(welcome.endpoints))}"
        )


def identity_of_post(
    endpoint: str,
    inputs: Sequence[str],
    call: Call,
    reading: ReadOptions,
    target: str,
    form: str = "jsonl",
    skip: int = 0,
) -> dict[str, str] | None:
    """What must be the same for a later run to resume this post; None if it cannot be resumed.

    Args:
        endpoint: such as "/index".
        inputs: as they were named.
        call: of every request.
        reading: how inputs are read.
        target: see `Posting`.
        form: of the results, as `Form.shown` has it.
        skip: lines at the start of the inputs that are left out.

    Raises:
        InputError: an input cannot be read.
    """
    return identity_of(
        inputs,
        reading,
        endpoint=endpoint,
        parameters=call.parameters,
        target=target,
        tensors=call.tensors,
        select=list(call.select),
        exclude=list(call.exclude),
        form=form,
        skip=skip,
    )
