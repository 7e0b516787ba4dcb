"""Tell what happens to an Executor that is served to a Flow on another machine."""

from __future__ import annotations

import sys

from jina.launch import events
from jina.launch.speaker import Speaker
from jinacli.color import is_colored
from jinacli.screens.prefixes import Prefixes
from jinacli.screens.start import StartScreen


class ServeScreen:
    """Tells it on standard error.

    Args:
        quiet: show only errors and what Executors print.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._speaker = Speaker()
        self._prefixes = Prefixes(is_colored=is_colored(sys.stderr), names=[])
        self._start = StartScreen(self._speaker, None, quiet=quiet, lists_workers=True)

    @property
    def is_behind(self) -> bool:
        """See Reporter."""
        return self._speaker.is_behind

    def __call__(self, event: events.Event) -> None:
        """Show one event."""
        if isinstance(event, events.Output):
            self._speaker.say(f"{self._prefixes.before(event.worker)}{event.line}")
        elif isinstance(event, events.OF_START):
            self._start(event)
        elif isinstance(event, events.LINES):
            self._speaker.say(event.as_text())
        elif self._quiet:
            return
        elif isinstance(event, events.Stopping):
            self._start.done()
            if event.at_once:
                self._speaker.say(f"Stopping immediately ({event.reason})")
            else:
                self._speaker.say(
                    f"Stopping ({event.reason}). Press Ctrl-C again to quit immediately"
                )
        elif isinstance(event, events.Changing):
            self._start.done()
            self._speaker.say(event.text)

    def close(self) -> None:
        """Give people a moment to read the last lines."""
        self._start.done()
        self._speaker.close()
