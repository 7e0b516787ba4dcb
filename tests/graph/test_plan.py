"""Plans and specs travel between processes as bytes."""

from __future__ import annotations

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jina.runtime.structs import decode_msgpack, encode_msgpack

WORKER = WorkerSpec(
    node="encoder",
    replica=1,
    executor=ExecutorSpec(
        jtype="MyEncoder",
        py_modules=["/flows/encoder.py"],
        with_={"depth": 3, "names": ["a", None, 1.5], "nested": {"k": b"bytes"}},
        requests={"/index": "encode"},
        file="flow.yml",
        line=7,
        column=5,
        live=b"\x80\x05pickled",
    ),
    runtime_args={"name": "encoder", "replica": 1},
    env={"OMP_NUM_THREADS": "1"},
    timeout_ready_s=5.5,
)
PLAN = Plan(
    name="search",
    file="/flows/search.yml",
    nodes=[PlannedNode(name="encoder", needs=["gateway"], replicas=2)],
    workers=[WORKER],
    listen="tcp://127.0.0.1:5555",
)


def test_a_worker_comes_out_as_it_went_in() -> None:
    assert decode_msgpack(encode_msgpack(WORKER), WorkerSpec) == WORKER


def test_a_plan_comes_out_as_it_went_in() -> None:
    assert decode_msgpack(encode_msgpack(PLAN), Plan) == PLAN


def test_a_worker_says_who_and_where_it_is() -> None:
    assert WORKER.name == "encoder/1"
    assert WORKER.where == "flow.yml:7:5"
