"""What a supervisor tells of workers that start: what it waits for, and what is suspicious."""

from __future__ import annotations

from collections.abc import Collection

from jina.graph.plan import WorkerSpec
from jina.launch import events
from jina.launch.child import Child
from jina.runtime import control
from jina.wire.doubts import Doubt

_EACH_S = 1.0  # between two words about what is waited for


class Hints:
    """Tells each thing once, however many replicas there are and however often they start.

    Args:
        report: see Reporter.
    """

    def __init__(self, report: events.Reporter) -> None:
        self._report = report
        self._told: set[tuple[str, Doubt]] = set()
        self._next_s = _EACH_S

    def ready(self, child: Child, spec: WorkerSpec, message: control.WorkerReady) -> None:
        """Tell that a worker is ready, and what it found suspicious about its Executor."""
        endpoints = message.endpoints
        self._report(events.WorkerUp(worker=child.name, endpoints=endpoints, pid=child.worker_pid))
        new = [doubt for doubt in message.doubts if (spec.node, doubt) not in self._told]
        if new:
            self._told.update((spec.node, doubt) for doubt in new)
            self._report(events.Doubtful(node=spec.node, where=spec.where, doubts=new))

    def loading(self, waiting: Collection[str], seconds: float) -> None:
        """Tell what is waited for, if that takes long.

        Args:
            waiting: the workers that are not ready.
            seconds: since the start began.
        """
        if waiting and seconds >= self._next_s:
            self._next_s = seconds - seconds % _EACH_S + _EACH_S
            self._report(events.Loading(workers=sorted(waiting), seconds=seconds))
