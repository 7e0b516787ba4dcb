"""The channel between supervisor and gateway: whole messages, in order, whatever the pieces."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.defaults import MIB
from jina.excepts import WireError
from jina.graph.plan import Plan, PlannedNode
from jina.runtime import control
from jina.runtime.control import Channel

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MESSAGES = st.one_of(
    st.builds(
        control.Configure,
        flow=TEXTS,
        directory=TEXTS,
        nodes=st.lists(
            st.builds(PlannedNode, name=TEXTS, needs=st.lists(TEXTS, max_size=3)), max_size=3
        ),
        front=st.lists(TEXTS, max_size=2),
        back=TEXTS,
        board=TEXTS,
    ),
    st.builds(
        control.Expect,
        identity=TEXTS,
        node=TEXTS,
        replica=st.integers(0, 9),
        slot=st.integers(0).map(lambda slot: slot % 2**31),
    ),
    st.builds(control.Started, identity=TEXTS, pid=st.integers(1, 2**31)),
    st.builds(control.Died, identity=TEXTS, reason=TEXTS),
    st.builds(control.GaveUp, node=TEXTS, reason=TEXTS),
    st.just(control.Drain()),
)


class Ends:
    """A supervisor's end, raw, and a gateway's channel."""

    def __init__(self) -> None:
        self.raw, end = socket.socketpair()
        self.gateway = Channel(end, control.ToGateway)
        end.settimeout(30)

    def close(self) -> None:
        self.raw.close()
        self.gateway.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


@given(st.lists(MESSAGES, min_size=1, max_size=6), st.lists(st.integers(0, 2000), max_size=6))
def test_messages_come_whole_and_in_order_whatever_the_pieces(
    messages: list[object], cuts: list[int]
) -> None:
    ends = Ends()
    out, into = socket.socketpair()
    sender = Channel(out, control.ToSupervisor)
    for message in messages:
        sender.send(message)  # type: ignore[arg-type]
    data = into.recv(10**6)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    received: list[object] = []
    for start, end in pairwise(edges):
        ends.raw.sendall(data[start:end])
        received += ends.gateway.receive()
    assert received == messages
    sender.close()
    into.close()
    ends.close()


def test_a_large_message_costs_no_more_than_its_size(ends: Ends) -> None:
    """A class from a script travels with everything that it refers to."""
    message = control.Died(identity="a/0", reason="x" * 40 * MIB)
    sender = Channel(ends.raw, control.ToSupervisor)
    sending = threading.Thread(target=sender.send, args=[message])
    sending.start()
    began = time.process_time()
    assert ends.gateway.wait_for(control.Died) == message
    assert time.process_time() - began < 5
    sending.join()


def test_a_closed_other_end_closes_the_channel(ends: Ends) -> None:
    ends.raw.close()
    assert ends.gateway.is_open
    assert ends.gateway.receive() == []
    assert not ends.gateway.is_open
    ends.gateway.send(control.Drained())  # nobody hears it, and that is no error
    assert not ends.gateway.is_open


def test_a_message_cut_by_the_end_of_the_other_side_is_no_message(ends: Ends) -> None:
    ends.raw.sendall(b'{"type":"Drain"')
    assert ends.gateway.receive() == []
    ends.raw.close()
    assert ends.gateway.receive() == []
    assert not ends.gateway.is_open


def test_the_first_message_is_waited_for_and_the_others_are_kept(ends: Ends) -> None:
    ends.raw.sendall(b'{"type":"GaveUp","node":"a","reason":"r"}\n{"type":"Drain"}\n')
    assert ends.gateway.wait_for(control.GaveUp) == control.GaveUp(node="a", reason="r")
    assert ends.gateway.has_waiting
    assert ends.gateway.receive() == [control.Drain()]
    assert not ends.gateway.has_waiting


@pytest.mark.parametrize("said", [b'{"type":"Drain"}\n', b""])
def test_another_first_message_or_none_is_an_error(ends: Ends, said: bytes) -> None:
    ends.raw.sendall(said)
    ends.raw.shutdown(socket.SHUT_WR)
    with pytest.raises(WireError, match="expected Configure from the other end of the channel"):
        ends.gateway.wait_for(control.Configure)


def test_a_plan_reaches_a_supervisor_as_it_was() -> None:
    ours, theirs = socket.socketpair()
    owner, supervisor = Channel(ours, control.ToGateway), Channel(theirs, control.ToOwnedSupervisor)
    plan = Plan(name="flow", nodes=[PlannedNode(name="a", needs=["gateway"])], workers=[])
    owner.send(control.Begin(plan=plan, key="k"))
    assert supervisor.wait_for(control.Begin) == control.Begin(plan=plan, key="k")
    owner.close()
    supervisor.close()


def test_two_ends_that_only_send_do_not_wait_for_each_other_for_ever() -> None:
    ends = [
        control.Channel(end, kind)
        for end, kind in zip(
            socket.socketpair(), (control.ToGateway, control.ToSupervisor), strict=True
        )
    ]
    many = 20_000  # more than sockets hold
    started, retired = control.Started(identity="a/0", pid=1), control.Retired(identity="a/0")

    def send(channel: control.Channel, message: control.Started | control.Retired) -> None:
        for _ in range(many):
            channel.send(message)

    threads = [
        threading.Thread(target=send, args=each, daemon=True)
        for each in zip(ends, (retired, started), strict=True)
    ]
    for thread in threads:
        thread.start()
    # Whoever is done first reads on, as its loop would.
    counts = [0, 0]
    while sum(counts) < 2 * many:
        for index, thread in enumerate(threads):
            if not thread.is_alive() and counts[index] < many:
                counts[index] += len(ends[index].receive())
    assert counts == [many, many]
    for channel in ends:
        channel.close()
