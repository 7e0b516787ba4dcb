"""What `jina post` says about its results: notes on what went wrong, and the sum at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jina.executors.user_errors import HELP
from jina.suggest import nearest
from jinacli.screens.errors import USER_FRAME, say
from jinacli.screens.numbers import number, rate

if TYPE_CHECKING:  # a trial run says some of this too, and has no socket
    from jina.client.resume import Journal
    from jina.client.tally import Tally
    from jina.readers import LineSource, ReadOptions
    from jina.wire.maps import Welcome


def say_summary(tally: Tally, output: str, *, quiet: bool) -> None:
    """Say what is worth saying at the end.

    Args:
        tally: of the whole post.
        output: file that was written to, "-" for standard output.
        quiet: only errors.
    """
    has_sum = tally.outcomes or tally.is_answered or output != "-"
    if has_sum and not quiet:  # else it was said why there is none
        say(_sum(tally, output))
    if tally.failed:
        text = failures(tally.failed, tally.outcomes, tally.reasons, tally.earlier.failed)
        say(text)
        _say_traceback(tally.first_traceback, text, quiet=quiet)
    if tally.went_on:
        text = f"{number(tally.went_on)} of {number(tally.outcomes)} went on after an error"
        text = f"{text}; the first: {tally.first_passed}" if tally.first_passed else text
        say(text)
        _say_traceback(tally.passed_traceback, text, quiet=quiet)


def _sum(tally: Tally, output: str) -> str:
    """How many results there are, and how quickly they came."""
    earlier = tally.earlier.outcomes
    text = results_in(tally.outcomes - earlier, tally.seconds(), "new " if earlier else "")
    if output == "-":
        return text
    return f"{text}; {output} now holds {number(tally.outcomes)}"


def results_in(count: int, seconds: float, which: str = "") -> str:
    """How many results there are, and how quickly they came.

    Args:
        count: of the results.
        seconds: that they took.
        which: of them, with a space.
    """
    one = "result" if count == 1 else "results"
    digits = 2 if seconds >= 0.1 else 3
    text = f"{number(count)} {which}{one} in {seconds:.{digits}f} s"
    return text if count <= 1 else f"{text} ({rate(count, seconds)}/s)"


def failures(failed: int, outcomes: int, reasons: dict[str, str], earlier: int = 0) -> str:
    """How many failed, and why.

    Args:
        failed: how many outcomes are errors.
        outcomes: how many there are.
        reasons: the first distinct reasons of this run, see `jina.client.reasons`.
        earlier: how many of the failed ones are of an earlier run.
    """
    text = f"{number(failed)} of {number(outcomes)} failed"
    which = "the first"
    if earlier:
        text += f", {number(earlier)} of them in an earlier run"
        which = "the first of this run"
    words = list(reasons.values())
    if len(words) > 1:
        text = "\n".join([f"{text}; {which} reasons:", *words])
        return text.replace("\n", "\n  ")
    return f"{text}; {which}: {words[0]}" if words else text


def _say_traceback(text: str, said: str, *, quiet: bool) -> None:
    """Say a traceback that names a place, without the help behind it that was said before."""
    if USER_FRAME not in text or quiet:
        return
    lines, before = text.splitlines(), {line.strip() for line in said.splitlines()}
    while lines[-1].startswith(HELP) and lines[-1].strip() in before:
        del lines[-1]
    say("\n".join(lines))


def so_far(tally: Tally, journal: Journal | None, until: str) -> str:
    """How much was written before the post ended early, and whether it can be resumed."""
    if journal is None:
        return f"{_written(tally.outcomes)} before {until}"
    written = _written(journal.place.outcomes)
    return f"{written} before {until}; rerun the same command to resume"


def unwritten(output: str, form: str) -> str:
    """What became of a file that is of use only as a whole, when the post ended early."""
    return (
        f"{output} was not written: {form} is only written when all results are there, and "
        "cannot be resumed, unlike .jsonl and .csv"
    )


def counted(outcomes: int) -> str:
    """A number of results, in words."""
    return "1 result" if outcomes == 1 else f"{number(outcomes)} results"


def _written(outcomes: int) -> str:
    return f"{counted(outcomes)} {'was' if outcomes == 1 else 'were'} written"


def say_unserved(endpoint: str, welcome: Welcome) -> None:
    """Say that no Executor serves the endpoint, and which endpoints there are."""
    bound = sorted({name for names in welcome.endpoints.values() for name in names})
    near = nearest(endpoint, bound)
    say(f"note: no Executor of this Flow serves {endpoint}; the Documents came back unchanged")
    if bound:
        meant = f'did you mean "{near}"? ' if near else ""
        say(f"help: {meant}this Flow serves {', '.join(bound)}")


def say_misread(source: str) -> None:
    """Say as what an input was read of which the first lines are no Documents."""
    say(
        f"help: {source} was read as JSON lines; use --format to choose another format, or "
        "--format files for one Document per file"
    )


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
            say(f'note: --field-resolver: no input has a column or key "{name}"{meant}')
    if first:
        say(f"help: the first input without it has {', '.join(first)}")
