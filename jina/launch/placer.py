"""A Flow's placer, as its supervisor sees it: the process that starts agents on a cluster.

It runs `jina.ray.placer`, which nothing here imports. It reports in the words of a supervisor:
what the Executors elsewhere print, and what becomes of their workers. Its death ends everything
that it has placed; another one places all of it again.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
from collections.abc import Iterator

from jina.defaults import KILL_GRACE_S, RESTART_DELAY_MAX_S
from jina.graph.plan import Plan
from jina.launch import events
from jina.launch.child import Child, spawn_placer
from jina.launch.listener import Listener
from jina.launch.placing import Begin, Finish, Listening
from jina.launch.restarts import Restarts
from jina.runtime.control import Channel


class Placer:
    """The placer process of one supervisor, on its loop.

    Args:
        plan: of the Flow.
        selector: of the loop; it calls what is registered as data.
        listener: hears what the process itself prints.
        report: told what happens elsewhere.
    """

    def __init__(
        self,
        plan: Plan,
        selector: selectors.BaseSelector,
        listener: Listener,
        report: events.Reporter,
    ) -> None:
        self._plan = plan
        self._selector = selector
        self._listener = listener
        self._report = report
        self._child: Child | None = None
        self._channel: Channel | None = None
        self._address = ""
        self._due: float | None = None
        self._restarts = Restarts()
        self._failures: list[events.StartFailed] = []
        self._is_finishing = False

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._child is not None

    def start(self) -> None:
        """Start the process, if the Flow has something to place.

        Raises:
            OSError: it cannot be started.
        """
        if self._plan.placing is None:
            return
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._child = spawn_placer(theirs)
        except OSError:
            ours.close()
            raise
        self._channel = Channel(ours, events.Event)
        self._listener.watch(self._child)
        self._child.is_ready = True  # what it prints itself is shown at once
        self._selector.register(self._channel, selectors.EVENT_READ, self._hear)
        self._channel.send(Begin(flow=self._plan.name, placing=self._plan.placing))
        if self._address:
            self._channel.send(Listening(address=self._address))

    def listening(self, address: str) -> None:
        """The gateway listens to workers of other machines, there."""
        if address != self._address:
            self._address = address
            if self._channel:
                self._channel.send(Listening(address=address))

    def keep(self, now: float, *, is_up: bool) -> Iterator[events.StartFailed]:
        """Bring it back if it has died; what failed, while the Flow is starting.

        Args:
            now: by the monotonic clock.
            is_up: the Flow has been ready.
        """
        if self._due is not None and now >= self._due:
            self._due = None
            try:
                self.start()
            except OSError as error:  # no process or descriptor is left just now
                self._start_later(now, f"could not be started: {error}")
        child = self._child
        if child is not None and child.has_ended():
            self._take_dead(child)
            if is_up and not self._is_finishing:
                self._start_later(now, child.ending)
            elif not (self._is_finishing or self._failures):
                yield child.failure("", child.ending)
        failures, self._failures = self._failures, []
        for failure in failures:
            if not is_up:
                yield failure
            else:
                what = ": ".join(filter(None, [failure.worker or failure.where, failure.reason]))
                self._report(events.Changing(text=what))

    def finish(self) -> float:
        """Let what it has placed close, as the gateway has told it, and let it leave then.

        Returns:
            how many seconds that may take.
        """
        self._is_finishing = True
        self._due = None
        if self._channel is None or self._plan.placing is None:
            return 0.0
        grace_s = max([0.0, *(spec.stop_grace_s for spec in self._plan.placing.workers)])
        self._channel.send(Finish(grace_s=grace_s + KILL_GRACE_S))
        return grace_s + KILL_GRACE_S

    def end(self, *, at_once: bool) -> None:
        """End the process, if it is there; what it has placed ends with it."""
        self._is_finishing = True
        if (child := self._child) is None:
            return
        if not at_once and self._channel:
            self._channel.send(Finish(grace_s=0.0))
            child.wait(KILL_GRACE_S)
        child.signal_group(signal.SIGKILL)
        child.wait(KILL_GRACE_S)
        self._take_dead(child)

    def _start_later(self, now: float, reason: str) -> None:
        delay = self._restarts.delay_s(now)
        delay = RESTART_DELAY_MAX_S if delay is None else delay
        self._due = now + delay
        self._report(events.WorkerDied(worker="ray", reason=reason, restart_in_s=delay))

    def _take_dead(self, child: Child) -> None:
        with contextlib.suppress(OSError, KeyError, ValueError):  # the selector may be closed
            self._hear()
            self._listener.hear_out(child)
        self._child = None
        if self._channel:
            with contextlib.suppress(OSError, KeyError, ValueError):
                self._selector.unregister(self._channel)
            self._channel.close()
            self._channel = None

    def _hear(self) -> None:
        channel = self._channel
        if channel is None:
            return
        for message in channel.receive():
            if isinstance(message, events.StartFailed):
                self._failures.append(message)
            else:
                self._report(message)  # type: ignore[arg-type]  # the channel decodes no others
        if not channel.is_open:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(channel)  # it died, or is about to; `keep` looks
