"""What `jina post` does: find the Flow, stream the inputs, write the outcomes in order."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import typer

from jina.client.outcomes import Outcomes, outcomes_of
from jina.client.requests import LineRequests, RequestSource
from jina.client.session import Reply, Session
from jina.defaults import REQUEST_DOCS, TIMEOUT_READY_S
from jina.excepts import (
    ConnectError,
    FlowBuildLevelError,
    FlowNotFound,
    InputError,
    PostTimeout,
)
from jina.launch.find import find_flow, looks_like_file, wait_until_ready
from jina.readers import LineSource, open_inputs
from jina.wire.maps import Call
from jinacli import exits
from jinacli.screens.errors import say
from jinacli.screens.output import Output
from jinacli.screens.parameters import parameters_of


@dataclass(frozen=True)
class PostOptions:
    """The options of `jina post`, as they were given."""

    endpoint: str
    inputs: list[str]
    texts: list[str]
    parameters: list[str]
    flow: str
    address: str
    output: str
    output_format: str
    tensors: str
    target: str
    request_size: int | None
    limit: int | None
    timeout_s: float | None
    show_progress: bool
    quiet: bool


class _Tally:
    """What has come back so far."""

    def __init__(self) -> None:
        self.outcomes = 0
        self.failed = 0
        self.unserved = 0
        self.first_error = ""
        self.first_traceback = ""
        self.is_broken = False  # the input
        self.began = time.monotonic()

    def add(self, outcomes: Outcomes, reply: Reply) -> None:
        """Count one reply."""
        self.outcomes += outcomes.total
        self.failed += outcomes.failed
        self.unserved += reply.served == 0 and reply.error is None
        if outcomes.failed and not self.first_error:
            self.first_error = _first_error(outcomes)
            self.first_traceback = reply.error.traceback.rstrip() if reply.error else ""


def run_post(options: PostOptions) -> int:
    """Post, and return the exit code."""
    call = Call(parameters_of(options.parameters), lines=True, tensors=options.tensors)
    tally = _Tally()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_sigterm_raises())
        source, lines = _open_source(options, call, stack)
        if source.at_end:
            say("nothing to post: the input is empty")
            return exits.OK
        session = stack.enter_context(Session(_find_address(options, stack)))
        write = _writer(options, stack)
        progress = stack.enter_context(_progress(options, lines))
        try:
            for reply in session.exchange(
                options.endpoint, source, target=options.target, timeout_s=options.timeout_s
            ):
                outcomes = outcomes_of(reply, options.endpoint, call)
                tally.add(outcomes, reply)
                write(outcomes.lines)
                progress(tally.outcomes)
        except InputError as error:  # it broke off; what was read before has its outcomes
            say(f"error: {error}")
            tally.is_broken = True
        except (KeyboardInterrupt, exits.Terminated):
            say(f"{tally.outcomes} outcomes were written before the interruption")
            raise
        except (ConnectError, PostTimeout):
            if tally.outcomes:
                say(f"{tally.outcomes} outcomes were written before this:")
            raise
        if session.number == 0:
            say("nothing to post: the input is empty")
        if tally.unserved and not options.quiet:
            _say_unserved(options.endpoint, session)
    if options.output != "-" and not options.quiet:
        seconds = time.monotonic() - tally.began
        say(f"{tally.outcomes} outcomes in {seconds:.2f} s, written to {options.output}")
    if tally.failed:
        say(f"{tally.failed} of {tally.outcomes} failed; the first: {tally.first_error}")
        if tally.first_traceback and not options.quiet:
            say(tally.first_traceback)
    if tally.is_broken:
        return exits.FAILED
    return exits.SOME_FAILED if tally.failed else exits.OK


# --- input ---------------------------------------------------------------------------------------


def _open_source(
    options: PostOptions, call: Call, stack: contextlib.ExitStack
) -> tuple[RequestSource, LineSource | None]:
    if options.texts and options.inputs:
        raise typer.BadParameter("give --inputs or --text, not both", param_hint="--text")
    inputs = options.inputs or (["-"] if _stdin_has_data() and not options.texts else [])
    if not inputs:
        # Late: lines from files never become Documents here.
        from jina.client.documents import DocumentRequests

        docs = options.texts or None
        return DocumentRequests(docs, call, request_docs=options.request_size or REQUEST_DOCS), None
    lines = open_inputs(inputs)
    stack.callback(lines.close)
    if lines.is_fed_by(1 if options.output == "-" else options.output):
        raise InputError(
            "an input, so the results cannot be written to it",
            where="<stdout>" if options.output == "-" else options.output,
            hint="write to another file, and rename it afterwards",
        )
    return (
        LineRequests(lines, call, request_docs=options.request_size, limit=options.limit),
        lines,
    )


def _stdin_has_data() -> bool:
    """Whether standard input is a pipe, a file or a socket; not a terminal and not /dev/null."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


