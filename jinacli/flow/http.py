"""`jina http`: serve a running Flow over HTTP, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from msgspec import convert

from jina.excepts import RuntimeFailToStart
from jina.graph.http import HttpSettings
from jina.launch import events
from jina.launch.asking import directory_of
from jina.launch.http_port import file_faults
from jina.launch.serving import Serving
from jina.launch.speaker import Speaker
from jina.transport.curve import Credentials
from jinacli import exits
from jinacli.flow.here import chosen_flow


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
        FlowError: no such Flow runs, or the port cannot be had.
        KeyboardInterrupt: a second Ctrl-C, or one before it was up, ended it at once.
        Terminated: it was another signal.
    """
    keys = os.path.abspath(keys) if keys and address.startswith("tcp:") else ""
    if keys:
        Credentials(keys)  # each front reads them for itself; here they are only checked
    record = None if address else chosen_flow(wanted, quiet=quiet)
    name = record.name if record is not None else ""
    settings = convert(dict(options), HttpSettings)
    screen = _Screen(quiet=quiet)
    for _, path, fault in file_faults(settings):
        if fault.startswith("others "):  # the other faults are errors
            screen.say(f"warning: {path}: {fault}")

    def up(url: str) -> None:
        what = f'the Flow "{name}"' if name else address
        screen.say(f"Serving {what} at {url}. Press Ctrl-C to stop; the Flow runs on")

    def stopping(signum: signal.Signals) -> None:
        screen.say(f"Stopping ({signum.name}). Press Ctrl-C again to quit immediately")

    directory = str(directory_of(record)) if record is not None else ""
    address = address or f"ipc://{directory}/front.ipc"  # it is there before the Flow is ready
    serving = Serving(settings, name, address, directory, keys, screen, up, stopping)
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
