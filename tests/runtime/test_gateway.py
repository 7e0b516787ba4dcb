"""A gateway process among real sockets: it carries what its router decides, and nothing ends it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from jina.defaults import KIB
from jina.runtime import control
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import pack_message
from jina.wire.maps import (
    BATCH,
    DOCS,
    ErrorInfo,
    Hello,
    Part,
    Route,
    Times,
    Way,
    Welcome,
    pack_map,
    unpack_map,
)
from tests.polling import wait_until
from tests.runtime.peers import GatewayUnderTest, gateway_in
from tests.runtime.tables import graph, ruled
from tests.wire.mutations import mutations

ONE = graph(a="")


@pytest.fixture
def directory(runtime_dir: Path) -> Path:
    path = runtime_dir / "flow"
    path.mkdir()
    return path


@pytest.fixture(params=["ipc", "tcp"])
def gateway(request: pytest.FixtureRequest, directory: Path) -> Iterator[GatewayUnderTest]:
    front = "tcp://127.0.0.1:*" if request.param == "tcp" else ""
    with gateway_in(directory, ONE, front) as gateway:
        yield gateway


def test_a_request_goes_to_the_worker_and_its_result_back(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0", "/x", "/y")
    client = gateway.client()
    welcome = unpack_map(Welcome, client.hello().call)
    assert (welcome.flow, welcome.endpoints) == ("test", {"a": ["/x", "/y"]})
    client.post(5, b'{"id": "1"}\n')
    header, frames = worker.receive(wire.REQUEST)
    assert unpack_map(Route, header.route) == Route(
        "/x", None, [Part(0, DOCS, 1, 1)], branches=1, is_last=True, is_end=True, is_answer=True
    )
    assert (header.rows, header.base, header.call) == (1, 1, b"call")
    assert frames == [b'{"id": "1"}\n']
    worker.reply(header.number, b"result")
    header, frames = client.receive(wire.REPLY)
    assert (header.number, frames) == (5, [b"result"])
    assert unpack_map(Route, header.route).served == 1


def test_large_frames_pass_unchanged(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    large = os.urandom(3_000_000)
    client.post(1, large)
    task, body = worker.task()
    assert body == large
    worker.reply(task, large[::-1])
    assert client.answer(1) == large[::-1]


def test_a_client_that_comes_early_is_answered_once_every_node_is_known(directory: Path) -> None:
    with gateway_in(directory, graph(a="", b="a")) as gateway:
        first = gateway.ready("a/0")
        client = gateway.client()
        client.post(1)
        second = gateway.ready("b/0")
        task, _ = first.task()
        assert not client.has_message()
        first.reply(task, b"A")
        task, body = second.task()
        assert body == b"A"
        second.reply(task, b"B")
        assert client.answer(1) == b"B"


def test_an_executors_error_reaches_the_client(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    client.post(1)
    task, _ = worker.task()
    error = pack_map(ErrorInfo("ValueError", "no", "a", 0, "Traceback"))
    worker.send(pack_message(wire.ERROR, [error], number=task))
    assert client.error(1) == "ValueError: no"


def test_a_call_that_takes_too_long_is_told_to_the_supervisor(directory: Path) -> None:
    """At once if it was begun; else when it is not begun in the same time again."""
    with gateway_in(directory, ruled(ONE, "a", timeouts={"*": 0.05})) as gateway:
        worker = gateway.ready("a/0")
        client = gateway.client()
        client.post(1)
        first, _ = worker.task()
        gateway.board[1] = first
        told = gateway.hear(control.Overdue)
        assert (told.identity, told.begun, told.seconds) == ("a/0", first, 0.05)
        gateway.channel.send(control.Died(identity="a/0", reason="killed"))
        assert gateway.hear_last(control.Charged).identity == "a/0"

        gateway.board[2] = 0
        idle = gateway.ready("a/0-2")
        again, _ = idle.task()
        assert again == first
        told = gateway.hear(control.Overdue)
        assert (told.identity, told.begun) == ("a/0-2", 0)
        gateway.channel.send(control.Died(identity="a/0-2", reason="killed"))
        assert gateway.hear_last(control.Charged).identity == "a/0-2"
        last = gateway.ready("a/0-3")
        task, _ = last.task()
        last.reply(task, b"done")
        assert client.answer(1) == b"done"


def test_a_request_has_its_time_and_its_way(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0", credits=1)
    client = gateway.client()
    client.post(1, is_timed=True)
    header, _ = worker.receive(wire.REQUEST)
    assert unpack_map(Route, header.route).is_timed
    client.post(2, deadline=0.05)
    assert client.error(2) == "jina.excepts.RequestTimeout: The request took longer than 0.05 s"
    times = pack_map(Times(time.time(), time.time()))
    route = pack_map(Route("", None, []))
    worker.send(pack_message(wire.REPLY, [], number=header.number, route=route, call=times))
    header, _ = client.receive(wire.REPLY)
    way = unpack_map(Way, header.call)
    (leg,) = way.legs
    assert (leg.node, leg.replica, leg.rows, leg.error) == ("a", 0, 1, None)
    assert way.arrived == leg.queued <= leg.began <= leg.ended <= way.left
    assert not worker.has_message()  # the second request was never sent


def test_status_tells_how_the_workers_are(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    gateway.worker("a/1", pid=4711)
    client = gateway.client()
    client.post(1)
    worker.task()
    client.send(pack_message(wire.STATUS))
    _, frames = client.receive(wire.STATUS)
    status = json.loads(frames[0])
    assert status["requests_held"] == 1
    assert status["nodes"] == [{"name": "a", "queued": 0, "restarts": 0}]
    assert status["workers"] == [
        {
            **{"node": "a", "shard": None, "replica": 0, "pid": 0, "state": "ready"},
            **{"outstanding": 1, "devices": ""},
        },
        {
            **{"node": "a", "shard": None, "replica": 1, "pid": 4711, "state": "starting"},
            **{"outstanding": 0, "devices": ""},
        },
    ]


def test_a_begun_request_is_charged_and_a_staged_one_is_not(gateway: GatewayUnderTest) -> None:
    client = gateway.client()
    for life in range(2):
        worker = gateway.ready(f"a/0-{life}")
        if life == 0:
            client.post(1, b"begun")
            client.post(2, b"staged")
        begun, body = worker.task()
        assert body == b"begun"
        assert worker.task()[1] == b"staged"
        gateway.board[life + 1] = begun
        gateway.channel.send(control.Died(identity=f"a/0-{life}", reason="killed"))
        assert gateway.hear(control.Charged).identity == f"a/0-{life}"
    assert client.error(1) == (
        "jina.excepts.WorkerDied: This request crashed the worker (2 attempts; killed)"
    )
    worker = gateway.ready("a/0-2")
    task, body = worker.task()
    assert body == b"staged"
    worker.reply(task, b"done")
    assert client.answer(2) == b"done"


def test_a_node_that_gave_up_answers_with_an_error(gateway: GatewayUnderTest) -> None:
    gateway.ready("a/0")
    client = gateway.client()
    client.post(1)
    gateway.channel.send(control.Died(identity="a/0", reason="killed"))
    gateway.channel.send(control.GaveUp(node="a", reason="it has no workers left"))
    assert client.error(1) == "jina.excepts.ExecutorUnavailable: it has no workers left"


def test_a_worker_that_nobody_expects_is_not_heard(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    stranger = gateway.stranger()
    client = gateway.client()
    client.post(1)
    task, _ = worker.task()
    route = pack_map(Route("", None, [Part(0, DOCS, 1, 1)]))
    stranger.send(pack_message(wire.REPLY, [b"forged"], number=task, route=route))
    worker.reply(task, b"true")
    assert client.answer(1) == b"true"


def test_a_drain_finishes_what_is_under_way_and_takes_nothing_new(
    gateway: GatewayUnderTest,
) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    client.post(1)
    task, _ = worker.task()
    gateway.channel.send(control.Drain())

    def is_draining() -> bool:
        client.send(pack_message(wire.STATUS))
        _, frames = client.receive(wire.STATUS)
        return bool(json.loads(frames[0])["draining"])

    wait_until(is_draining)
    client.post(2)
    assert client.error(2, wire.REFUSED) == "jina.excepts.ConnectError: the Flow is stopping"
    assert not worker.has_message()
    worker.reply(task, b"done")
    assert client.answer(1) == b"done"
    worker.receive(wire.DRAIN)
    # It has come already: a worker may end as soon as it is told to.
    assert select.select([gateway.channel], [], [], 0)[0]
    gateway.hear(control.Drained)


def test_clients_are_told_when_a_drain_has_answered_them(gateway: GatewayUnderTest) -> None:
    """Then they know that what they send now was not taken, even if nobody is left to say so."""
    worker = gateway.ready("a/0")
    client, idle, leaver = gateway.client(), gateway.client(), gateway.client()
    for one in (client, idle, leaver):
        one.hello()
    leaver.send(pack_message(wire.BYE))
    client.post(1)
    task, _ = worker.task()
    gateway.channel.send(control.Drain())
    client.send(pack_message(wire.STATUS))
    client.receive(wire.STATUS)
    assert not client.has_message()
    worker.reply(task, b"done")
    assert client.answer(1) == b"done"
    client.receive(wire.BYE)
    idle.receive(wire.BYE)
    gateway.hear(control.Drained)
    idle.hello()
    idle.receive(wire.BYE)
    assert not leaver.has_message()


def test_a_drain_that_gives_up_requests_says_how_many(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    client.post(1)
    client.post(2)
    for _ in range(2):
        worker.task()
    gateway.channel.send(control.Drain(grace_s=0.0))
    assert gateway.hear(control.Drained).given_up == 2
    worker.receive(wire.DRAIN)


def test_a_worker_that_comes_after_the_drain_is_told_too(gateway: GatewayUnderTest) -> None:
    """It was a gateway's that died: the one in its place may be told to drain before it is back."""
    worker = gateway.worker("a/0")
    gateway.channel.send(control.Drain())
    gateway.hear(control.Drained)
    worker.ready("/x")
    gateway.hear(control.WorkerReady)
    worker.receive(wire.DRAIN)


