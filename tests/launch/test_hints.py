"""What is told of workers that start: each thing once."""

from __future__ import annotations

from typing import Any, cast

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch import events
from jina.launch.hints import Hints
from jina.runtime.control import WorkerReady
from jina.wire.doubts import Doubt


class Told(list[events.Event]):
    is_behind = False

    def __call__(self, event: events.Event) -> None:
        self.append(event)


class Process:
    name, pid, worker_pid = "a/0", 7, 7


def test_replicas_and_later_starts_tell_nothing_twice() -> None:
    told = Told()
    hints = Hints(told)
    spec = WorkerSpec(node="a", replica=0, executor=ExecutorSpec(), entry="flow.yml:3:5")
    first, second = Doubt("x", "one"), Doubt("x", "two")
    for doubts in ([first], [first], [first, second]):
        hints.ready(
            cast(Any, Process), spec, WorkerReady(identity="i", endpoints=[], doubts=doubts)
        )
    found = [event for event in told if isinstance(event, events.Doubtful)]
    assert [event.doubts for event in found] == [[first], [second]]
    assert found[0].as_text() == "warning: a: flow.yml:3:5: one"
    assert sum(isinstance(event, events.WorkerUp) for event in told) == 3


def test_what_is_loading_is_told_about_once_a_second() -> None:
    told = Told()
    hints = Hints(told)
    for tenths in range(35):
        hints.loading(["b", "a"], tenths / 10)
    hints.loading([], 9.0)
    assert [event.seconds for event in told if isinstance(event, events.Loading)] == [1, 2, 3]
