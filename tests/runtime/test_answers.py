"""What a gateway says of its Flow when a client asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina.graph.plan import PlannedNode
from jina.names import GATEWAY
from jina.runtime import control
from jina.wire import header as wire
from jina.wire.described import Described, Endpoint, Parameter
from jina.wire.header import pack_message
from tests.runtime.peers import FakeClient, GatewayUnderTest, gateway_in
from tests.runtime.tables import graph

GRAPH = [
    PlannedNode(name="a/head", needs=[GATEWAY], of="a"),
    PlannedNode(name="a", needs=["a/head"], replicas=2, shards=2),
    PlannedNode(name="a/tail", needs=["a"], of="a", reduces=True),
    PlannedNode(name="b", needs=["a/tail"]),
    PlannedNode(name="f", needs=["a/tail", GATEWAY], is_floating=True),
]
SEARCH = Endpoint("/x", "search", "Find.", True, [Parameter("top_k", 10, "int")])


@pytest.fixture
def directory(runtime_dir: Path) -> Path:
    path = runtime_dir / "flow"
    path.mkdir()
    return path


@pytest.fixture
def gateway(directory: Path) -> Iterator[GatewayUnderTest]:
    with gateway_in(directory, GRAPH) as gateway:
        yield gateway


def ask(client: FakeClient, kind: int) -> Any:
    client.send(pack_message(kind))
    _, (frame,) = client.receive(kind)
    return json.loads(frame)


def test_it_describes_the_graph_without_heads_and_tails(gateway: GatewayUnderTest) -> None:
    for name, described in {
        "a/head/0": Described(
            "Before", endpoints=[Endpoint("/x"), Endpoint("/y", "before", "Prepare.")]
        ),
        "a/tail/0": None,
        "b/0": None,
        "f/0": Described("Writer", "writer", "Writes.", [Endpoint("/x", "write")]),
    }.items():
        gateway.worker(name).ready("/x", described=described)
        gateway.hear(control.WorkerReady)
    worker = gateway.worker("a/0")
    worker.ready("/x", "/y", described=Described("Encoder", "enc", "Encodes.", [SEARCH]))
    gateway.hear(control.WorkerReady)
    told = ask(gateway.client(), wire.DESCRIBE)
    assert told["flow"] == "test"
    a, b, f = told["nodes"]
    nothing = {"method": "", "doc": "", "once": False, "parameters": []}
    assert a == {
        **{"name": "a", "needs": ["gateway"], "replicas": 1, "shards": 2, "is_floating": False},
        **{"executor": "Encoder", "title": "enc", "description": "Encodes."},
        "endpoints": [
            {
                **{"path": "/x", "method": "search", "doc": "Find.", "once": True},
                "parameters": [
                    {"name": "top_k", "default": 10, "type": "int", "is_required": False}
                ],
            },
            {"path": "/y", **nothing, "doc": "Prepare."},
        ],
    }
    assert b == {
        **{"name": "b", "needs": ["a"], "replicas": 1, "shards": 1, "is_floating": False},
        **{"executor": "", "title": "", "description": ""},
        "endpoints": [{"path": "/x", **nothing}],
    }
    assert (f["needs"], f["is_floating"]) == (["a", "gateway"], True)


def test_the_latest_worker_that_came_is_right_and_replicas_are_counted(
    directory: Path,
) -> None:
    with gateway_in(directory, graph(a="")) as gateway:
        for replica, text in enumerate(["old", "new", "newer"]):
            worker = gateway.worker(f"a/{replica}")
            worker.ready("/x", described=Described("A", "a", text))
            gateway.hear(control.WorkerReady)
        client = gateway.client()
        (a,) = ask(client, wire.DESCRIBE)["nodes"]
        assert (a["description"], a["replicas"]) == ("newer", 3)
        gateway.channel.send(control.Retire(identity="a/1"))
        gateway.hear(control.Retired)
        (a,) = ask(client, wire.DESCRIBE)["nodes"]
        assert a["replicas"] == 2


def test_it_tells_how_much_waits_and_how_often_workers_died(directory: Path) -> None:
    with gateway_in(directory, graph(a="", b="a")) as gateway:
        gateway.ready("b/0")
        worker = gateway.ready("a/0", credits=1)
        client = gateway.client()
        for number in range(1, 5):
            client.post(number)
        worker.task()
        client.send(pack_message(wire.CANCEL, number=4))
        for count in (1, 2):
            gateway.channel.send(control.Restarted(node="b", count=count))
        gateway.channel.send(control.Look(number=7))  # answered after those
        gateway.hear(control.Seen)
        assert ask(client, wire.STATUS)["nodes"] == [
            {"name": "a", "queued": 2, "restarts": 0},
            {"name": "b", "queued": 0, "restarts": 2},
        ]
