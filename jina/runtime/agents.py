"""The gateway's part in workers on other machines: it hears their agents, and knows who is lost.

To the router, a worker of an agent is one like any other. What differs is here: agents are admitted
or turned away (`roster.py` decides), beat, and are suspected after a silence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from jina import __version__
from jina.names import worker_name
from jina.runtime import control
from jina.runtime.agency import (
    Admitted,
    Beat,
    Ended,
    FromAgent,
    Greet,
    Heard,
    Late,
    Leave,
    TakenBack,
    TurnedAway,
    WhoIsIt,
    agent_message,
    from_agent,
)
from jina.runtime.board import Work
from jina.runtime.facts import WorkerReport
from jina.runtime.known_workers import KnownWorker
from jina.runtime.roster import Roster
from jina.runtime.steps import Overdue
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, pack_message

_UNKNOWN = Work(0, 0.0, 0, 0, 0.0)
_CUT_OFF = "was on a machine that cannot be reached any more"


class Agent:
    """An agent, as the owner of its workers; see `owners.Owner`.

    Args:
        identity: on the socket for workers.
        greet: what it said.
        back: that socket.
    """

    is_here = False

    def __init__(self, identity: bytes, greet: Greet, back: sockets.Socket) -> None:
        self.identity = identity
        self.greet = greet
        self._back = back
        self.reports: dict[str, WorkerReport] = {}

    def send(self, message: msgspec.Struct, /) -> bool:
        """Tell it something; False if it cannot be reached now."""
        return sockets.send_if_connected(self._back, agent_message(message), self.identity)

    def begun(self, identity: str, slot: int, died: control.Died) -> int:
        """See Owner: it has read its own board."""
        return died.begun

    def overdue(self, action: Overdue, slot: int) -> None:
        """See Owner: it looks on its own board."""
        identity = action.worker.decode()
        self.send(Late(identity=identity, task=action.task, lot=action.lot, seconds=action.seconds))

    def taken_back(self, identity: str, slot: int) -> None:
        """See Owner."""
        self.send(TakenBack(identity=identity))

    def work(self, identity: str, slot: int) -> Work:
        """See Owner: as it was at the last beat."""
        report = self.reports.get(identity)
        if report is None:
            return _UNKNOWN
        begun = int(report.state == "busy")
        return Work(begun, report.since_s, report.calls, report.docs, report.busy_s)

    def report(self, identity: str) -> WorkerReport | None:
        """See Owner: as it was at the last beat."""
        return self.reports.get(identity)


class Hub(Protocol):
    """What of a gateway is needed here."""

    def obey_owner(self, owner: Agent, message: msgspec.Struct) -> None:
        """Do what an owner says of its workers."""

    def lose(self, worker: KnownWorker, reason: str) -> None:
        """A worker is lost, with nothing that it is known to have begun."""


class Agents:
    """The agents of one gateway.

    Args:
        configure: what the supervisor said.
        back: the socket for workers.
        workers: those that the gateway knows, by identity.
        tell: tells the supervisor.
        hub: the gateway.
    """

    def __init__(
        self,
        configure: control.Configure,
        back: sockets.Socket,
        workers: Mapping[bytes, KnownWorker],
        tell: Callable[[control.ToSupervisor], None],
        hub: Hub,
    ) -> None:
        versions = (__version__, msgspec.__version__)
        self._roster = Roster(configure.flow, configure.nodes, configure.lease_s, versions)
        self._roster.recall(configure.holders, configure.held_s, time.monotonic())
        self._holders = configure.holders
        self._back = back
        self._workers = workers
        self._tell = tell
        self._hub = hub
        self._agents: dict[bytes, Agent] = {}
        self._next = 0.0
        self._told: set[bytes] = set()  # whose refusal the log has
        self._is_ended = False

    # --- what agents say ---

    def hear(self, peer: bytes, header: Header) -> None:
        """Take a message of an agent.

        Raises:
            WireError: it is damaged.
        """
        message = from_agent(header)
        if isinstance(message, Greet):
            self._greeted(peer, message)
        elif isinstance(message, Leave):
            self._left(peer)
        elif not self._roster.hears(peer, time.monotonic()):
            self._send(peer, WhoIsIt())
        elif isinstance(message, Beat):
            self._agents[peer].reports = message.reports
            self._send(peer, Heard(at=message.at))
        else:
            self._obey(self._agents[peer], message)

    def _greeted(self, peer: bytes, greet: Greet) -> None:
        if self._is_ended:
            self._send(peer, Ended())
            return
        for rival in self._roster.rivals(peer, greet):
            if not self._send(rival, Heard()):  # it has died: nobody need wait for its lease
                self._look_after(rival)
        answer = self._roster.greet(peer, greet, time.monotonic())
        if isinstance(answer, Admitted):
            agent = self._agents.get(peer)
            if agent is None:
                agent = self._agents[peer] = Agent(peer, greet, self._back)
                self._news(f"{greet.who} serves {_what(greet)}")
            for worker in self._of(peer):
                if worker.identity.decode() not in greet.identities:
                    self._hub.lose(worker, "ended while its machine could not be reached")
        elif peer not in self._told:
            self._told.add(peer)
            why = answer.what if isinstance(answer, TurnedAway) else f"it has to wait: {answer.why}"
            self._news(f"{greet.who} may not serve {_what(greet)}: {why}")
        self._tell_holders()
        self._send(peer, answer)

    def _obey(self, agent: Agent, message: FromAgent) -> None:
        if isinstance(message, control.Expect):
            known = self._workers.get(message.identity.encode())
            if known is not None or message.node != agent.greet.node:
                return
        elif isinstance(message, control.Started | control.Retire | control.Died):
            known = self._workers.get(message.identity.encode())
            if known is None or known.owner is not agent:
                return
        self._hub.obey_owner(agent, message)

    def _left(self, peer: bytes) -> None:
        for worker in self._of(peer):
            self._hub.lose(worker, "has ended with its agent")
        self._roster.leave(peer)
        self._tell_holders()
        if (agent := self._agents.pop(peer, None)) is not None:
            self._news(f"{agent.greet.who} has stopped; it served {_what(agent.greet)}")

    def shut_out(self, peer: bytes, why: str) -> None:
        """Somebody has no key, or the wrong one: what it sends is not read."""
        if peer in self._workers:
            return  # its agent is told
        if peer in self._agents:
            self._lose(peer, why)
        elif peer not in self._told:
            self._told.add(peer)
            self._news(f"an agent was turned away: {why}")
        hint = "`jina keys new NAME --role worker` makes one; copy its .pub to the gateway's keys"
        self._send(peer, TurnedAway(what=why, hint=hint))

    # --- what the gateway says ---

    def worker_ready(self, worker: KnownWorker, ready: control.WorkerReady) -> None:
        """A worker of an agent is ready."""
        agent = worker.owner
        assert isinstance(agent, Agent)
        self._tell(
            control.RemoteReady(
                name=worker_name(worker.node, worker.replica, worker.shard),
                node=worker.node,
                shard=worker.shard,
                endpoints=ready.endpoints,
                agent=agent.greet.who,
            )
        )

    def end(self) -> None:
        """The Flow stops: its workers are told to close."""
        self._is_ended = True
        for peer in self._roster.present:
            self._send(peer, Ended())

    def keep_time(self) -> None:
        """Look who is silent; to be called about once a second, or more often."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + min(1.0, self._roster.lease_s / 5)
        for peer in self._roster.silent(now):
            self._lose(peer, f"nothing was heard of it for {self._roster.lease_s:g} s")
        for peer in self._roster.present:
            if not self._send(peer, Heard()):
                self._look_after(peer)
        self._roster.forget(now)
        self._tell_holders()

    def _look_after(self, peer: bytes) -> None:
        """An agent's connection is gone: so are its workers, where theirs are gone too."""
        for worker in self._of(peer):
            # A CANCEL of nothing is ignored by whoever gets it.
            if not sockets.send_if_connected(
                self._back, pack_message(wire.CANCEL), worker.identity
            ):
                self._hub.lose(worker, _CUT_OFF)
        if not self._of(peer):
            self._lose(peer, "its connection has closed")

    def _lose(self, peer: bytes, why: str) -> None:
        """Suspect an agent: what its workers have is given to others."""
        agent = self._agents.pop(peer)
        self._roster.lose(peer)
        for worker in self._of(peer):
            self._hub.lose(worker, _CUT_OFF)
        self._news(f"{agent.greet.who} is lost: {why}; it served {_what(agent.greet)}")

    def _tell_holders(self) -> None:
        """Let the supervisor know who has files, for another gateway that it may start."""
        holders = self._roster.holders
        if holders != self._holders:
            self._holders = holders
            self._tell(control.Holders(holders=holders))

    def _of(self, peer: bytes) -> list[KnownWorker]:
        return [
            worker
            for worker in self._workers.values()
            if isinstance(worker.owner, Agent) and worker.owner.identity == peer
        ]

    def _send(self, peer: bytes, message: msgspec.Struct) -> bool:
        return sockets.send_if_connected(self._back, agent_message(message), peer)

    def _news(self, text: str) -> None:
        if not self._is_ended:  # that they go then is no news
            self._tell(control.AgentNews(text=text))


def _what(greet: Greet) -> str:
    return greet.node if greet.shard is None else f"shard {greet.shard} of {greet.node}"
