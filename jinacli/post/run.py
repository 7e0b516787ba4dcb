"""What `jina post` does, as a staircase: prepare, resume, stream, summarise.

Each step knows more than the one before: what is asked for and how far an earlier run came; the
Flow, and the results cut to that place; the outcomes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jina.client.files import Posting, identity_of_post
from jina.client.requests import RequestSource
from jina.client.resume import Journal, Place, find_place, forget
from jina.client.session import Session
from jina.client.tally import Tally
from jina.client.timing import Timing
from jina.defaults import TIMEOUT_CONNECT_S, WINDOW_REQUESTS
from jina.excepts import ConnectError, InputError, OutputError, PostTimeout
from jina.readers import LineSource
from jinacli import exits
from jinacli.post.destination import check_endpoint, check_target, find_address
from jinacli.post.inputs import inputs_of, open_source, say_without_inputs
from jinacli.post.looking import looking
from jinacli.post.options import PostOptions
from jinacli.post.output import open_results, writer_of
from jinacli.post.signals import signals_unwind
from jinacli.screens.errors import say
from jinacli.screens.post import (
    counted,
    say_misread,
    say_summary,
    say_unmet,
    say_unserved,
    so_far,
    unwritten,
)
from jinacli.screens.progress import progress_of
from jinacli.screens.timing import say_timing


@dataclass
class _Prepared:
    """A post that has not touched its Flow yet.

    Attributes:
        identity: what another run must have in common to resume it; None if none can.
        earlier: how far an unfinished run came; None if there was none.
        source: of the requests that are left.
        lines: that they are made of; None for Documents.
    """

    identity: dict[str, str] | None
    earlier: Place | None
    source: RequestSource
    lines: LineSource | None


def run_post(options: PostOptions) -> int:
    """Post, and return the exit code."""
    with contextlib.ExitStack() as stack:
        check_signals = stack.enter_context(signals_unwind())
        prepared = _prepare(options, stack)
        timing = None
        if options.limit == 0 and prepared.earlier is None:
            tally = _post_nothing(options, stack)
            notes: Sequence[str] = ()
        else:
            session, posting = _resume(options, prepared, stack)
            tally = posting.tally
            _stream(options, prepared, posting, session, check_signals)
            _say_notes(options, prepared, tally, session)
            timing = posting.timing
            notes = posting.writer.notes()
    _say_end(options, tally, notes)
    if timing is not None:
        say_timing(timing)
    if tally.is_broken:
        return exits.FAILED
    return exits.SOME_FAILED if tally.failed or tally.went_on else exits.OK


def _say_end(options: PostOptions, tally: Tally, notes: Sequence[str]) -> None:
    """Say what has become of everything."""
    if tally.is_broken and options.form.is_whole and options.output != "-":
        say(unwritten(options.output, options.form.shown))
    else:
        say_summary(tally, options.output, quiet=options.quiet)
    if tally.misread and not options.quiet:
        say_misread(tally.misread)
    for note in notes:
        if note.startswith("warning: ") or not options.quiet:
            say(note)


def _prepare(options: PostOptions, stack: contextlib.ExitStack) -> _Prepared:
    """Find how far an earlier run came, and open the inputs there."""
    identity = _identity(options)
    earlier = None
    if not options.restart:
        limit = None if options.limit is None else options.skip + options.limit
        earlier = find_place(options.output, identity, limit)
    source, lines = open_source(options, earlier.lines if earlier else options.skip, stack)
    return _Prepared(identity, earlier, source, lines)


def _identity(options: PostOptions) -> dict[str, str] | None:
    inputs = inputs_of(options)
    if options.output == "-" or not inputs or options.form.is_whole or options.unordered:
        return None
    return identity_of_post(
        options.endpoint,
        inputs,
        options.call,
        options.reading,
        options.target,
        options.form.shown,
        options.skip,
    )


def _post_nothing(options: PostOptions, stack: contextlib.ExitStack) -> Tally:
    """Make the output empty, without any Flow."""
    say("nothing to post: --limit is 0")
    results = open_results(options.output, options.form)
    stack.callback(results.close)
    results.begin(0)
    writer = writer_of(results, options.form, options.select)
    results.write(writer.end())
    writer.complete(results.path)
    results.complete()
    if options.restart:
        forget(options.output)
    return Tally(Place())


def _resume(
    options: PostOptions, prepared: _Prepared, stack: contextlib.ExitStack
) -> tuple[Session, Posting]:
    """Connect to the Flow, then cut the results to where this run begins."""
    place = prepared.earlier or Place()
    results = stack.enter_context(open_results(options.output, options.form))
    address = find_address(options, stack)
    limit_s = min(options.timeout_s or TIMEOUT_CONNECT_S, TIMEOUT_CONNECT_S)
    session = stack.enter_context(Session(address, timeout_connect_s=limit_s))
    check_target(options.target, session)
    check_endpoint(options, session)
    if options.is_verbose:
        say(f'posting to {options.endpoint} of the Flow "{session.welcome.flow}" at {address}')
    if not options.quiet:
        say_without_inputs(options.endpoint, inputs_of(options), options.texts)
    results.begin(place.size)
    posting = Posting(
        endpoint=options.endpoint,
        call=options.call,
        source=prepared.source,
        results=results,
        tally=Tally(place),
        target=options.target,
        timeout_s=options.timeout_s,
        request_timeout_s=options.request_timeout_s,
        timing=Timing() if options.is_timed else None,
        writer=writer_of(
            results, options.form, options.select, can_wait=prepared.identity is not None
        ),
        window=options.window or WINDOW_REQUESTS,
        is_ordered=not options.unordered,
    )
    posting.lines_done = place.lines or options.skip
    posting.bytes_done = prepared.lines.bytes_taken if prepared.lines is not None else 0
    if prepared.identity is not None and results.is_regular:
        posting.journal = _begin_journal(options, prepared.identity, place)
    if posting.journal is not None:
        stack.callback(posting.journal.close)
    elif options.restart:
        forget(options.output)
    if prepared.earlier is not None and not options.quiet:
        say(f"Resuming after {counted(place.outcomes)} in {options.output}")
    return session, posting


def _begin_journal(options: PostOptions, identity: dict[str, str], place: Place) -> Journal | None:
    """Begin the progress file; if it cannot be written, the post does without."""
    try:
        return Journal(options.output, identity, place)
    except OutputError as error:
        if not options.quiet:
            say(f"note: {error}; if this post is interrupted, it cannot be resumed")
        return None


def _stream(
    options: PostOptions,
    prepared: _Prepared,
    posting: Posting,
    session: Session,
    check_signals: Callable[[], None],
) -> None:
    """Post everything, and say how far it came if something ends it early."""
    tally, journal = posting.tally, posting.journal
    try:
        with progress_of(
            looking(options, prepared.lines, posting),
            to_stdout=options.output == "-",
            is_wanted=options.show_progress,
            is_verbose=options.is_verbose,
        ) as show:
            for _ in posting.stream(session):
                show()
                check_signals()
    except InputError as error:  # it broke off; what was read before has its outcomes
        say(f"error: {error}")
    except (KeyboardInterrupt, exits.Terminated):
        if options.form.is_whole and options.output != "-":
            say(unwritten(options.output, options.form.shown))
        else:
            say(so_far(tally, journal, "the interruption"))
        raise
    except (ConnectError, PostTimeout, OutputError) as error:
        # What was not wholly written is counted too, but for the journal.
        if tally.outcomes and (journal is not None or not isinstance(error, OutputError)):
            say(f"{so_far(tally, journal, 'this')}:")
        raise


def _say_notes(options: PostOptions, prepared: _Prepared, tally: Tally, session: Session) -> None:
    """Say what may not be as it was meant, though all requests have their answers."""
    if session.number == 0 and prepared.earlier is None and not tally.is_broken:
        say("nothing to post: the input is empty")
    if tally.has_unserved and not options.quiet:
        say_unserved(options.endpoint, session)
    if tally.outcomes and not (tally.is_broken or options.quiet):
        say_unmet(options.reading, prepared.lines)
