"""Find the Flow that `jina post` posts to, or start one for this command."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from jina.defaults import TIMEOUT_READY_S
from jina.excepts import ConnectError, FlowNotFound
from jina.launch.find import looks_like_file, wait_until_ready
from jina.launch.rundir import FlowRecord
from jina.names import DEFAULT_ENDPOINT
from jina.suggest import nearest
from jinacli.exits import Terminated
from jinacli.flow.here import chosen_flow, say_other, say_stale
from jinacli.post.options import PostOptions
from jinacli.screens.errors import say

if TYPE_CHECKING:
    from jina.config.flows import FlowConfig
    from jina.graph.plan import Plan
    from jina.launch.local import LocalFlow
    from jina.transport.curve import Credentials
    from jina.wire.maps import Welcome
    from jinacli.flow.doubts import Doubts
    from jinacli.flow.given import Given


def find_address(options: PostOptions, stack: contextlib.ExitStack) -> str:
    """Find the address of the gateway.

    Args:
        options: of the command.
        stack: ends a Flow that is started here.

    Raises:
        FlowNotFound: no running Flow fits, or several do.
        JinaError: the Flow of the file cannot be used or does not start.
    """
    if options.address:
        return options.address
    record = running_flow(options)
    if record is None:
        return _start_for_now(options, stack)
    if not options.quiet:
        if not options.flow:
            say_other(record)
        say_stale(record)
    if not record.is_ready:
        record = _ready(record, quiet=options.quiet)
    if not options.quiet and sys.stderr and sys.stderr.isatty():
        # Late: only somebody who watches is told, and a post is to begin at once.
        from jinacli.post.restarts import restarts_told

        stack.enter_context(restarts_told(record))
    return record.addresses[0]


def credentials_of(options: PostOptions) -> Credentials | None:
    """What is shown to the gateway; None without `--keys`, and on this machine.

    Raises:
        BadKeys: the keys cannot be used.
    """
    if not options.keys or options.address[:4] != "tcp:":
        return None
    # Late: most gateways ask for nothing.
    from jina.transport.curve import Credentials

    return Credentials(options.keys)


def running_flow(options: PostOptions) -> FlowRecord | None:
    """The running Flow that is meant; None if that of a file does not run, and is to be started.

    Raises:
        FlowNotFound: no running Flow fits, or several do.
        typer.BadParameter: options for the start of a Flow that runs.
    """
    try:
        record = chosen_flow(options.flow, quiet=options.quiet)
    except FlowNotFound:
        if options.flow and looks_like_file(options.flow):
            return None
        raise
    if options.settings or options.env_file:
        raise typer.BadParameter(
            f'the Flow "{record.name}" is already running; stop it first, or restart it with `jina '
            "flow up --set`",
            param_hint="--set" if options.settings else "--env-file",
        )
    return record


def _ready(record: FlowRecord, *, quiet: bool) -> FlowRecord:
    """Wait for a Flow that starts in another process, and say so if it takes long."""
    # Late: a Flow is hardly ever met while it starts.
    from jina.launch.speaker import Speaker
    from jinacli.screens.start import StartScreen

    speaker = Speaker()
    screen = StartScreen(speaker, None, quiet=quiet)
    try:
        what = f'Flow "{record.name}"'
        return wait_until_ready(record, TIMEOUT_READY_S, lambda s: screen.loading(what, s))
    finally:
        screen.done()
        speaker.close()


def _start_for_now(options: PostOptions, stack: contextlib.ExitStack) -> str:
    """Start a Flow that serves this command alone.

    Another command that does the same at this moment starts its own: a shared one would end with
    the command that started it, in the middle of the other's requests.
    """
    # Late: only a Flow that is not running needs YAML and its models.
    from jinacli.flow.doubts import Doubts
    from jinacli.flow.probing import refuse_misfits

    config, plan = planned(options)
    refuse_misfits(_given(options), plan)
    doubts = Doubts(config)
    if not options.quiet:
        say(
            f"Starting {options.flow} for this command only; use `jina flow up {options.flow}` "
            "to keep it running"
        )
    address = stack.enter_context(_started(plan, doubts, quiet=options.quiet)).address
    stack.push(_explain_end)
    return address


def planned(options: PostOptions) -> tuple[FlowConfig, Plan]:
    """The Flow of the file, read and planned.

    Raises:
        JinaError: it cannot be used.
        typer.Exit: it is refused because of `--strict`.
    """
    # Late, as above.
    from jinacli.flow.given import refuse_findings

    given = _given(options)
    loaded = given.load()
    if options.is_strict and (code := refuse_findings(given)):
        raise typer.Exit(code)
    return loaded


def _given(options: PostOptions) -> Given:
    # Late, as above.
    from jinacli.flow.given import Given

    return Given(Path(options.flow), (), options.settings, options.env_file)


def _started(plan: Plan, doubts: Doubts, *, quiet: bool) -> LocalFlow:
    # Late, as above.
    from jina.launch.local import LocalFlow
    from jina.launch.speaker import Speaker
    from jinacli.screens.start import StartScreen

    speaker = Speaker()
    screen = StartScreen(speaker, doubts, quiet=quiet)
    try:
        return LocalFlow(plan, is_one_shot=True, tell=screen, meanwhile=screen.of_yaml)
    finally:
        screen.done()
        speaker.close()


def _explain_end(
    kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
) -> None:
    """Say what the end of the post means for the Flow that was started for it.

    After Ctrl-C the requests that were begun are finished first: whoever waits should know.
    """
    if isinstance(error, ConnectError):  # it has no terminal or log of its own
        error.hint = (
            "it was started for this command, and was killed or gave up; run the command again"
        )
    if isinstance(error, (KeyboardInterrupt, Terminated)) and sys.stderr and sys.stderr.isatty():
        say(
            "Finishing requests in progress, then stopping the Flow. Press Ctrl-C again to stop "
            "immediately"
        )


def check_target(target: str, welcome: Welcome) -> None:
    """Refuse a target that fits no Executor of the Flow, before anything is sent.

    Raises:
        typer.BadParameter: none of their names fits.
    """
    names = sorted(welcome.endpoints)
    if names and not meant_by(target, welcome):
        raise typer.BadParameter(
            f'no Executor of the Flow "{welcome.flow}" has a name that starts with '
            f"{target!r}; the names are: {', '.join(names)}",
            param_hint="--target",
        )


def check_endpoint(options: PostOptions, welcome: Welcome) -> None:
    """Refuse an endpoint that nobody serves, before anything is sent.

    Its Documents would come back as they were, which looks like success.

    Raises:
        typer.BadParameter: no Executor that takes part binds it, and that is not allowed.
    """
    served = _served(options.target, welcome)
    if options.allow_unserved or not {options.endpoint, DEFAULT_ENDPOINT}.isdisjoint(served):
        return
    who = "that --target matches serves" if options.target else "serves"
    near = nearest(options.endpoint, served)
    meant = f'did you mean "{near}"? ' if near else ""
    known = f"served: {', '.join(served)}" if served else "nothing is served"
    raise typer.BadParameter(
        f'no Executor of the Flow "{welcome.flow}" {who} {options.endpoint}\n'
        f"help: {meant}{known}; --allow-unserved passes the Documents through",
        param_hint="ENDPOINT",
    )


def meant_by(target: str, welcome: Welcome) -> list[str]:
    """Names of the Executors that a target means; "" means all."""
    with warnings.catch_warnings(action="ignore"):  # see `check_expression`
        return [name for name in welcome.endpoints if not target or re.match(target, name)]


def _served(target: str, welcome: Welcome) -> list[str]:
    """The endpoints that the Executors bind which a target means."""
    bound = welcome.endpoints
    return sorted({endpoint for name in meant_by(target, welcome) for endpoint in bound[name]})
