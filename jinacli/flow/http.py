"""`jina http`: serve a running Flow over HTTP, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

import typer
from msgspec import convert

from jina.check.http import http_files
from jina.config.http import NO_HTTP
from jina.config.problems import errors_in
from jina.excepts import ConfigError, FlowNotFound, RuntimeFailToStart
from jina.graph.http import HttpSettings
from jina.launch import events
from jina.launch.asking import directory_of
from jina.launch.plan_file import read_plan
from jina.launch.rundir import FlowRecord
from jina.launch.serving import Serving
from jina.launch.speaker import Speaker
from jina.transport.curve import Credentials
from jinacli import exits
from jinacli.flow.here import chosen_flow
from jinacli.screens.errors import say


class _Screen:
    """Tells what happens, on standard error; what the fronts print, as they print it."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.speaker = Speaker()

    @property
    def is_behind(self) -> bool:
        """See Reporter."""
        return self.speaker.is_behind

    def __call__(self, event: events.Event) -> None:
        """Show one event."""
        if isinstance(event, events.Output):
            self.speaker.say(event.line)
        elif isinstance(event, events.LINES):
            self.speaker.say(event.as_text())

    def say(self, text: str) -> None:
        """Say a line, unless only errors are wanted."""
        if not self._quiet and sys.stderr:
            self.speaker.say(text)


def serve_flow(
    wanted: str, address: str, keys: str, options: Mapping[str, Any], *, quiet: bool
) -> int:
    """Serve a Flow until Ctrl-C.

    Args:
        wanted: its name or file; "" for the only one that runs.
        address: of its gateway, instead.
        keys: folder of the key that this one asks for; "" if it asks for none.
        options: by the names of `HttpSettings`.
        quiet: show only errors.

    Returns:
        the exit code.

    Raises:
        BadKeys: the folder has no key that can be used.
        ConfigError: a certificate or a file of keys cannot be used.
        FlowError: no such Flow runs, or the port cannot be had.
        typer.BadParameter: other machines could reach it, and need no key.
        KeyboardInterrupt: a second Ctrl-C, or one before it was up, ended it at once.
        Terminated: it was another signal.
    """
    keys = os.path.abspath(keys) if keys and address.startswith("tcp:") else ""
    if keys:
        Credentials(keys)  # each front reads them for itself; here they are only checked
    try:
        record = None if address else chosen_flow(wanted, quiet=quiet)
    except FlowNotFound:
        refuse_unguarded(convert(dict(options), HttpSettings))
        raise
    name = record.name if record is not None else ""
    settings = convert({**_said(record, quiet=quiet), **options}, HttpSettings)
    refuse_unguarded(settings)
    screen = _Screen(quiet=quiet)
    found = list(http_files(NO_HTTP, settings))
    if errors := errors_in(found):
        raise ConfigError(errors[0].message, problems=errors)
    for problem in found:
        screen.say(str(problem))

    def up(url: str) -> None:
        what = f'the Flow "{name}"' if name else address
        screen.say(f"Serving {what} at {url}. Press Ctrl-C to stop; the Flow runs on")

    def stopping(signum: signal.Signals) -> None:
        screen.say(f"Stopping ({signum.name}). Press Ctrl-C again to quit immediately")

    directory = str(directory_of(record)) if record is not None else ""
    address = address or f"ipc://{directory}/front.ipc"  # it is there before the Flow is ready
    serving = Serving(settings, name, address, directory, keys, screen, up, stopping, screen.say)
    try:
        serving.run()
    except RuntimeFailToStart as failure:
        if failure.details:
            screen.speaker.say(failure.details)
            failure.details = ""
        raise
    finally:
        screen.speaker.close()
    if serving.ended_by is not None:
        raise KeyboardInterrupt if serving.ended_by == signal.SIGINT else exits.Terminated
    return exits.OK


def _said(record: FlowRecord | None, *, quiet: bool) -> dict[str, Any]:
    """What the YAML of a running Flow says of HTTP, by the names of `HttpSettings`."""
    if record is None:
        return {}
    plan = read_plan(directory_of(record))
    if plan is not None:
        return plan.http_said
    if record.http and not quiet:
        say(
            f'note: how the Flow "{record.name}" itself is served over HTTP is not known here, as '
            "it was not started from a file; only the options hold"
        )
    return {}


def refuse_unguarded(settings: HttpSettings) -> None:
    """Refuse an address that other machines can reach, unless that is wanted.

    Raises:
        typer.BadParameter: it is, and they would need no key.
    """
    if settings.url_host:
        raise typer.BadParameter(
            f"leave out http://, as in {settings.url_host}:8080", param_hint="[HOST:]PORT"
        )
    if not settings.is_guarded:
        raise typer.BadParameter(
            f"{settings.exposure}; use "
            "--api-key-file so that they need a key, or --insecure-no-auth if anyone may",
            param_hint="HOST",
        )
