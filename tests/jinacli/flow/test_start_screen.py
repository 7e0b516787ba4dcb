"""What is shown while a Flow starts: what is waited for, and the nodes when they are ready."""

from __future__ import annotations

import re
import signal

import pytest

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jina.launch.events import WorkerUp
from jinacli.screens.start import nodes_table
from tests.shell import Shell
from tests.terminal import Terminal

SLOW = """
import time
from jina import Executor, requests

class Slow(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        time.sleep(3)

    @requests(on="/x")
    def x(self, docs, **kwargs): ...
"""


@pytest.fixture(name="slow")
def slow_flow(shell: Shell) -> Shell:
    shell.write("slow.py", SLOW)
    uses = "{jtype: Slow, py_modules: [slow.py]}"
    shell.write("flow.yml", f"executors: [{{name: enc, uses: {uses}}}]\n")
    return shell


def test_a_terminal_shows_what_is_loading_in_place_and_then_the_nodes(slow: Shell) -> None:
    with Terminal(slow, "flow", "up") as up:
        up.wait_for('Flow "flow" is up')
        shown = up.shown
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(60) == 0
    assert re.search(r"loading enc \([0-9] s\)\r\x1b\[K", shown)
    assert re.search(r"NAME +REPLICAS +ENDPOINTS +PIDS\n", shown)
    assert re.search(r"^enc +1 +/x +[0-9]+\n", shown, re.MULTILINE)
    assert "is ready" not in shown


def test_a_post_shows_it_too_and_leaves_no_trace_of_it(slow: Shell) -> None:
    with Terminal(slow, "post", "/x", "--text", "a", "--flow", "flow.yml") as post:
        assert post.process.wait(60) == 0
        assert "loading enc (" in post.shown
        assert "\x1b[K" in post.shown.rpartition("loading")[2]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_is_as_wide_as_the_screen(width: int) -> None:
    nodes = [PlannedNode(name=f"a-rather-long-name-{n}", needs=[], replicas=9) for n in range(2)]
    workers = [
        WorkerSpec(node=node.name, replica=replica, executor=ExecutorSpec())
        for node in nodes
        for replica in range(9)
    ]
    endpoints = [f"/endpoint-{n}" for n in range(9)]
    ready = {
        spec.name: WorkerUp(worker=spec.name, endpoints=endpoints, pid=4_000_000 + number)
        for number, spec in enumerate(workers)
    }
    text = nodes_table(Plan(name="f", nodes=nodes, workers=workers), ready, width)
    assert [line.split()[0][:7] for line in text.splitlines()] == ["NAME", "a-rathe", "a-rathe"]
    assert max(map(len, text.splitlines())) <= width
