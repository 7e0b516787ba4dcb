"""Serve a Flow that runs over HTTP, from this process: the loop of `jina http`.

It starts the same processes as a supervisor does for a Flow that serves HTTP itself, but ends with
its terminal, and the Flow runs on.
"""

from __future__ import annotations

import contextlib
import selectors
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator

from jina.defaults import DRAIN_GRACE_S
from jina.excepts import FlowError
from jina.graph.http import HttpSettings
from jina.launch import events
from jina.launch.child import not_started
from jina.launch.flow_link import FlowLink
from jina.launch.fronts import Fronts
from jina.launch.listener import Listener
from jina.launch.local import start_failure
from jina.launch.signals import Signals

_TICK_S = 1.0


class Serving:
    """Front processes beside a Flow.

    Args:
        settings: of HTTP.
        flow: name of the Flow; "" if it is not known.
        address: of its gateway.
        directory: of the Flow, in which its fronts count in a folder of their own; "" for one
            elsewhere.
        keys: folder of the key that the gateway asks for; "" if it asks for none.
        report: told what happens, on this thread.
        up: called with the URL once it is served.
        stopping: called when it was told to stop.
        tell: called with a line about the Flow: it does not answer, or does again.
    """

    def __init__(
        self,
        settings: HttpSettings,
        flow: str,
        address: str,
        directory: str,
        keys: str,
        report: events.Reporter,
        up: Callable[[str], None],
        stopping: Callable[[signal.Signals], None],
        tell: Callable[[str], None],
    ) -> None:
        self._flow = flow
        self._address = address
        self._directory = directory
        self._keys = keys
        self._up = up
        self._stopping = stopping
        self._tell = tell
        self._selector = selectors.DefaultSelector()
        self._listener = Listener(self._selector, report)
        self._fronts = Fronts(settings, self._selector, self._listener, report, self._on_change)
        self._signals = Signals()
        self._is_up = False
        self._failure: FlowError | None = None
        self._deadline: float | None = None
        self.ended_by: signal.Signals | None = None
        """The second signal, which ended it at once; or the first, before it was up."""

    def run(self) -> None:
        """Serve until a signal asks for the end.

        Raises:
            ConnectError: the address is none.
            FlowError: the port cannot be had, or a process does not serve.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._signals)
            self._selector.register(self._signals, selectors.EVENT_READ, lambda: None)
            stack.callback(self._selector.close)
            stack.callback(self._fronts.end)
            what = f'the Flow "{self._flow}"' if self._flow else f"the Flow at {self._address}"
            link = FlowLink(what, self._address, self._keys, self._tell)
            stack.callback(link.close)
            self._fronts.open()
            counts = stack.enter_context(self._counts())
            try:
                self._fronts.start(self._flow, self._address, counts, self._keys)
            except OSError as error:  # no process or descriptor is left
                raise start_failure(not_started(error)) from None
            while self._goes_on():
                for key, _ in self._selector.select(self._timeout()):
                    key.data()
                self._listener.go_on()
                for signum in self._signals.take():
                    if signum != signal.SIGCHLD:
                        self._stop(signum)
                if self._is_up and self._deadline is None:
                    link.look(time.monotonic())
                for failure in self._fronts.keep(time.monotonic()):
                    self._failure = self._failure or start_failure(failure)
        if self._failure is not None:
            raise self._failure

    @contextlib.contextmanager
    def _counts(self) -> Iterator[str]:
        """A folder for what the fronts count together; with that of the Flow it goes too."""
        path = tempfile.mkdtemp(prefix="http-", dir=self._directory or None)
        try:
            yield path
        finally:
            self._fronts.end()
            shutil.rmtree(path, ignore_errors=True)

    def _goes_on(self) -> bool:
        if self._failure is not None:
            return False
        if self._deadline is None:
            return True
        return bool(self._fronts) and time.monotonic() < self._deadline

    def _timeout(self) -> float:
        now = time.monotonic()
        waits = [moment - now for moment in self._fronts.due] + self._listener.waits
        return max(0.0, min([_TICK_S, *waits]))

    def _on_change(self) -> None:
        if self._fronts.is_ready and not self._is_up:
            self._is_up = True
            self._up(self._fronts.url)

    def _stop(self, signum: signal.Signals) -> None:
        """The first time, let requests end; the second time, end at once."""
        if self._deadline is None and self._is_up:
            self._deadline = time.monotonic() + DRAIN_GRACE_S
            self._stopping(signum)
            self._fronts.stop()
        elif self._deadline is None or signum != signal.SIGHUP:
            self.ended_by = signum
            self._deadline = 0.0
