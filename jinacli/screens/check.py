"""What `check` shows: every problem at its place, who serves what, the sum, and a trial run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from jina.check import Report, check_executor, check_flow
from jina.excepts import InputError
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.screens.errors import say, text_of
from jinacli.screens.reports import Format, rendered
from jinacli.screens.watched import Begin, watched
from jinacli.streams import forget

if TYPE_CHECKING:
    from jina.readers import ReadOptions

_UNREADABLE = frozenset({"no-source", "yaml-encoding"})


def show_executor_checks(files: Sequence[str], *, no_import: bool, form: Format) -> int:
    """Check Executors and print what was found."""

    def work(begin: Begin) -> int:
        reports = [check_executor(_plain(f), no_import=no_import, begin=begin) for f in files]
        return _show(reports, form, sys.stdout)

    return work(_unheard) if no_import else watched(work)


def show_flow_checks(files: Sequence[Path], *, no_import: bool, form: Format) -> int:
    """Check Flows and the Executors they use, and print what was found."""

    def work(begin: Begin) -> int:
        reports = [check_flow(file, no_import=no_import, begin=begin) for file in files]
        return _show(reports, form, sys.stdout)

    return work(_unheard) if no_import else watched(work)


class Trial(NamedTuple):
    """What is run, and on what.

    Attributes:
        endpoint: that is called.
        inputs: as for `jina post`; none for one call without Documents.
        reading: how they are read.
        parameters: as for `jina post`.
    """

    endpoint: str
    inputs: Sequence[str]
    reading: ReadOptions
    parameters: Sequence[str]


def show_trial(file: str, trial: Trial, *, form: Format) -> int:
    """Check an Executor and, when nothing is wrong, run it here.

    Results go to standard output as JSON lines, all else to standard error.

    Args:
        file: its YAML.
        trial: what is run.
        form: of the report.
    """
    return watched(lambda begin: _try(file, trial, form, begin))


def _try(file: str, trial: Trial, form: Format, begin: Begin) -> int:
    # Late: a check alone reads no inputs.
    from jina.readers import open_inputs
    from jinacli.screens.parameters import parameters_of  # late too
    from jinacli.screens.reading import say_unmet  # late too

    values = parameters_of(trial.parameters)
    code = _show([check_executor(_plain(file), begin=begin)], form, sys.stderr)
    if code:
        return code
    with contextlib.ExitStack() as stack:
        source = None
        if trial.inputs:
            source = stack.enter_context(open_inputs(trial.inputs, options=trial.reading))
        # Late: only a trial needs Documents.
        from jina.config import load_executor
        from jina.executors.table import lookup
        from jina.trial import constructed, outcomes

        begin(f"{file}: the constructor")
        executor = stack.enter_context(constructed(load_executor(_plain(file))))
        if lookup(executor.requests, trial.endpoint) is None:
            say(f"note: no method serves {trial.endpoint}; the Documents come back as they are")
            say(f"help: it serves {', '.join(executor.requests) or 'nothing'}")
        total = failed = 0
        shown = ""
        try:
            begin(f"{file}: {trial.endpoint}")
            for outcome in outcomes(executor, trial.endpoint, source, values):
                sys.stdout.buffer.write(outcome.lines)
                sys.stdout.buffer.flush()
                total += outcome.lines.count(b"\n")
                failed += outcome.failed
                if outcome.traceback and not shown:
                    shown = outcome.traceback
                    say(shown)
        except InputError as error:  # it was opened, so this is no wrong usage any more
            say(text_of(error))
            return exits.FAILED
        finally:
            begin(f"{file}: `close`")
    if source is not None and total:
        say_unmet(trial.reading, source)
    if failed:
        say(f"{failed} of {total} failed")
        return exits.FAILED
    return exits.OK


def _plain(file: str) -> str | Path:
    """A path without what it does not need, such as "./"; the name of a catalogue's as it is."""
    if "://" in file:
        return file
    path = Path(file)
    # As a path, a folder is no class name.
    is_empty_folder = path.is_dir() and not (path / "config.yml").is_file()
    return path if is_empty_folder else str(path)


def _unheard(what: str) -> None:
    """Nothing of the user's runs."""


def _show(reports: Sequence[Report], form: Format, stream: TextIO) -> int:
    """Print the reports, and the sum on standard error."""
    text = rendered(reports, form)
    if text:
        try:
            print(text if form == "json" else escaped(text), file=stream, flush=True)
        except BrokenPipeError:  # whoever read it has seen enough; the exit code is as it was
            forget(stream)
    errors = sum(len(report.errors) for report in reports)
    warnings = sum(len(report.warnings) for report in reports)
    names = ", ".join(report.source for report in reports)
    if errors:
        say(f"{_number(errors, 'error')} and {_number(warnings, 'warning')} in {names}")
    elif warnings:
        say(f"no error, {_number(warnings, 'warning')} in {names}")
    else:
        say(f"all is well: {names}")
    if any(problem.code in _UNREADABLE for report in reports for problem in report.errors):
        return exits.USAGE
    return exits.FAILED if errors else exits.OK


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
