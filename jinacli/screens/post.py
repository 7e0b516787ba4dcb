"""What `jina post` does: find the Flow, stream the inputs, write the outcomes in order.

source.py        what is sent
destination.py   where to
output.py        where the results go
journal.py       how far they have come, for another run
tally.py         what came back, counted
"""

from __future__ import annotations

import contextlib

from jina.client.outcomes import outcomes_of
from jina.client.requests import RequestSource
from jina.client.session import Session
from jina.excepts import ConnectError, InputError, OutputError, PostTimeout
from jina.readers import LineSource
from jina.wire.maps import Call
from jinacli import exits
from jinacli.screens.destination import check_expression, check_target, find_address, say_unserved
from jinacli.screens.errors import say
from jinacli.screens.interruption import signals_unwind
from jinacli.screens.journal import Journal, Place, described, find_place, forget
from jinacli.screens.output import Output, drawing
from jinacli.screens.parameters import parameters_of
from jinacli.screens.post_options import PostOptions
from jinacli.screens.progress import progress_of
from jinacli.screens.reading import say_unmet
from jinacli.screens.source import inputs_of, open_source
from jinacli.screens.tally import Tally, counted, written


def run_post(options: PostOptions) -> int:
    """Post, and return the exit code."""
    call = Call(parameters_of(options.parameters), lines=True, tensors=options.tensors)
    check_expression(options.target)
    with contextlib.ExitStack() as stack:
        stack.enter_context(signals_unwind())
        post = _described(options, call)
        earlier = None if options.restart else find_place(options.output, post, options.limit)
        place = earlier or Place()
        source, lines = open_source(options, call, place.lines, stack)
        if options.limit == 0 and earlier is None:
            say("nothing to post: --limit is 0")
            Output(options.output, stack).begin(0)
            if options.restart:
                forget(options.output)
            return Tally().say_summary(options.output, quiet=options.quiet)
        output = Output(options.output, stack)
        session = stack.enter_context(Session(find_address(options, stack)))
        check_target(options.target, session)
        output.begin(place.size)
        draw = drawing(options.output, options.output_format)
        tally = Tally(place.outcomes, place.failed)
        journal = None
        if post is not None and lines is not None and output.is_regular:
            journal = _begin_journal(options, post, place, source, lines)
        if journal is not None:
            stack.callback(journal.close)
            source = journal
        elif options.restart:
            forget(options.output)
        if earlier is not None and not options.quiet:
            say(f"going on after {counted(earlier.outcomes)} in {options.output}")
        show = stack.enter_context(progress_of(options, lines))
        try:
            for reply in session.exchange(
                options.endpoint, source, target=options.target, timeout_s=options.timeout_s
            ):
                outcomes = outcomes_of(reply, options.endpoint, call)
                # Counted first: whoever reads the first line may interrupt us at once.
                tally.add(outcomes, reply)
                output.write(draw(outcomes.lines))
                if journal is not None:
                    journal.note(output.size, tally.outcomes, tally.failed)
                show(tally.outcomes)
        except InputError as error:  # it broke off; what was read before has its outcomes
            say(f"error: {error}")
            tally.is_broken = True
        except (KeyboardInterrupt, exits.Terminated):
            say(_so_far(tally, journal, "the interruption"))
            raise
        except (ConnectError, PostTimeout, OutputError) as error:
            # What was not wholly written is counted too, but for the journal.
            if tally.outcomes and (journal is not None or not isinstance(error, OutputError)):
                say(f"{_so_far(tally, journal, 'this')}:")
            raise
        if journal is not None:
            journal.remove()
        if session.number == 0 and earlier is None and not tally.is_broken:
            say("nothing to post: the input is empty")
        if tally.has_unserved and not options.quiet:
            say_unserved(options.endpoint, session)
        if tally.outcomes and not (tally.is_broken or options.quiet):
            say_unmet(options.reading, lines)
    return tally.say_summary(options.output, quiet=options.quiet)


def _described(options: PostOptions, call: Call) -> dict[str, str] | None:
    """What this post is the same by; None when its results go nowhere that can be gone on with."""
    inputs = inputs_of(options)
    if options.output == "-" or not inputs:
        return None
    return described(
        inputs,
        options.reading,
        endpoint=options.endpoint,
        parameters=call.parameters,
        target=options.target,
        tensors=options.tensors,
        form=options.output_format,
    )


def _begin_journal(
    options: PostOptions,
    post: dict[str, str],
    place: Place,
    source: RequestSource,
    lines: LineSource,
) -> Journal | None:
    """The progress file; where none can be, the post does without."""
    try:
        return Journal(options.output, post, place, source, lines)
    except OutputError as error:
        if not options.quiet:
            say(f"note: {error}; if this post is stopped, it must begin anew")
        return None


def _so_far(tally: Tally, journal: Journal | None, until: str) -> str:
    if journal is None:
        return f"{written(tally.outcomes)} before {until}"
    return f"{written(journal.place.outcomes)} before {until}; the same command goes on from there"