def test_a_worker_that_retires_finishes_closes_and_gets_nothing_more(
    gateway: GatewayUnderTest,
) -> None:
    old = gateway.ready("a/0")
    client = gateway.client()
    client.post(1)
    task, _ = old.task()
    gateway.channel.send(control.Retire(identity="a/0"))
    client.send(pack_message(wire.STATUS))
    _, frames = client.receive(wire.STATUS)
    (worker,) = json.loads(frames[0])["workers"]
    assert (worker["state"], worker["outstanding"]) == ("retiring", 1)
    client.post(2)  # waits for another worker
    old.reply(task, b"one")
    assert client.answer(1) == b"one"
    assert gateway.hear(control.Retired).identity == "a/0"
    old.receive(wire.DRAIN)
    assert not old.has_message()
    gateway.channel.send(control.Died(identity="a/0", reason="ended with exit code 0"))
    new = gateway.ready("a/0b")
    task, _ = new.task()
    new.reply(task, b"two")
    assert client.answer(2) == b"two"


def test_a_worker_that_was_to_retire_does_so_with_the_next_gateway(
    gateway: GatewayUnderTest,
) -> None:
    """It came to a gateway that died; its successor gives it nothing, and lets it close."""
    old = gateway.worker("a/0", is_retiring=True)
    new = gateway.ready("a/0b")
    client = gateway.client()
    client.post(1)
    task, _ = new.task()
    old.receive(wire.READY)  # say it again
    old.ready("/x")
    assert gateway.hear(control.Retired).identity == "a/0"
    old.receive(wire.DRAIN)
    new.reply(task, b"one")
    assert client.answer(1) == b"one"


