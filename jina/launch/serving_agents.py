"""The loop of a process that serves an Executor to Flows on other machines."""

from __future__ import annotations

import contextlib
import selectors
import signal
from collections.abc import Sequence

from jina.launch import events
from jina.launch.agent import Agent, Serve
from jina.launch.signals import Signals


def serve_all(serves: Sequence[Serve], report: events.Reporter) -> signal.Signals | None:
    """Serve until a signal asks for the end.

    Args:
        serves: one for each gateway; every one of them has workers of its own.
        report: told what happens, on this thread.

    Returns:
        the signal that ended it at once; None if it ended in order.

    Raises:
        ConnectError: a gateway does not let us in.
        ConfigError: what it would serve cannot be served.
        FlowError: a worker did not start.
    """
    signals = Signals()
    with contextlib.ExitStack() as stack:
        stack.enter_context(signals)
        selector = stack.enter_context(selectors.DefaultSelector())
        selector.register(signals, selectors.EVENT_READ, lambda: None)
        agents = []
        for number, serve in enumerate(serves):
            agents.append(agent := Agent(serve, selector, report, number))
            agent.open(stack)
        while all(agent.failure is None and agent.ended_by is None for agent in agents):
            going = [agent for agent in agents if agent.goes_on]
            if not going:
                break
            for key, _ in selector.select(min(agent.timeout for agent in going)):
                key.data()
            signums = signals.take()
            for agent in going:
                agent.go_on(signums)
    for agent in agents:
        if agent.failure is not None:
            raise agent.failure
    return next((agent.ended_by for agent in agents if agent.ended_by), None)
