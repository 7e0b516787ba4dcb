"""What `jina post` says about its results: notes on what went wrong, and the sum at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jina.suggest import nearest
from jinacli.screens.errors import USER_FRAME, say

if TYPE_CHECKING:  # a trial run says some of this too, and has no socket
    from jina.client.resume import Journal
    from jina.client.session import Session
    from jina.client.tally import Tally
    from jina.readers import LineSource, ReadOptions


def say_summary(tally: Tally, output: str, *, quiet: bool) -> None:
    """Say what is worth saying at the end.

    Args:
        tally: of the whole post.
        output: file that was written to, "-" for standard output.
        quiet: only errors.
    """
    earlier = tally.earlier
    if output != "-" and not quiet:
        new = tally.outcomes - earlier.outcomes
        in_all = f", with the earlier ones {tally.outcomes}" if earlier.outcomes else ""
        say(f"{counted(new)} in {tally.seconds():.2f} s, written to {output}{in_all}")
    if tally.failed:
        text = f"{tally.failed} of {tally.outcomes} failed"
        which = "the first"
        if earlier.failed:
            text += f", {earlier.failed} of them in an earlier run"
            which = "the first of this run"
        say(f"{text}; {which}: {tally.first_error}" if tally.first_error else text)
        _say_traceback(tally.first_traceback, quiet=quiet)
    if tally.went_on:
        text = f"{tally.went_on} of {tally.outcomes} went on after an error"
        say(f"{text}; the first: {tally.first_passed}" if tally.first_passed else text)
        _say_traceback(tally.passed_traceback, quiet=quiet)


def _say_traceback(text: str, *, quiet: bool) -> None:
    """Say a traceback that names a place; the last line of one was said before."""
    if USER_FRAME in text and not quiet:
        say(text)


def so_far(tally: Tally, journal: Journal | None, until: str) -> str:
    """How much was written before the post ended early, and whether it can be resumed."""
    if journal is None:
        return f"{_written(tally.outcomes)} before {until}"
    written = _written(journal.place.outcomes)
    return f"{written} before {until}; the same command goes on from there"


def counted(outcomes: int) -> str:
    """A number of outcomes, in words."""
    return "1 outcome" if outcomes == 1 else f"{outcomes} outcomes"


def _written(outcomes: int) -> str:
    return f"{counted(outcomes)} {'was' if outcomes == 1 else 'were'} written"


def say_unserved(endpoint: str, session: Session) -> None:
    """Say that no Executor serves the endpoint, and which endpoints there are."""
    bound = sorted({name for names in session.welcome.endpoints.values() for name in names})
    near = nearest(endpoint, bound)
    say(f"note: no Executor of this Flow serves {endpoint}; the Documents came back as they were")
    if bound:
        meant = f'did you mean "{near}"? ' if near else ""
        say(f"help: {meant}this Flow serves {', '.join(bound)}")


def say_unmet(reading: ReadOptions, lines: LineSource | None) -> None:
    """Say which names of `--field-resolver` did not appear in anything that was read.

    Tables and arrays refuse such a name; each object of JSON has keys of its own, and the last one
    might have had it.

    Args:
        reading: the options.
        lines: read; None where there were texts, which have no keys.
    """
    unmet = reading.resolver.keys() if lines is None else lines.renames.unmet
    if not unmet:
        return
    first = lines.renames.first if lines is not None else ()
    for name in reading.resolver:
        if name in unmet:
            near = nearest(name, first)
            meant = f'; did you mean "{near}"?' if near else ""
            say(f'note: --field-resolver: nothing that was read has "{name}"{meant}')
    if first:
        say(f"help: the first that lacks it has {', '.join(first)}")
