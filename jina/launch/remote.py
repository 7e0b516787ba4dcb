"""The external nodes of a Flow, as its supervisor sees them: who serves them, what is missing.

It starts nothing for them; agents do, on other machines, and the gateway tells of them. Who starts
the agents is no matter here, except where that is a placer of our own.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jina.excepts import FlowError
from jina.graph.plan import Plan
from jina.launch import events
from jina.launch.holders import KeptHolders
from jina.launch.listener import Listener
from jina.launch.placer import Placer
from jina.launch.placing import with_run_keys
from jina.runtime import control

_EACH_S = 10.0  # between two words about what is waited for


class RemoteNodes:
    """The external nodes of one Flow.

    Args:
        plan: of the Flow.
        report: told what happens.
        serves: called with a node and its endpoints when a worker of it is ready.
        selector: of the supervisor's loop.
        listener: hears what processes print.
    """

    def __init__(
        self,
        plan: Plan,
        report: events.Reporter,
        serves: Callable[[str, list[str]], None],
        selector: selectors.BaseSelector,
        listener: Listener,
    ) -> None:
        self.placer = Placer(plan, selector, listener, report)
        """Starts the agents of those nodes that an engine runs."""
        self.known = KeptHolders(plan)
        """Whose files nobody else may write, for the next gateway."""
        self._serves = serves
        self._plan = plan
        self._report = report
        self._missing: dict[str, set[int | None]] = {
            node.name: set(range(node.shards)) if node.shards > 1 else {None}
            for node in plan.nodes
            if node.is_external
        }
        self._next_s = 0.0
        self._address = ""

    @staticmethod
    def with_keys(plan: Plan, directory: Path) -> Plan:
        """See `placing.with_run_keys`."""
        return with_run_keys(plan, directory)

    @property
    def waiting(self) -> bool:
        """Whether a node, or a shard of one, has not been served yet."""
        return any(self._missing.values())

    def open(self) -> None:
        """See to it that agents can come, and have those started that are ours.

        Raises:
            FlowError: there is no address for them.
            OSError: the placer cannot be started.
        """
        if self._missing and not self._plan.worker_listen:
            name = next(iter(self._missing))
            raise FlowError(
                f'"{name}" is external, and there is no port for those who serve it',
                where=self._plan.file,
                hint="set `worker_port` and `keys` in the Flow's `with`, or use `jina flow up "
                "--worker-port PORT --keys DIR`",
            )
        self.placer.start()

    @property
    def address(self) -> str:
        """Where agents reach the gateway, once that listens."""
        return self._address

    @address.setter
    def address(self, address: str) -> None:
        self._address = address
        self.placer.listening(address)

    def keep(self) -> Iterator[events.StartFailed]:
        """Look after the placer; what failed, while the Flow is starting."""
        yield from self.placer.keep(time.monotonic(), is_up=not self.waiting)

    def hear(self, message: control.RemoteReady | control.AgentNews | control.Holders) -> None:
        """A worker on another machine is ready, or something happened to an agent."""
        if isinstance(message, control.Holders):
            self.known.take(message.holders)
            return
        if isinstance(message, control.AgentNews):
            self._say(message.text)
            return
        self._missing[message.node].discard(message.shard)
        served = ", ".join(message.endpoints) or "no endpoint"
        self._say(f"{message.name} is ready: {served} ({message.agent})")
        self._serves(message.node, message.endpoints)

    def tell_missing(self, seconds: float) -> None:
        """Tell what is waited for, now and then.

        Args:
            seconds: since the start began.
        """
        if not self.waiting or not self.address or seconds < self._next_s:
            return
        self._next_s = seconds + _EACH_S
        placed = set(self._plan.placing.asks) if self._plan.placing else set()
        port = self.address.rpartition(":")[2]
        keys = " --keys DIR" if self._plan.keys else ""
        for node, shards in self._missing.items():
            if not shards or node in placed:  # of those the placer tells
                continue
            several = sorted(shard for shard in shards if shard is not None)
            what = f"{node} (shard {', '.join(map(str, several))})" if several else node
            self._say(
                f"waiting for {what}: nobody serves it yet; on the other machine: jina executor "
                f"serve my.yml --name {node} --gateway tcp://HOST:{port}{keys}"
                + (f" --shard {several[0]}" if several else "")
            )

    def _say(self, text: str) -> None:
        self._report(events.Outside(text=text))
