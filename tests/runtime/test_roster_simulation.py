"""Agents, links and gateways that fail at random: two processes never have the files of a shard.

Time is a number. An answer is on its way for any time, and arrives even if the link is cut
meanwhile, as what a kernel has taken does.
"""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from jina.graph.plan import PlannedNode
from jina.runtime.agency import Admitted, Greet, Heard, TurnedAway, Wait, WhoIsIt
from jina.runtime.control import Holder
from jina.runtime.roster import Roster

LEASE_S = 5.0
TICK_S = 0.5
TICKS = 400
SHARDS = 2
NODE = PlannedNode(name="index", needs=["gateway"], shards=SHARDS, is_external=True)
Answer = Admitted | TurnedAway | Wait | Heard | WhoIsIt


class Agent:
    """One agent: it greets, beats, and ends its workers when it hears nothing."""

    def __init__(self, number: int, shard: int | None) -> None:
        self.identity = b"agent/%d" % number
        self.greet = Greet(machine="m", pid=number, node="index", shard=shard)
        self.shards = set(range(SHARDS)) if shard is None else {shard}
        self.is_linked = True
        self.is_admitted = self.has_workers = self.is_over = False
        self.heard = 0.0

    def hear(self, answer: Answer, now: float) -> None:
        if isinstance(answer, Heard):
            assert answer.at is not None
            self.heard = max(self.heard, answer.at)
        elif isinstance(answer, Admitted) and now - answer.at < LEASE_S:
            self.heard = max(self.heard, answer.at)
            self.is_admitted = self.has_workers = True
        elif isinstance(answer, WhoIsIt):
            self.is_admitted = False
        elif isinstance(answer, TurnedAway):
            self.end()

    def keep_time(self, now: float) -> None:
        if self.has_workers and now - self.heard >= LEASE_S:
            self.is_admitted = self.has_workers = False

    def end(self) -> None:
        self.is_admitted = self.has_workers = False
        self.is_over = True


class World:
    """One run.

    Args:
        seed: decides everything.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.told: list[Holder] = []  # what the supervisor knows
        self.roster = self._gateway()
        self.agents: list[Agent] = []
        self.count = 0
        self.under_way: list[tuple[float, Agent, Answer]] = []
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        for _ in range(TICKS):
            self.now += TICK_S
            self._disturb()
            for agent in self.agents:
                if agent.is_linked and self.random.random() < 0.9:
                    self._say(agent)
                agent.keep_time(self.now)
            self._deliver()
            for peer in self.roster.silent(self.now):
                self.roster.lose(peer)
            self.roster.forget(self.now)
            self.told = self.roster.holders
            self.agents = [agent for agent in self.agents if not agent.is_over]
            self._check()

    def _gateway(self) -> Roster:
        roster = Roster("flow", [NODE], LEASE_S, ("", ""))
        roster.recall(self.told, 2 * LEASE_S, self.now)
        return roster

    def _disturb(self) -> None:
        chance = self.random.random()
        if chance < 0.03:
            self.roster = self._gateway()
            self.seen["gateways"] += 1
        elif self.agents and chance < 0.1:
            agent = self.random.choice(self.agents)
            agent.is_linked = not agent.is_linked
        elif self.agents and chance < 0.12:
            agent = self.random.choice(self.agents)
            if agent.is_linked and chance < 0.11:
                self.roster.leave(agent.identity)
            agent.end()
        elif len(self.agents) < 6 and chance < 0.2:
            self.count += 1
            self.agents.append(Agent(self.count, self.random.choice([None, 0, 0, 1, 1])))

    def _say(self, agent: Agent) -> None:
        answer: Answer
        if not agent.is_admitted:
            greet = msgspec.structs.replace(agent.greet, at=self.now)
            answer = self.roster.greet(agent.identity, greet, self.now)
            self.told = self.roster.holders  # before the answer is sent
        else:
            is_heard = self.roster.hears(agent.identity, self.now)
            answer = Heard(at=self.now) if is_heard else WhoIsIt()
        self.seen[type(answer).__name__] += 1
        delay = self.random.choice([0.0, 0.0, 0.0, 0.3, 0.9, 3.0]) * LEASE_S
        self.under_way.append((self.now + delay, agent, answer))

    def _deliver(self) -> None:
        for message in list(self.under_way):
            when, agent, answer = message
            if when <= self.now:
                self.under_way.remove(message)
                if not agent.is_over:
                    agent.hear(answer, self.now)

    def _check(self) -> None:
        for shard in range(SHARDS):
            writers = [a for a in self.agents if a.has_workers and shard in a.shards]
            names = [agent.greet.who for agent in writers]
            assert len(writers) <= 1, f"at {self.now}: shard {shard} is written by {names}"


@pytest.mark.parametrize("seed", range(100))
def test_two_processes_never_have_the_files_of_a_shard(seed: int) -> None:
    world = World(seed)
    world.run()
    assert world.seen["Admitted"]
    assert world.seen["gateways"]