# --- the Flow ------------------------------------------------------------------------------------


def _find_address(options: PostOptions, stack: contextlib.ExitStack) -> str:
    """Where to post: named, found, or started for the duration of this command."""
    if options.address:
        return options.address
    if options.flow and looks_like_file(options.flow):
        try:
            record = find_flow(options.flow)
        except FlowNotFound:
            return _start_for_now(options, stack)
    else:
        record = find_flow(options.flow)
    return wait_until_ready(record, TIMEOUT_READY_S).addresses[0]


def _start_for_now(options: PostOptions, stack: contextlib.ExitStack) -> str:
    # Late: only a Flow that is not running needs YAML and its models.
    from jina.flow import plan_of
    from jina.launch.local import LocalFlow

    plan = plan_of(Path(options.flow))
    if not options.quiet:
        say(f"starting {options.flow} for this command; `jina flow up` keeps it running")
    try:
        return stack.enter_context(LocalFlow(plan, plan.file)).address
    except FlowBuildLevelError:  # another command was quicker
        return wait_until_ready(find_flow(options.flow), TIMEOUT_READY_S).addresses[0]


def _say_unserved(endpoint: str, session: Session) -> None:
    # Late: only a mistake needs it.
    from difflib import get_close_matches

    bound = sorted({name for names in session.welcome.endpoints.values() for name in names})
    near = get_close_matches(endpoint, bound, 1)
    say(f"note: no Executor of this Flow serves {endpoint}; the Documents came back as they were")
    if bound:
        meant = f'did you mean "{near[0]}"? ' if near else ""
        say(f"help: {meant}this Flow serves {', '.join(bound)}")


# --- output --------------------------------------------------------------------------------------


def _writer(options: PostOptions, stack: contextlib.ExitStack) -> Any:
    """A function that writes the lines of one reply."""
    wants_table = options.output_format == "table" or (
        options.output_format == "auto" and options.output == "-" and sys.stdout.isatty()
    )
    output = Output(options.output, stack)
    if not wants_table:
        return output.write
    # Late: rich is only needed where people look.
    from jinacli.screens.documents import DocumentScreen

    screen = DocumentScreen(is_terminal=options.output == "-" and sys.stdout.isatty())
    return lambda lines: output.write(screen.drawn(lines))


@contextlib.contextmanager
def _progress(options: PostOptions, lines: LineSource | None) -> Iterator[Any]:
    """A function that is told how many outcomes there are; shown only where a person looks."""
    shown = (
        options.show_progress
        and lines is not None
        and sys.stderr.isatty()
        and sys.stdout.isatty()
        and options.output != "-"  # results on the same screen show the progress well enough
    )
    if not shown or lines is None:
        yield lambda outcomes: None
        return
    # Late: see _writer.
    from jinacli.screens.progress import show_progress

    with show_progress(lines) as update:
        yield update


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C does, so that a Flow started for now is stopped."""

    def stop(signum: int, frame: object) -> None:
        raise exits.Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _first_error(outcomes: Outcomes) -> str:
    """The message of the first failed line."""
    for line in bytes(outcomes.lines).splitlines():
        if b'"error"' in line:
            error = msgspec.json.decode(line).get("error")
            if isinstance(error, dict):
                where = f" in {error['executor']}" if error.get("executor") else ""
                kind = str(error.get("type", "")).rpartition(".")[2]
                return f"{kind}{where}: {error.get('message', '')}"
    return ""