def test_a_gateway_without_its_supervisor_ends_the_workers_and_removes_the_directory(
    directory: Path,
) -> None:
    gateway = GatewayUnderTest(directory, ONE)
    child = subprocess.Popen(
        [sys.executable, "-c", "print('up', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        gateway.worker("a/0", pid=child.pid)
        client = gateway.client()
        gateway.ready("a/1")
        client.hello()  # so that what was told before has been heard
        gateway.close()
        assert child.wait(30) == -signal.SIGKILL
    wait_until(lambda: not directory.exists())


# --- garbage -----------------------------------------------------------------------------------

PARTS = [Part(0, DOCS, 1, 1), Part(BATCH, 1, 2, 100, 3, 1)]


def header_frame(kind: int, frames: int, route: Route | None = None) -> bytes:
    """The header frame of a message with so many frames; a single one stands in it."""
    packed = pack_map(route) if route else b""
    head: bytes = pack_message(kind, [b"{}"] * frames, number=7, rows=9, base=1, route=packed)[0]
    return head


def behind(header: bytes, index: int, frame: bytes) -> list[bytes]:
    """As many frames as a damaged header names, most of the time: others are refused at once."""
    named = int.from_bytes(header[4:6], "little")
    return [frame] * (index % 5 if named > 5 or index % 7 == 0 else named)


MESSAGES = [
    header_frame(*message)
    for message in (
        (wire.REQUEST, 3, Route("/x", ["a"], PARTS)),
        (wire.REQUEST, 0, Route("/x")),
        (wire.REQUEST, 1, Route("/x", None, PARTS[:1])),
        (wire.HELLO, 0),
        (wire.STATUS, 0),
        (wire.BYE, 0),
        (wire.REPLY, 3, Route("", None, PARTS)),
        (wire.REPLY, 1, Route("", None, PARTS[:1])),
        (wire.ERROR, 1),
    )
] + pack_message(wire.READY, call=b"\x93\x01\x91\xa2/x\x02")


def test_damaged_messages_of_clients_do_not_end_the_gateway(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    for index, header in enumerate(mutations(MESSAGES, seed=3)):
        if index % 100 == 0:
            client.close()
            client = gateway.client()
        client.send([header, *behind(header, index, b"x")])
    gateway.assert_healthy(worker)


def test_damaged_messages_of_a_worker_do_not_end_the_gateway(gateway: GatewayUnderTest) -> None:
    broken = gateway.ready("a/0")
    client = gateway.client()
    for number in range(10):
        client.post(number)
    for index, header in enumerate(mutations(MESSAGES, seed=4)):
        broken.send([header, *behind(header, index, pack_map(ErrorInfo("E", "m")))])
    gateway.channel.send(control.Died(identity="a/0", reason="killed"))
    gateway.assert_healthy(gateway.ready("a/1"))


@pytest.mark.parametrize("endpoint", ["/x", "/nobody"])
@pytest.mark.parametrize(
    "part",
    [
        Part(0, DOCS, 1, 2**63),
        Part(0, DOCS, 2**63, 1),
        Part(0, DOCS, -(2**63), 1),
        Part(2**63, 2**63, 1, 1, 2**63, 2**63),
    ],
)
def test_a_part_with_absurd_numbers_does_not_end_the_gateway(
    directory: Path, endpoint: str, part: Part
) -> None:
    with gateway_in(directory, ONE) as gateway:
        worker = gateway.ready("a/0")
        client = gateway.client()
        route = pack_map(Route(endpoint, None, [part]))
        client.send(pack_message(wire.REQUEST, [b"{}"], number=1, route=route))
        gateway.assert_healthy(worker)


def test_a_join_of_more_frames_than_a_message_holds_is_an_error(directory: Path) -> None:
    branches = "abcdefghiklmnopqr"
    nodes = graph(**dict.fromkeys(branches, ""), j=" ".join(branches))
    with gateway_in(directory, nodes) as gateway:
        workers = [gateway.ready(f"{node}/0") for node in branches]
        last = gateway.ready("j/0")
        client = gateway.client()
        client.post(1)
        for worker in workers:
            worker.reply(worker.task()[0], *[b"frame"] * 64)
        assert client.error(1) == "jina.excepts.WireError: a message of 1088 frames, more than 1024"
        client.post(2)
        for worker in workers:
            worker.reply(worker.task()[0], b"frame")
        last.reply(last.task()[0], b"J")
        assert client.answer(2) == b"J"


def test_branches_that_fill_a_message_each_are_joined_and_answered(directory: Path) -> None:
    with gateway_in(directory, graph(a="", b="", j="a b")) as gateway:
        a, b, j = (gateway.ready(f"{node}/0") for node in "abj")
        client = gateway.client()
        client.post(1)
        for worker in (a, b):
            worker.reply(worker.task()[0], *[b"frame"] * 64)
        number, joined = j.task()
        assert joined == b"frame" * 128
        j.reply(number, b"J")
        assert client.answer(1) == b"J"


def test_a_request_done_in_very_many_parts_is_one_answer(directory: Path) -> None:
    """All of its eighty Documents kill whoever begins them."""
    with gateway_in(directory, ONE) as gateway:
        client = gateway.client()
        client.post(1, rows=80)
        reported: list[bytes] = []
        life = 0
        worker = gateway.ready("a/0-0")
        while len(reported) < 80:
            header, frames = worker.receive(wire.REQUEST)
            route = unpack_map(Route, header.route)
            before = frames[len(frames) - route.carried :]  # what its earlier parts gave
            if route.blame is None:
                gateway.board[life + 1] = header.number
                gateway.channel.send(control.Died(identity=f"a/0-{life}", reason="killed"))
                gateway.hear(control.Charged)
                life += 1
                worker = gateway.ready(f"a/0-{life}")
            else:
                reported.append(b"%d\n" % route.first)
                worker.reply(header.number, b"".join([*before, reported[-1]]))
        assert reported == [b"%d\n" % row for row in range(80)]
        assert client.answer(1) == b"".join(reported)


def test_a_message_of_too_many_frames_is_refused(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    client.send([*pack_message(wire.REQUEST, number=1), *[b"x"] * 100])
    gateway.assert_healthy(worker)


def test_what_is_no_zeromq_at_all_does_not_end_the_gateway(directory: Path) -> None:
    with gateway_in(directory, ONE, "tcp://127.0.0.1:*") as gateway:
        worker = gateway.ready("a/0")
        port = int(gateway.front.rpartition(":")[2])
        for data in (
            b"",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            os.urandom(300),
            b"\xff" * 9 + b"\x7f\x03" + bytes(53) + b"\x02" + b"\xff" * 8,
        ):
            with socket.create_connection(("127.0.0.1", port)) as stream:
                stream.sendall(data)
        gateway.assert_healthy(worker)


def test_a_client_that_sends_more_than_its_window_is_held_back(directory: Path) -> None:
    """Its messages stay with itself, not in the gateway's memory."""
    with gateway_in(directory, ONE) as gateway:
        flooder = sockets.open_dealer(gateway.context)
        flooder.setsockopt(zmq.SNDHWM, 10)
        sockets.connect(flooder, gateway.front)
        poller = sockets.Poller()
        poller.register(flooder, sockets.POLLOUT)
        frame = bytes(64 * KIB)
        message = pack_message(wire.REQUEST, [frame], number=1, route=pack_map(Route("/x", None)))
        sent = 0
        # Nobody is ready, so nobody is listened to; a busy machine may still be connecting.
        while sent < 5000 and poller.poll(30_000 if sent < 64 else 1000):
            sockets.send(flooder, message)
            sent += 1
        assert 64 <= sent < 500
        gateway.assert_healthy(gateway.ready("a/0"))
        flooder.close(linger=0)


def test_questions_are_answered_before_the_flow_is_ready(gateway: GatewayUnderTest) -> None:
    worker = gateway.worker("a/0")
    client, asker = gateway.client(), gateway.asker()
    client.send(pack_message(wire.HELLO))
    asker.send([b"garbage"])
    asker.send(pack_message(wire.HELLO))  # no question
    asker.send(pack_message(wire.STATUS))
    _, (told,) = asker.receive(wire.STATUS)
    assert [each["state"] for each in json.loads(told)["workers"]] == ["starting"]
    asker.send(pack_message(wire.DESCRIBE))
    _, (told,) = asker.receive(wire.DESCRIBE)
    assert [node["endpoints"] for node in json.loads(told)["nodes"]] == [[]]
    assert not client.has_message()
    worker.ready("/x")
    client.receive(wire.WELCOME)


def test_a_client_that_asks_for_it_has_a_wide_window(gateway: GatewayUnderTest) -> None:
    gateway.ready("a/0", credits=1)
    client, other = gateway.client(), gateway.client()
    client.send(pack_message(wire.HELLO, call=pack_map(Hello("a front", 60))))
    welcome, _ = client.receive(wire.WELCOME)
    assert unpack_map(Welcome, welcome.call).window_requests == 60
    assert unpack_map(Welcome, other.hello().call).window_requests == 48
    for number in range(1, 62):
        client.post(number)
    refusal = "jina.excepts.BadServer: more than 60 requests in progress"
    assert client.error(61, wire.REFUSED) == refusal
    assert not client.has_message()
    for number in range(1, 50):
        other.post(number)
    assert "more than 48 requests" in other.error(49, wire.REFUSED)


def test_a_cancelled_request_is_taken_back_and_has_no_answer(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    for number in (1, 2, 3):
        client.post(number, b"%d" % number)
    (begun, _), (staged, _) = worker.task(), worker.task()
    for number in (3, 99, 2):  # the worker hears of 2: by then the gateway knows of all
        client.send(pack_message(wire.CANCEL, number=number))
    header, _ = worker.receive(wire.CANCEL)
    assert header.number == staged
    wait_until(lambda: gateway.board.cancels(1) == 1)
    worker.reply(staged)
    worker.reply(begun, b"done")
    assert client.answer(1) == b"done"
    client.send(pack_message(wire.STATUS))
    _, frames = client.receive(wire.STATUS)  # no other message came before
    status = json.loads(frames[0])
    assert (status["requests_held"], status["requests_done"]) == (0, 1)
    assert status["workers"][0]["outstanding"] == 0
    gateway.assert_healthy(worker)


def test_of_a_client_that_leaves_all_is_taken_back(gateway: GatewayUnderTest) -> None:
    worker = gateway.ready("a/0")
    client = gateway.client()
    for number in (1, 2, 3):
        client.post(number)
    tasks = [worker.task()[0], worker.task()[0]]
    client.send(pack_message(wire.BYE))
    assert [worker.receive(wire.CANCEL)[0].number for _ in tasks] == tasks
    for task in tasks:
        worker.reply(task)
    gateway.assert_healthy(worker)


def test_a_cancelled_request_that_kills_is_not_tried_again(gateway: GatewayUnderTest) -> None:
    client = gateway.client()
    worker = gateway.ready("a/0")
    client.post(1, b"deadly")
    client.post(2, b"next")
    (begun, _), (_, body) = worker.task(), worker.task()
    client.send(pack_message(wire.CANCEL, number=1))
    worker.receive(wire.CANCEL)
    gateway.board[1] = begun
    gateway.channel.send(control.Died(identity="a/0", reason="killed"))
    assert gateway.hear(control.Charged).identity == "a/0"  # it was not the worker's fault
    other = gateway.ready("a/0-2")
    task, body = other.task()
    assert body == b"next"
    other.reply(task, b"done")
    assert client.answer(2) == b"done"
    gateway.assert_healthy(other)
