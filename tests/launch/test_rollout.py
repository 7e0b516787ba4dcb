"""The way of a change: what happens on the left, what is to be done on the right."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import PlannedNode, WorkerSpec
from jina.launch.rollout import (
    Cancel,
    Order,
    Retire,
    RetireWorker,
    Rollout,
    Start,
    StartWorker,
    Step,
    does_the_same,
    new_graph,
    scaled,
    steps_between,
)


def spec(name: str, jtype: str = "A", **args: object) -> WorkerSpec:
    node, _, replica = name.partition("/")
    return WorkerSpec(
        node=node, replica=int(replica), executor=ExecutorSpec(jtype=jtype), runtime_args=args
    )


def specs(*names: str, jtype: str = "A") -> list[WorkerSpec]:
    return [spec(name, jtype) for name in names]


def text(step: Step) -> str:
    if isinstance(step, Start):
        return f"+ {' '.join(step.names)}"
    return f"{'--' if step.is_final else '-'} {' '.join(step.names)}"


@pytest.mark.parametrize(
    ("running", "wanted", "options", "steps"),
    [
        # Scaled: those that stay are left alone.
        ("e/0 e/1", "e/0 e/1 e/2 e/3", {"keep": True}, ["+ e/2 e/3"]),
        ("e/0 e/1 e/2", "e/0", {"keep": True}, ["-- e/1 e/2"]),
        ("e/0", "e/0", {"keep": True}, []),
        # Restarted: one after the other.
        ("e/0 e/1", "e/0 e/1", {}, ["- e/0", "+ e/0", "- e/1", "+ e/1"]),
        ("e/0 e/1", "e/0 e/1", {"is_surge": True}, ["+ e/0", "- e/0", "+ e/1", "- e/1"]),
        # Both: added first, and at last those that are too many.
        ("e/0", "e/0 e/1", {}, ["+ e/1", "- e/0", "+ e/0"]),
        ("e/0 e/1", "e/0", {}, ["- e/0", "+ e/0", "-- e/1"]),
    ],
)
def test_the_steps_of_a_change(
    running: str, wanted: str, options: dict[str, bool], steps: list[str]
) -> None:
    found = steps_between(specs(*running.split()), specs(*wanted.split()), **options)
    assert [text(step) for step in found] == steps


def test_a_scaled_node_keeps_the_workers_that_it_has() -> None:
    alone = spec("e/0", replicas=1, workspace="w")
    assert scaled([alone], 3) == [
        alone,
        spec("e/1", replicas=3, replica_id=1, workspace="w"),
        spec("e/2", replicas=3, replica_id=2, workspace="w"),
    ]
    assert scaled([alone], 1) == [alone]
    assert scaled(specs("e/0", "e/1", "e/2"), 2) == specs("e/0", "e/1")


def test_a_scaled_node_has_as_many_replicas_of_each_shard() -> None:
    shards = [msgspec.structs.replace(spec("e/0", shard_id=n), shard=n) for n in (0, 1)]
    found = scaled(shards, 2)
    assert [each.name for each in found] == [
        "e/shard-0/0",
        "e/shard-0/1",
        "e/shard-1/0",
        "e/shard-1/1",
    ]
    assert [each.runtime_args["shard_id"] for each in found] == [0, 0, 1, 1]


def test_replicas_that_are_added_take_their_turn_with_the_gpus() -> None:
    one = msgspec.structs.replace(
        spec("e/0"), env={"CUDA_VISIBLE_DEVICES": "4"}, devices=["4", "6", "7"]
    )
    found = scaled([one], 5)
    assert [each.env["CUDA_VISIBLE_DEVICES"] for each in found] == ["4", "6", "7", "4", "6"]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (spec("e/0", replicas=3, replica_id=0, workspace="w"), True),
        (spec("e/0", replicas=1, workspace="elsewhere"), False),
        (spec("e/0", jtype="B", replicas=1, workspace="w"), False),
    ],
)
def test_what_makes_no_difference_to_a_worker(other: WorkerSpec, same: bool) -> None:
    assert does_the_same(spec("e/0", replicas=1, workspace="w"), other) is same


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["a", "b"], ""),
        (["a", "b x3"], ""),
        (["a", "c"], "the Executors of the Flow have changed; stop and start it to apply this"),
        (["a"], "the Executors of the Flow have changed; stop and start it to apply this"),
        (["b", "a"], "the Executors of the Flow have changed; stop and start it to apply this"),
        (
            ["a", "b a"],
            '"b" has new needs or options; stop and start the Flow to apply this',
        ),
    ],
)
def test_a_graph_stays_what_it_is(wanted: list[str], message: str) -> None:
    def node(text: str) -> PlannedNode:
        name, _, more = text.partition(" ")
        is_number = more.startswith("x")
        needs = [more] if more and not is_number else ["gateway"]
        return PlannedNode(name=name, needs=needs, replicas=int(more[1:]) if is_number else 1)

    assert new_graph([node("a"), node("b")], [node(text) for text in wanted]) == message


# --- the way ---


class Story:
    """A rollout and the workers that it knows; identities are names with a letter, as in e/0a."""

    def __init__(self, running: str, steps: Sequence[Step]) -> None:
        self.running = {each: each[:-1] for each in running.split()}
        self.rollout = Rollout(steps)

    def orders(self) -> str:
        return ", ".join(_words(order) for order in self.rollout.orders(self.running))

    def ready(self, identity: str) -> str:
        self.running[identity] = identity[:-1]
        self.rollout.ready(identity, identity[:-1])
        return self.orders()

    def ended(self, identity: str) -> tuple[bool, str]:
        del self.running[identity]
        return self.rollout.ended(identity), self.orders()


def _words(order: Order) -> str:
    if isinstance(order, StartWorker):
        return f"start {order.spec.name}"
    if isinstance(order, RetireWorker):
        return f"retire {order.identity}"
    assert isinstance(order, Cancel)
    return f"{'forget' if order.is_final else 'cancel'} {order.name}"


def restart(names: str, **options: bool) -> list[Step]:
    return steps_between(specs(*names.split()), specs(*names.split()), **options)


def test_a_restart_goes_on_when_the_new_worker_is_ready() -> None:
    story = Story("e/0a e/1a", restart("e/0 e/1"))
    assert story.orders() == "retire e/0a, cancel e/0"
    assert story.orders() == ""
    assert story.ended("e/0a") == (True, "start e/0")
    assert story.ready("e/0b") == "retire e/1a, cancel e/1"
    assert story.ended("e/1a") == (True, "start e/1")
    assert not story.rollout.is_over
    assert story.ready("e/1b") == ""
    assert story.rollout.is_over


def test_a_surge_keeps_the_old_worker_until_the_new_one_is_ready() -> None:
    story = Story("e/0a", restart("e/0", is_surge=True))
    assert story.orders() == "start e/0"
    assert story.ready("e/0a") == ""  # a new gateway heard of the old one
    assert story.ready("e/0b") == "retire e/0a"
    assert story.ended("e/0a") == (True, "")
    assert story.rollout.is_over


def test_an_old_worker_that_dies_before_its_surge_is_done_has_no_successor_but_that() -> None:
    story = Story("e/0a", restart("e/0", is_surge=True))
    assert story.orders() == "start e/0"
    assert story.ended("e/0a") == (True, "")
    assert story.ready("e/0b") == ""
    assert story.rollout.is_over


def test_a_worker_that_is_gone_is_not_started_twice() -> None:
    """It had died and was due; the change starts it instead."""
    story = Story("", restart("e/0"))
    assert story.orders() == "cancel e/0, start e/0"


def test_whose_turn_has_not_come_dies_as_ever() -> None:
    story = Story("e/0a e/1a", restart("e/0 e/1"))
    story.orders()
    assert story.ended("e/1a") == (False, "")


def test_several_start_at_once_and_leave_at_once() -> None:
    story = Story("e/0a", [Start(tuple(specs("e/1", "e/2"))), Retire(("e/1", "e/2"), True)])
    assert story.orders() == "start e/1, start e/2"
    assert story.rollout.is_starting("e/1a", "e/1")
    assert story.ready("e/2a") == ""
    assert story.ready("e/1a") == "retire e/2a, retire e/1a, forget e/1, forget e/2"
    assert story.ended("e/1a") == (True, "")
    assert story.ended("e/2a") == (True, "")
    assert story.rollout.is_over


def test_what_was_added_goes_when_another_cannot_be_started() -> None:
    story = Story("e/0a", [Start(tuple(specs("e/1", "e/2")))])
    story.orders()
    assert story.ready("e/1a") == ""
    assert story.rollout.undo(["e/0"]) == []
    assert story.orders() == "retire e/1a, forget e/1, forget e/2"
    assert story.ended("e/1a") == (True, "")
    assert story.rollout.is_over


def test_a_predecessor_comes_back_when_its_successor_cannot_be_started() -> None:
    story = Story("e/0a e/1a", restart("e/0 e/1"))
    story.orders()
    story.ended("e/0a")
    assert story.rollout.undo(["e/0", "e/1"]) == ["e/0"]
    assert story.orders() == ""
    assert story.rollout.is_over


# --- whatever happens ---


class World:
    """Workers that start, get ready, die and come back, in an order drawn from a seed."""

    def __init__(self, chance: Random, running: list[WorkerSpec], steps: list[Step]) -> None:
        self.chance = chance
        self.rollout = Rollout(steps)
        self.specs = {spec.name: spec for spec in running}
        self.running: dict[str, str] = {}  # identity -> name
        self.does: dict[str, WorkerSpec] = {}  # identity -> what it runs
        self.starting: set[str] = set()
        self.retiring: set[str] = set()
        self.due: set[str] = set()
        self.lives = 0
        for spec in running:
            self.start(spec.name)
        self.starting.clear()

    def start(self, name: str) -> None:
        self.lives += 1
        identity = f"{name}#{self.lives}"
        self.running[identity] = name
        self.does[identity] = self.specs[name]
        self.starting.add(identity)

    def go_on(self) -> None:
        while orders := self.rollout.orders(self.running):
            for order in orders:
                if isinstance(order, StartWorker):
                    self.specs[order.spec.name] = order.spec
                    self.due.discard(order.spec.name)
                    self.start(order.spec.name)
                elif isinstance(order, RetireWorker):
                    assert order.identity not in self.retiring
                    self.retiring.add(order.identity)
                else:
                    self.due.discard(order.name)
                    if order.is_final:
                        del self.specs[order.name]

    def happen(self, deadly: float) -> None:
        """One thing: a death, a comeback, the end of one that retires, or one gets ready."""
        if self.running and self.chance.random() < deadly:
            self.end(self.chance.choice(sorted(self.running)))
        elif self.due:
            self.start(self.due.pop())
        elif self.retiring:
            self.end(self.chance.choice(sorted(self.retiring)))
        elif self.starting:
            identity = self.chance.choice(sorted(self.starting))
            self.starting.discard(identity)
            self.rollout.ready(identity, self.running[identity])
        self.go_on()

    def end(self, identity: str) -> None:
        name = self.running.pop(identity)
        self.starting.discard(identity)
        self.retiring.discard(identity)
        if not self.rollout.ended(identity):
            self.due.add(name)


@pytest.mark.parametrize("is_surge", [False, True])
def test_whatever_dies_when_what_was_wanted_runs_at_the_end(is_surge: bool) -> None:
    for seed in range(500):
        chance = Random(seed)
        running = specs(*(f"e/{n}" for n in range(chance.randint(1, 4))))
        wanted = specs(*(f"e/{n}" for n in range(chance.randint(1, 4))), jtype="B")
        keep = chance.random() < 0.3
        steps = steps_between(running, wanted, is_surge=is_surge, keep=keep)
        world = World(chance, running, steps)
        world.go_on()
        for _ in range(200):
            world.happen(0.2)
        for _ in range(200):
            world.happen(0.0)
        assert world.rollout.is_over, seed
        assert sorted(world.running.values()) == [spec.name for spec in wanted], seed
        old = {spec.name for spec in running} if keep else set()
        for identity, name in world.running.items():
            assert world.does[identity].executor.jtype == ("A" if name in old else "B"), seed
