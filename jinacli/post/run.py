"""What `jina post` does, as a staircase: prepare, resume, stream, summarise.

Each step knows more than the one before: what is asked for and how far an earlier run came; the
Flow, and the results cut to that place; the outcomes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import msgspec

from jina.client.files import Posting, identity_of_post
from jina.client.finished import Finished, check_finished, note_finished
from jina.client.requests import RequestSource
from jina.client.resume import Journal, Place, find_place, forget
from jina.client.session import Session
from jina.client.tally import Tally
from jina.client.timing import Timing
from jina.defaults import TIMEOUT_CONNECT_S, WINDOW_REQUESTS
from jina.excepts import ConnectError, InputError, OutputError, PostTimeout
from jina.readers import LineSource
from jinacli import exits
from jinacli.post.completing import complete_in_place, is_in_place
from jinacli.post.destination import (
    check_endpoint,
    check_target,
    credentials_of,
    find_address,
    meant_by,
)
from jinacli.post.echoes import Echoes, echoes_of
from jinacli.post.failing import (
    attach,
    is_nothing_left,
    key_of_results,
    open_errors,
    refuse_inputs,
    say_unfound,
    select_failed,
)
from jinacli.post.inputs import inputs_of, open_source, say_without_inputs
from jinacli.post.looking import looking
from jinacli.post.options import PostOptions
from jinacli.post.output import open_results, writer_of
from jinacli.post.parameters import say_misspelt
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

_ALL_SKIPPED = "--skip left out the whole input"


class _Prepared(msgspec.Struct):
    """A post that has not touched its Flow yet.

    Attributes:
        identity: what another run must have in common to resume it; None if none can.
        earlier: how far an unfinished run came; None if there was none.
        source: of the requests that are left.
        lines: that they are made of; None for Documents.
        complete: what the output holds, if that is all of this post.
        echoes: compares results with inputs, if somebody wants to know.
    """

    identity: dict[str, str] | None
    earlier: Place | None
    source: RequestSource
    lines: LineSource | None
    complete: Finished | None = None
    echoes: Echoes | None = None


def run_post(options: PostOptions) -> int:
    """Post, and return the exit code."""
    return complete_in_place(options, _run) if is_in_place(options) else _run(options)


def _run(options: PostOptions) -> int:
    with contextlib.ExitStack() as stack:
        check_signals = stack.enter_context(signals_unwind())
        prepared = _prepare(options, stack)
        timing = None
        is_stopped = has_given_up = False
        if prepared.complete is not None:
            return _say_complete(options, prepared.complete)
        if is_nothing_left(options.failing, prepared.source):
            say(f"nothing to post: there are no errors in {options.failing.only_failed}")
            return exits.OK
        is_all_skipped = bool(options.texts) and options.skip >= len(options.texts)
        if (options.limit == 0 or is_all_skipped) and prepared.earlier is None:
            tally = _post_nothing(options, stack)
            notes: Sequence[str] = ()
        else:
            session, posting = _resume(options, prepared, stack)
            tally = posting.tally
            is_stopped = has_given_up = _stream(options, prepared, posting, session, check_signals)
            _say_notes(options, prepared, tally, session)
            timing = posting.timing
            notes = [*posting.writer.notes(), *_echoed(prepared)]
            if not (is_stopped or tally.is_broken):
                is_stopped = say_unfound(options.failing, prepared.source)
                _note_finished(options, prepared, posting)
    _say_end(options, tally, notes, is_lost=tally.is_broken or has_given_up)
    if timing is not None:
        say_timing(timing)
    if tally.is_broken or is_stopped:
        return exits.FAILED
    return exits.SOME_FAILED if tally.failed or tally.went_on else exits.OK


def _say_end(options: PostOptions, tally: Tally, notes: Sequence[str], *, is_lost: bool) -> None:
    """Say what has become of everything; `is_lost`: of results that are of use only as a whole."""
    output = options.output
    if is_lost and options.form.is_whole and output != "-":
        if tally.is_broken:  # else it was said already
            say(unwritten(output, options.form.shown))
        output = "-"
    say_summary(tally, output, quiet=options.quiet)
    if tally.misread and not options.quiet:
        say_misread(tally.misread)
    for note in notes:
        if note.startswith("warning: ") or not options.quiet:
            say(note)


def _prepare(options: PostOptions, stack: contextlib.ExitStack) -> _Prepared:
    """Find how far an earlier run came, and open the inputs there."""
    identity = _identity(options)
    earlier = None
    limit = None if options.limit is None else options.skip + options.limit
    if not options.restart:
        earlier = find_place(options.output, identity, limit)
    complete = None
    if earlier is None and options.output != "-" and not options.restart:
        complete = _finished(options, identity, stack)
        if complete is not None and not complete.is_enough(limit):
            earlier, complete = complete.place, None
    source, lines = open_source(options, earlier.lines if earlier else options.skip, stack)
    if complete is None:
        source = select_failed(options.failing, source, options.call)
    refuse_inputs(options.failing, lines)
    return _Prepared(identity, earlier, source, lines, complete, echoes_of(options))


def _echoed(prepared: _Prepared) -> list[str]:
    """That most of the results are as they were posted, if they are."""
    note = prepared.echoes.note() if prepared.echoes is not None else ""
    return [note] if note else []


def _finished(
    options: PostOptions, identity: dict[str, str] | None, stack: contextlib.ExitStack
) -> Finished | None:
    """What this very post has written there before, see `check_finished`."""
    limit = None if options.limit is None else options.skip + options.limit
    try:
        about = check_finished(options.output, _about(options), limit)
    except InputError:
        open_source(options, 0, stack)  # if it is an input, that is what is wrong with it
        raise
    if about is not None and identity is None and not about.is_enough(limit):
        raise InputError(
            "it has fewer results and cannot be continued",
            where=options.output,
            hint="write to another file, or overwrite it with --restart",
        )
    return about


def _identity(options: PostOptions) -> dict[str, str] | None:
    """What another run must have in common to resume this one; None if none can."""
    return None if options.form.is_whole or options.unordered else _about(options)


def _about(options: PostOptions) -> dict[str, str] | None:
    """What tells this post from others; None if that cannot be told."""
    inputs = inputs_of(options)
    if options.output == "-" or not inputs:
        return None
    identity = identity_of_post(
        options.endpoint,
        inputs,
        options.call,
        options.reading,
        options.target,
        options.form.shown,
        options.skip,
    )
    return None if identity is None else identity | key_of_results(options.failing)


def _post_nothing(options: PostOptions, stack: contextlib.ExitStack) -> Tally:
    """Make the output empty, without any Flow."""
    say(f"nothing to post: {'--limit is 0' if options.limit == 0 else _ALL_SKIPPED}")
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
    session = stack.enter_context(
        Session(address, timeout_connect_s=limit_s, keys=credentials_of(options))
    )
    check_target(options.target, session.welcome)
    check_endpoint(options, session.welcome)
    if options.call.parameters and not options.quiet:
        with contextlib.suppress(ConnectError):  # whatever is wrong, the post meets it
            nodes = session.description(limit_s)["nodes"]
            meant = meant_by(options.target, session.welcome)
            say_misspelt(options.call.parameters, options.endpoint, nodes, meant)
    if options.is_verbose:
        say(f'posting to {options.endpoint} of the Flow "{session.welcome.flow}" at {address}')
    if not options.quiet:
        say_without_inputs(options.endpoint, inputs_of(options), options.texts)
    errors = open_errors(options.failing, place, stack)
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
        errors=errors,
        writer=writer_of(
            results, options.form, options.select, can_wait=prepared.identity is not None
        ),
        window=options.window or WINDOW_REQUESTS,
        is_ordered=not options.unordered,
        look=prepared.echoes.add if prepared.echoes is not None else None,
    )
    attach(options.failing, posting, session, stack)
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
) -> bool:
    """Post everything, and say how far it came if something ends it early.

    Returns:
        whether it was stopped because so many Documents had failed.
    """
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
                if options.failing.is_enough(tally):
                    say(_ended_early(options, posting, f"{options.failing.limit_name} stopped it"))
                    return True
    except InputError as error:  # it broke off; what was read before has its outcomes
        say(f"error: {error}")
    except (KeyboardInterrupt, exits.Terminated):
        say(_ended_early(options, posting, "the interruption"))
        raise
    except (ConnectError, PostTimeout, OutputError) as error:
        # What was not wholly written is counted too, but for the journal.
        if tally.outcomes and (journal is not None or not isinstance(error, OutputError)):
            say(f"{_ended_early(options, posting, 'this')}:")
        raise
    return False


def _say_complete(options: PostOptions, about: Finished) -> int:
    """The output holds all of this post already."""
    place = about.place
    if not options.quiet:
        failed = f", {place.failed} of them errors" if place.failed else ""
        say(
            f"{options.output} is already complete: {counted(place.outcomes)}{failed}; "
            "--restart posts again"
        )
    return exits.SOME_FAILED if place.failed or place.went_on else exits.OK


def _note_finished(options: PostOptions, prepared: _Prepared, posting: Posting) -> None:
    """Note in the output what it holds, so that no other post overwrites it."""
    if options.output != "-":
        lines = prepared.lines
        is_all = options.limit is None or (lines is not None and lines.at_end)
        note_finished(options.output, _about(options), posting.place(), is_all=is_all)


def _ended_early(options: PostOptions, posting: Posting, until: str) -> str:
    """What has become of the results of a post that ended before its last request."""
    if options.form.is_whole and options.output != "-":
        return unwritten(options.output, options.form.shown)
    return so_far(posting.tally, posting.journal, until)


def _say_notes(options: PostOptions, prepared: _Prepared, tally: Tally, session: Session) -> None:
    """Say what may not be as it was meant, though all requests have their answers."""
    if session.number == 0 and prepared.earlier is None and not tally.is_broken:
        is_skipped = options.skip and prepared.lines is not None and prepared.lines.lines_read
        say(f"nothing to post: {_ALL_SKIPPED if is_skipped else 'the input is empty'}")
    if tally.has_unserved and not options.quiet:
        say_unserved(options.endpoint, session.welcome)
    if tally.outcomes and not (tally.is_broken or options.quiet):
        say_unmet(options.reading, prepared.lines)
