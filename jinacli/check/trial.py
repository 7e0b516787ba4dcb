"""`jina executor check --run`: check an Executor and, if nothing is wrong, call it here."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jina.check import check_executor
from jina.config import load_executor
from jina.excepts import InputError
from jina.executors.table import lookup
from jina.readers import LineSource, ReadOptions, open_inputs
from jina.trial import Outcome, constructed, outcomes, requests_of
from jina.wire.maps import Call
from jinacli import exits
from jinacli.check.run import code_of_reports
from jinacli.check.watched import CONSTRUCTOR, Begin, watched
from jinacli.executor.given import plain_path
from jinacli.executor.tally import Tally
from jinacli.post.parameters import parameters_of
from jinacli.screens.errors import say, text_of
from jinacli.screens.post import say_unmet
from jinacli.screens.reports import Format, show_reports


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


def run_trial(file: str, trial: Trial, *, form: Format) -> int:
    """Check an Executor and, when nothing is wrong, run it here.

    Results go to standard output as JSON lines, all else to standard error.

    Args:
        file: its YAML.
        trial: what is run.
        form: of the report.
    """
    # The folder is this process's, which outlives the one that runs the user's code.
    with tempfile.TemporaryDirectory(prefix="jina-") as folder:
        return watched(lambda begin: _try(file, trial, folder, form, begin))


def _try(file: str, trial: Trial, workspace: str, form: Format, begin: Begin) -> int:
    values = parameters_of(trial.parameters)
    reports = [check_executor(plain_path(file), begin=begin)]
    show_reports(reports, form, sys.stderr)
    if code := code_of_reports(reports):
        return code
    with contextlib.ExitStack() as stack:
        source = None
        if trial.inputs:
            source = stack.enter_context(open_inputs(trial.inputs, options=trial.reading))
        begin(f"{file}: {CONSTRUCTOR}")
        config = load_executor(plain_path(file))
        executor = stack.enter_context(constructed(config, workspace))
        if lookup(executor.requests, trial.endpoint) is None:
            say(f"note: no method serves {trial.endpoint}; the Documents come back unchanged")
            say(f"help: it serves {', '.join(executor.requests) or 'nothing'}")
        try:
            begin(f"{file}: {trial.endpoint}")
            requests = [None] if source is None else requests_of(source)
            tally = _print(outcomes(executor, trial.endpoint, requests, Call(values)))
        except InputError as error:  # it was opened, so this is no wrong usage any more
            say(text_of(error))
            return exits.FAILED
        finally:
            begin(f"{file}: `close`")
    return _summarise(trial, source, tally)


def _print(found: Iterable[Outcome]) -> Tally:
    """Print the outcomes and count them."""
    tally = Tally()
    for outcome in found:
        sys.stdout.buffer.write(outcome.lines)
        sys.stdout.buffer.flush()
        tally.add(outcome)
    return tally


def _summarise(trial: Trial, source: LineSource | None, tally: Tally) -> int:
    if source is not None and tally.total:
        say_unmet(trial.reading, source)
    if tally.failed:
        say(tally.in_words())
        return exits.FAILED
    return exits.OK
