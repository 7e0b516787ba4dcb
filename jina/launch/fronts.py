"""The processes that serve HTTP, as whoever starts them sees them: started, replaced, ended.

They run `jina.http`, which nothing here imports. They hold nothing that is not in a request, so one
that dies is replaced, however often that happens.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator

from jina.defaults import KILL_GRACE_S, RESTART_DELAY_MAX_S
from jina.graph.front_counts import HEAD_BYTES, FrontCounts, counts_of, path_of
from jina.graph.http import MET, FrontAssignment, HttpSettings
from jina.launch import events
from jina.launch.child import Child, spawn_front
from jina.launch.http_port import HttpPort
from jina.launch.listener import Listener
from jina.launch.processes import is_stopped, memory_bytes
from jina.launch.restarts import Restarts
from jina.runtime.facts import FrontReport

_START_S = 60.0  # until a front must have begun to serve


class _Slot:
    """The place of one front: the process that is there now, and how often it was another."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"http/{number}"
        self.child: Child | None = None
        self.ready = -1  # descriptor on which it says that it serves
        self.due: float | None = None
        self.restarts = Restarts()
        self.deaths = 0
        self.last_end = ""
        self.has_served = False
        self.has_met = False  # the Flow


class Fronts:
    """The front processes of one Flow, on the loop of whoever started them.

    Args:
        settings: of HTTP; None if there are to be no fronts.
        selector: of the loop; it calls what is registered as data.
        listener: hears what the processes print.
        report: told what happens.
        changed: called when a front has begun to serve.
    """

    def __init__(
        self,
        settings: HttpSettings | None,
        selector: selectors.BaseSelector,
        listener: Listener,
        report: events.Reporter,
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._selector = selector
        self._listener = listener
        self._report = report
        self._changed = changed
        self._slots = [_Slot(number) for number in range(settings.workers if settings else 0)]
        self._port: HttpPort | None = None
        self._flow = self._address = self._directory = self._keys = ""
        self._is_stopping = False

    def __bool__(self) -> bool:
        """Whether a process is there."""
        return any(slot.child is not None for slot in self._slots)

    @property
    def is_ready(self) -> bool:
        """Whether each front has begun to serve, or did so before it was replaced."""
        return all(slot.has_served for slot in self._slots)

    @property
    def have_met(self) -> bool:
        """Whether each of them knows what the Flow serves, which it does once all Executors do."""
        return all(slot.has_served and slot.has_met for slot in self._slots)

    @property
    def waiting(self) -> set[str]:
        """The names of those that have not begun to serve yet."""
        return {slot.name for slot in self._slots if not slot.has_served}

    @property
    def url(self) -> str:
        """Where browsers reach the Flow; "" if nowhere."""
        return self._port.url if self._port is not None else ""

    @property
    def due(self) -> list[float]:
        """When `keep` has something to do."""
        return [slot.due for slot in self._slots if slot.due is not None]

    def open(self) -> None:
        """Bind the port, if there is to be one.

        Raises:
            FlowError: that is not possible.
        """
        if self._settings is not None:
            self._port = HttpPort(self._settings)

    def start(self, flow: str, address: str, directory: str = "", keys: str = "") -> None:
        """Start every process.

        Args:
            flow: its name.
            address: of its gateway.
            directory: where the fronts share what they count; "" where each counts alone.
            keys: folder of the key that the gateway asks for; "" if it asks for none.

        Raises:
            OSError: one cannot be started.
        """
        self._flow, self._address, self._directory, self._keys = flow, address, directory, keys
        for slot in self._slots:
            self._start(slot)

    def _start(self, slot: _Slot) -> None:
        if self._settings is None or self._port is None:
            raise ValueError("there is no port")
        ours, theirs = os.pipe()
        try:
            assignment = FrontAssignment(
                settings=self._settings,
                flow=self._flow,
                address=self._address,
                sockets=[each.fileno() for each in self._port.sockets],
                slot=slot.number,
                directory=self._directory,
                parent=os.getpid(),
                ready=theirs,
                keys=self._keys,
            )
            slot.child = spawn_front(slot.name, assignment)
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        slot.ready, slot.due = ours, None
        self._listener.watch(slot.child)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._on_ready(slot))

    def _on_ready(self, slot: _Slot) -> None:
        """It serves, or knows its Flow, or has closed its end."""
        said = os.read(slot.ready, 1)
        if not said:
            self._forget_pipe(slot)
        elif slot.child is not None:
            if said == MET:
                slot.has_met = True
            else:
                slot.child.is_ready = slot.has_served = True
                self._listener.show_held(slot.child)
            self._changed()

    def _forget_pipe(self, slot: _Slot) -> None:
        if slot.ready >= 0:
            self._selector.unregister(slot.ready)
            os.close(slot.ready)
            slot.ready = -1

    # --- death and time ---

    def keep(self, now: float) -> Iterator[events.StartFailed]:
        """Notice those that have ended, and start others in their place once it is time.

        Yields:
            what to report of one that has never served: another one would not either.
        """
        yield from self._reap()
        yield from self._keep_time(now)

    def _reap(self) -> Iterator[events.StartFailed]:
        for slot in self._slots:
            child = slot.child
            if child is None or not child.has_ended():
                continue
            self._forget_pipe(slot)
            self._listener.hear_out(child)
            slot.child = None
            child.signal_group(signal.SIGKILL)
            if self._is_stopping:
                continue
            if not slot.has_served:
                yield child.failure(self._place, child.ending)
                continue
            self._listener.show_held(child)
            self._start_later(slot, child.ending)

    @property
    def _place(self) -> str:
        return self._settings.place if self._settings is not None else ""

    def _start_later(self, slot: _Slot, reason: str) -> None:
        now = time.monotonic()
        delay = slot.restarts.delay_s(now)
        delay = RESTART_DELAY_MAX_S if delay is None else delay
        slot.due = now + delay
        slot.deaths += 1
        slot.last_end = reason
        self._report(events.WorkerDied(worker=slot.name, reason=reason, restart_in_s=delay))

    def _keep_time(self, now: float) -> Iterator[events.StartFailed]:
        for slot in self._slots:
            if slot.due is not None and slot.due <= now:
                slot.due = None
                try:
                    self._start(slot)
                except OSError as error:  # no process or descriptor is left just now
                    self._start_later(slot, f"could not be started: {error}")
            child = slot.child
            if child is None:
                continue
            self._listener.show_held(child, if_late=True)
            if child.is_ready or self._is_stopping or now - child.started < _START_S:
                continue
            reason = f"did not serve requests within {_START_S:g} s"
            if not slot.has_served:
                yield child.failure(self._place, reason)
                return
            child.signal_group(signal.SIGKILL)

    # --- the end ---

    def stop(self) -> None:
        """Let each finish the requests that it has, and leave; new connections are refused."""
        self._is_stopping = True
        if self._port is not None:
            self._port.close_queue()
            self._port.close()
        self.signal(signal.SIGTERM)

    def signal(self, signum: signal.Signals) -> None:
        """Signal each of them; none is started again."""
        self._is_stopping = True
        for slot in self._slots:
            slot.due = None
            if slot.child is not None:
                slot.child.signal_group(signum)

    def end(self) -> None:
        """Kill those that are left, and close the port."""
        self.signal(signal.SIGKILL)
        for slot in self._slots:
            with contextlib.suppress(OSError, KeyError, ValueError):  # the selector may be closed
                self._forget_pipe(slot)
            if slot.child is not None:
                slot.child.wait(KILL_GRACE_S)
                slot.child.close()
                slot.child = None
        if self._port is not None:
            self._port.close()

    # --- how they are ---

    def reports(self) -> list[FrontReport]:
        """How each of them is."""
        return [self._report_of(slot) for slot in self._slots]

    def _report_of(self, slot: _Slot) -> FrontReport:
        counts = self._counts_of(slot)
        found = FrontReport(
            name=slot.name,
            restarts=slot.deaths,
            last_end=slot.last_end,
            requests_done=counts.done,
        )
        if (child := slot.child) is not None:
            found.pid = child.pid
            found.up_s = time.monotonic() - child.started
            found.memory = memory_bytes(child.pid)
            is_still = is_stopped(child.pid)
            found.state = "stopped" if is_still else "ready" if child.is_ready else "loading"
            if counts.pid == child.pid:  # and not those that its predecessor had
                found.requests_held = counts.in_flight
        return found

    def _counts_of(self, slot: _Slot) -> FrontCounts:
        if not self._directory:
            return FrontCounts()
        try:
            with open(path_of(self._directory, slot.number), "rb") as file:
                return counts_of(file.read(HEAD_BYTES))
        except OSError:  # it has not made its file yet
            return FrontCounts()
