"""Tell what happens to a Flow that comes up, runs and goes down."""

from __future__ import annotations

import json
import sys

from jina.excepts import FlowError, RuntimeFailToStart
from jina.graph.plan import Plan
from jina.launch import events
from jina.launch.local import start_failure
from jina.launch.speaker import Speaker
from jinacli.color import is_colored
from jinacli.flow.doubts import Doubts
from jinacli.screens.loading import is_terminal
from jinacli.screens.prefixes import Prefixes
from jinacli.screens.start import StartScreen


class UpScreen:
    """Tells what happens to a Flow: on standard error, and its readiness as JSON if wanted.

    Args:
        plan: of the Flow.
        doubts: knows where what is suspicious stands in its YAML.
        as_json: print a line of JSON when it is ready.
        quiet: show only errors and what Executors print.
    """

    def __init__(self, plan: Plan, doubts: Doubts, *, as_json: bool, quiet: bool) -> None:
        self._plan = plan
        self._as_json = as_json
        self._quiet = quiet
        self._has_json = plan.http is not None and plan.http.log_format == "json"
        self.failure: FlowError | None = None
        """Why it did not start; what belongs above the summary was shown."""
        self._speaker = Speaker()
        names = [spec.name for spec in plan.workers]
        self._prefixes = Prefixes(is_colored=is_colored(sys.stderr), names=names)
        self._say = self._speaker.say if sys.stderr else _say_nothing
        self.start = StartScreen(
            self._speaker, doubts, quiet=quiet, lists_workers=not is_terminal()
        )
        """What is told of the start."""

    @property
    def is_behind(self) -> bool:
        """See Reporter."""
        return self._speaker.is_behind

    def __call__(self, event: events.Event) -> None:
        """Show one event."""
        if isinstance(event, events.Output):
            is_log = self._has_json and event.worker.startswith("http/")
            prefix = "" if is_log else self._prefixes.before(event.worker)
            self._say(f"{prefix}{event.line}")
        elif isinstance(event, events.OF_START):
            if sys.stderr:
                self.start(event)
        elif isinstance(event, events.LINES):
            self._say(event.as_text())
        elif isinstance(event, events.StartFailed):
            self._failed(start_failure(event))
        elif isinstance(event, events.Up):
            self.up(event)
        elif isinstance(event, events.Stopping) and not self._quiet:
            if event.at_once:
                self._say(f"Stopping immediately ({event.reason})")
            else:
                self._say(f"Stopping ({event.reason}). Press Ctrl-C again to quit immediately")
        elif isinstance(event, events.Changing) and (
            not self._quiet or event.text.startswith("error: ")
        ):
            self.start.done()
            self._say(event.text)

    def _failed(self, failure: FlowError) -> None:
        """Show the traceback at once, and leave the summary for the end."""
        self.start.done()
        self.failure = failure
        if isinstance(failure, RuntimeFailToStart) and failure.details:
            self._say(failure.details)
            failure.details = ""

    def up(self, event: events.Up) -> None:
        """Show that everything is ready."""
        self.start.done()
        if not self._quiet:
            if is_terminal():
                self._say(self.start.table(self._plan))
                self.start.lists_workers = True  # of those that come later there is no table
            where = " and ".join([*event.addresses, *filter(None, [event.http])])
            self._say(f'Flow "{event.flow}" is up after {event.seconds:.2f} s, at {where}')
        if self._as_json:
            answer = {
                "schema": "jina/up/v1",
                "flow": event.flow,
                "addresses": event.addresses,
                "http": event.http,
                "seconds": round(event.seconds, 3),
            }
            print(json.dumps(answer), flush=True)

    def detached(self, event: events.Up) -> None:
        """Show where what it says goes from now on."""
        if not event.log:  # also told if quiet: its output is lost
            self._say("note: running in the background without a log, as none can be written")
            self._say("help: set JINA_STATE_DIR to a folder that you can write to")
        elif not self._quiet:
            self._say(
                "running in the background; `jina flow logs` shows its output, `jina flow down` "
                "stops it"
            )

    def close(self) -> None:
        """Give people a moment to read the last lines."""
        self._speaker.close()


def _say_nothing(text: str) -> None:
    """Where standard error is closed."""
