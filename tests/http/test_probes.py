"""Probes: whether a front lives, and whether the Flow behind it is ready."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jina.http.probes import missing_nodes
from jina.wire import header as wire
from jina.wire.header import pack_message
from tests.http.fronts import FrontProcess, front_beside
from tests.polling import wait_until
from tests.runtime.peers import gateway_in
from tests.runtime.tables import graph
from tests.shell import Shell

# Its worker is ready once there is a file.
WAITS = """\
import pathlib, time
from jina import Executor, requests


class Waits(Executor):
    def __init__(self, path="", **kwargs):
        super().__init__(**kwargs)
        while path and not pathlib.Path(path).exists():
            time.sleep(0.005)

    @requests(on="/work")
    def work(self, docs, **kwargs):
        pass
"""


@pytest.fixture(scope="module")
def front(shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("waits.py", WAITS)
    gate = shared_shell.write("gate", "")
    uses = f"{{jtype: Waits, py_modules: [waits.py], with: {{path: {gate}}}}}"
    other = "{jtype: Waits, py_modules: [waits.py]}"
    nodes = f"  - {{name: late, uses: {uses}}}\n  - {{name: soon, uses: {other}}}\n"
    flow = shared_shell.write("flow.yml", f"jtype: Flow\nexecutors:\n{nodes}")
    with (
        shared_shell.up(flow),
        front_beside(shared_shell.ps()[0]["addresses"][0]) as found,
    ):
        yield found


def test_a_front_is_ready_while_each_node_has_a_ready_worker(
    front: FrontProcess, shared_shell: Shell
) -> None:
    wait_until(lambda: front.ask("GET", "/readyz").status == 200)
    assert front.ask("GET", "/readyz").json() == {"status": "ready"}
    (shared_shell.folder / "gate").unlink()
    os.kill(shared_shell.workers()["late/0"], signal.SIGKILL)
    wait_until(lambda: front.ask("GET", "/readyz").status == 503)
    answer = front.ask("GET", "/readyz")
    assert answer.json() == {
        "error": {"type": "not_ready", "message": "no worker is ready for late"},
        "missing": ["late"],
    }
    assert answer.headers["retry-after"] == "1"
    assert front.ask("GET", "/livez").status == 200  # what a worker does is no fault of the front
    assert front.ask("GET", "/healthz").json() == {"status": "ok"}
    shared_shell.write("gate", "")
    wait_until(lambda: front.ask("GET", "/readyz").status == 200)


def test_a_front_names_what_is_missing_while_the_flow_starts(shell: Shell) -> None:
    shell.write("waits.py", WAITS)
    gate = shell.folder / "gate"
    nodes = "".join(
        f"  - {{name: {name}, uses: {{jtype: Waits, py_modules: [waits.py]{more}}}}}\n"
        for name, more in (("late", f", with: {{path: {gate}}}"), ("soon", ""))
    )
    with shell.start("flow", "up", shell.write("flow.yml", f"jtype: Flow\nexecutors:\n{nodes}")):
        wait_until(lambda: bool(shell.directories()))
        address = f"ipc://{shell.run_dir}/{shell.directories()[0]}/front.ipc"
        with front_beside(address) as front:
            message = "no worker is ready for late"
            wait_until(lambda: front.ask("GET", "/readyz").json()["error"]["message"] == message)
            assert front.ask("GET", "/readyz").json()["missing"] == ["late"]
            assert "jina_node_queue" in front.ask("GET", "/metrics").body.decode()
            page = front.ask("GET", "/flow.json").json()
            assert [node["name"] for node in page["nodes"]] == ["late", "soon"]
            assert [bool(node["endpoints"]) for node in page["nodes"]] == [False, True]
            assert front.ask("POST", "/work", {"data": []}).status == 503
            gate.touch()
            wait_until(lambda: front.ask("GET", "/readyz").status == 200)
            assert front.ask("POST", "/work", {"data": []}).status == 200


def test_a_flow_that_holds_as_much_as_it_may_answers_probes(runtime_dir: Path) -> None:
    """Its gateway then reads nothing from clients; what a front asks of it comes another way."""
    directory = runtime_dir / "flow"
    directory.mkdir()
    with (
        gateway_in(directory, graph(a=""), most_bytes=1_000) as gateway,
        front_beside(gateway.front) as front,
        ThreadPoolExecutor(2) as threads,
    ):
        worker = gateway.ready("a/0", "/x", credits=1)
        wait_until(lambda: front.ask("GET", "/readyz").status == 200)
        body = {"data": [{"text": "x" * 600}], "execEndpoint": "/x"}
        posted = [threads.submit(front.post, "/post", body) for _ in range(2)]
        task, _ = worker.task()
        queue = b'jina_node_queue{node="a"} 1\n'
        wait_until(lambda: queue in front.ask("GET", "/metrics").body)
        late, asker = gateway.client(), gateway.asker()
        late.send(pack_message(wire.HELLO))
        asker.send(pack_message(wire.STATUS))
        _, (told,) = asker.receive(wire.STATUS)
        assert (json.loads(told)["requests_held"], late.has_message()) == (2, False)
        for path in ("/livez", "/healthz", "/readyz"):
            assert front.ask("GET", path).status == 200
        assert not late.has_message()
        worker.reply(task, b'{"text":"a"}\n')
        late.receive(wire.WELCOME)
        worker.reply(worker.task()[0], b'{"text":"b"}\n')
        texts = sorted(each.result().json()["data"]["docs"][0]["text"] for each in posted)
        assert texts == ["a", "b"]


def test_many_ask_and_the_gateway_is_asked_once(front: FrontProcess) -> None:
    wait_until(lambda: front.ask("GET", "/readyz").status == 200)
    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(front.ask, "GET", "/readyz") for _ in range(200)]
        assert {each.result().status for each in asked} == {200}


def test_a_front_without_a_flow_lives(shell: Shell) -> None:
    with front_beside(f"ipc://{shell.folder}/nobody") as front:
        assert front.ask("GET", "/livez").body == b"ok\n"
        assert front.ask("HEAD", "/livez").status == 200
        health = front.ask("GET", "/healthz")
        assert (health.status, health.json()["error"]["type"]) == (503, "unavailable")
        ready = front.ask("GET", "/readyz")
        assert (ready.status, ready.json()["error"]["type"]) == (503, "not_ready")
        assert ready.json()["error"]["message"] in (
            "connecting to the gateway of the Flow",
            "the Flow is stopping",  # as its folder is not there
        )
        assert ready.json()["missing"] == []
        assert front.ask("GET", "/metrics").status == 200


@pytest.mark.parametrize(
    ("workers", "missing"),
    [
        ([], ["a", "b"]),
        ([("a", None, "ready"), ("b", None, "starting")], ["b"]),
        ([("a", None, "ready"), ("b", None, "starting"), ("b", None, "ready")], []),
        ([("a", 0, "ready"), ("a", 1, "starting"), ("b", None, "ready")], ["a"]),
        ([("a", 0, "ready"), ("a", 1, "ready"), ("b", None, "retiring")], ["b"]),
    ],
)
def test_each_node_and_each_shard_needs_a_worker(
    workers: list[tuple[str, int | None, str]], missing: list[str]
) -> None:
    told = [{"node": node, "shard": shard, "state": state} for node, shard, state in workers]
    assert missing_nodes({"nodes": [{"name": "a"}, {"name": "b"}], "workers": told}) == missing
