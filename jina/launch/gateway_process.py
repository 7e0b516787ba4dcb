"""A Flow's gateway, as its supervisor sees it: a process and a channel, replaced after a death.

It does not decide what becomes of the Flow when no gateway can be had; the supervisor does.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import socket
from collections.abc import Callable

from jina.defaults import KILL_GRACE_S
from jina.graph.plan import Plan, PlannedNode
from jina.launch.child import Child, spawn_gateway
from jina.launch.holders import KeptHolders
from jina.launch.listener import Listener
from jina.launch.restarts import Restarts
from jina.launch.rundir import RunDirectory
from jina.runtime import control
from jina.runtime.descendants import mark_of


class GatewayProcess:
    """The gateway process of one supervisor, on its loop.

    Args:
        selector: of that loop; it calls what is registered as data.
        listener: hears what the process prints.
        hear: called with each of its messages.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listener: Listener,
        hear: Callable[[control.ToSupervisor], None],
    ) -> None:
        self.child: Child | None = None
        """The process; None while there is none."""
        self.due: float | None = None
        """When another one is to be started."""
        self.starts = 0
        """How many have been started."""
        self._selector = selector
        self._listener = listener
        self._hear = hear
        self._channel: control.Channel | None = None
        self._restarts = Restarts()

    def start(self) -> None:
        """Start the process, or a replacement for one that died.

        Raises:
            OSError: it cannot be started; nothing has changed.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self.child = spawn_gateway(theirs)
        except OSError:
            ours.close()
            raise
        self.starts += 1
        self._channel = control.Channel(ours, control.ToSupervisor)
        self._listener.watch(self.child)
        self._selector.register(self._channel, selectors.EVENT_READ, self._on_channel)

    def configure(
        self,
        plan: Plan,
        directory: RunDirectory,
        nodes: list[PlannedNode],
        endpoints: dict[str, list[str]],
        fronts: list[str],
        workers: str,
        known: KeptHolders,
    ) -> None:
        """Tell it all that it needs to begin, or to replace another one.

        Args:
            plan: what was started.
            directory: of the Flow.
            nodes: of the graph, as they are now.
            endpoints: that nodes are known to bind.
            fronts: addresses that an earlier gateway had; empty for the first one.
            workers: the one for workers of other machines that it had.
            known: agents that may be alive and have files.
        """
        self.tell(
            control.Configure(
                flow=plan.name,
                directory=str(directory.path),
                nodes=nodes,
                front=fronts or [directory.front, *filter(None, [plan.listen])],
                back=directory.back,
                board=str(directory.board),
                mark=mark_of(os.getpid()),
                endpoints=endpoints,
                first_task=self.starts << 48,
                keys=plan.keys,
                placed_keys=plan.placing.keys if plan.placing else "",
                workers=workers or plan.worker_listen,
                lease_s=plan.lease_s,
                holders=known.holders,
                held_s=known.seconds,
            )
        )

    def tell(self, message: control.ToGateway) -> None:
        """Send it a message; does nothing while there is no process."""
        if self._channel:
            self._channel.send(message)

    def hear(self) -> None:
        """Take in what it has said so far, without waiting for more."""
        while (channel := self._channel) and channel.is_open:
            if not (channel.has_waiting or select.select([channel], [], [], 0)[0]):
                return
            self._on_channel()

    def take_dead(self) -> Child | None:
        """The process, if it has ended; it is forgotten then."""
        child = self.child
        if child is None or not child.has_ended():
            return None
        self._listener.hear_out(child)
        self.child = None
        if self._channel:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(self._channel)
            self._channel.close()
            self._channel = None
        return child

    def delay_s(self, now: float) -> float | None:
        """Note a death or a failed start; returns when the next start may be, None for never."""
        return self._restarts.delay_s(now)

    def let_leave(self) -> None:
        """Let it end once clients have taken their answers."""
        channel = self._channel
        if channel is not None:
            with contextlib.suppress(KeyError, ValueError):  # it had ended before it was told
                self._selector.unregister(channel)
            channel.close()

    def end(self, *, at_once: bool) -> None:
        """End the process, if there is one: after it had a grace to leave, or at once."""
        child = self.child
        if child and at_once:
            # Before the channel closes: it would begin to remove the run directory, and not end it.
            child.signal_group(signal.SIGKILL)
            child.wait(KILL_GRACE_S)
        if self._channel:
            self._channel.close()  # tells the gateway to leave
        if child:
            if not child.wait(KILL_GRACE_S):
                child.signal_group(signal.SIGKILL)
                child.wait(KILL_GRACE_S)
            child.close()

    def _on_channel(self) -> None:
        channel = self._channel
        if channel is None:
            return
        for message in channel.receive():
            self._hear(message)  # type: ignore[arg-type]  # the channel decodes no others
        if not channel.is_open:
            self._selector.unregister(channel)  # it died, or is about to; `take_dead` looks
