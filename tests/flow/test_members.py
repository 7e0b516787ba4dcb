"""What else a Flow has in Python: as in Jina 2, or refused by name."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from jina import AsyncFlow, Document, Executor, Flow, requests
from jina.enums import FlowInspectType
from jina.excepts import ConfigError, FlowBuildLevelError, FlowError, FlowTopologyError
from tests.polling import wait_until
from tests.shell import Shell, is_alive

pytestmark = pytest.mark.slow

PAIR = Flow().add(name="a").add(name="b", needs="gateway", replicas=2)


class Tell(Executor):
    """Tells who it is, and whose child."""

    @requests
    def tell(self, docs: Any, **kwargs: Any) -> None:
        docs[0].tags["supervisor"] = os.getppid()
        docs[0].text += "!"


def test_nodes_by_name_by_number_and_one_after_the_other() -> None:
    assert PAIR["b"].name == "b"
    assert PAIR["b"].replicas == 2
    assert PAIR[0] == PAIR["a"] == PAIR[-2]
    assert [(name, node.needs) for name, node in PAIR] == [("a", ["gateway"]), ("b", ["gateway"])]
    assert "c" in dict(PAIR.add(name="c"))


def test_a_node_that_is_not_there_names_the_near_one() -> None:
    flow = Flow().add(name="encoder")
    with pytest.raises(KeyError) as caught:
        flow["encodr"]
    (said,) = caught.value.args
    assert said == "'encodr' is not an executor in this Flow; did you mean 'encoder'?"
    with pytest.raises(KeyError, match=r"'x' is not an executor in this Flow.$"):
        flow["x"]
    with pytest.raises(IndexError):
        flow[1]
    with pytest.raises(TypeError, match="by name or number, not by float"):
        flow[1.0]  # type: ignore[index]  # what a user might do


def test_flows_of_one_topology_are_equal() -> None:
    text = "executors: [{name: a, uses: BaseExecutor}, {name: b, needs: gateway, replicas: 2}]"
    assert Flow.load_config(text) == PAIR
    assert Flow(name="other").add(name="b", replicas=2).add(name="a", needs="gateway") == PAIR
    assert AsyncFlow().add(name="a").add(name="b", needs="gateway", replicas=2) == PAIR
    assert Flow().add(name="a").add(name="b", replicas=2) != PAIR
    assert Flow().add(name="a").add(name="b", needs="gateway") != PAIR
    assert PAIR.needs(["a", "b"]) != PAIR.needs(["b", "a"])
    assert PAIR != "a flow"
    with pytest.raises(TypeError, match="unhashable"):
        hash(PAIR)


def test_numbers_and_client_of_a_running_flow() -> None:
    assert (PAIR.num_executors, PAIR.num_pods, PAIR.num_peas) == (2, 2, 3)
    with pytest.raises(FlowBuildLevelError, match="the Flow is not running"):
        PAIR.client  # noqa: B018 - the access is what is tested
    with PAIR.build(copy_flow=True) as flow:
        assert (flow.num_executors, flow.num_pods, flow.num_peas) == (2, 3, 4)
        found = flow.client.post("/", Document(text="x"), return_results=True) or []
        assert [doc.text for doc in found[0].docs] == ["x"]
    assert PAIR.num_pods == 2


def test_the_workspace_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    path = tmp_path / "below" / "flow.yml"
    path.write_text("with: {workspace: w}\nexecutors: [{name: a}]\n")
    monkeypatch.chdir(tmp_path)
    assert Flow().workspace == str(tmp_path)
    assert Flow(workspace="w").workspace == str(tmp_path / "w")
    flow = Flow.load_config("below/flow.yml")
    assert flow.workspace == str(tmp_path / "below" / "w")
    assert flow.plan().workers[0].runtime_args["workspace"] == flow.workspace
    assert Flow.load_config("executors: [{name: a}]").add(name="b").workspace == str(tmp_path)


def test_build_checks_and_gives_the_flow_or_a_copy() -> None:
    assert PAIR.build() is PAIR
    copy = PAIR.build(copy_flow=True)
    assert copy is not PAIR
    assert copy == PAIR
    with pytest.raises(ConfigError, match="return_results"):
        Flow(return_results="yes").build()


def test_a_copy_of_a_running_flow_is_started_for_itself() -> None:
    with Flow().add(name="a", uses=Tell) as flow, flow.build(copy_flow=True) as copy:
        assert flow.address != copy.address


def test_options_of_load_config_in_jina_2_and_3() -> None:
    text = "with: {request_size: 2}\nexecutors: [{name: a}]"
    flow = Flow.load_config(
        text, override_with={"workspace": "/w"}, uses_with={"port": 1}, allow_py_modules=True
    )
    assert flow.workspace == "/w"
    with pytest.raises(TypeError, match="substitut"):
        Flow.load_config(text, substitut=False)
    with pytest.raises(ConfigError, match=r"no module at .*none\.py"):
        Flow.load_config(text, py_modules="none.py").plan()


class Mark(Executor):
    """Adds its name to the text."""

    @requests
    def mark(self, docs: Any, **kwargs: Any) -> None:
        for doc in docs:
            doc.text += self.metas.name


def test_who_looks_on_changes_nothing_of_the_way() -> None:
    flow = Flow().add(name="a", uses=Mark, uses_metas={"name": "a"})
    assert flow.gather_inspect() is flow
    watched = flow.inspect(uses=Mark, uses_metas={"name": "i"})
    watched = watched.add(name="b", uses=Mark, uses_metas={"name": "b"})
    assert [(name, node.needs) for name, node in watched.gather_inspect()] == [
        ("a", ["gateway"]),
        ("inspect", ["a"]),
        ("b", ["a"]),
        ("gather_inspect", ["inspect", "b"]),
    ]
    assert watched.inspect()["inspect1"].needs == ["b"]
    alone = watched.gather_inspect("g", include_last_pod=False)
    assert alone["g"].needs == ["inspect"]
    for remove in ("REMOVE", FlowInspectType.REMOVE):
        assert [name for name, _ in Flow(inspect=remove).add(name="a").inspect()] == ["a"]
    with watched:
        (response,) = watched.post("/", Document(), return_results=True) or []
        assert [doc.text for doc in response.docs] == ["ai", "ab"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "a"}, "two executors are named 'a'\nhelp: names must be unique within a Flow"),
        ({"name": "x", "needs": "x"}, "'x' needs itself\nhelp: remove it from `needs`"),
        (
            {"name": "x", "needs": ("a", "bb")},
            "'x' needs 'bb', which is not an executor in this Flow\n"
            "help: did you mean 'b'? The executors are: a, b",
        ),
        (
            {"name": "a", "needs": "c"},
            "two executors are named 'a'\n'a' needs 'c', which is not an executor in this Flow",
        ),
    ],
)
@pytest.mark.parametrize("copy_flow", [True, False])
def test_a_wrong_need_is_an_error_of_the_topology_and_changes_nothing(
    entry: dict[str, Any], message: str, copy_flow: bool
) -> None:
    flow = PAIR.build(copy_flow=True)
    with pytest.raises(FlowTopologyError) as caught:
        flow.add(**entry, copy_flow=copy_flow)
    assert str(caught.value) == message
    assert flow == PAIR


def test_what_is_wrong_otherwise_is_an_error_of_the_config() -> None:
    with pytest.raises(ConfigError, match=r"replicas[\s\S]*which is not an executor in this Flow"):
        PAIR.add(needs="x", replicas=0)


def test_needs_all_follows_a_single_end_and_joins_several() -> None:
    assert Flow().add(name="a").add(name="b").needs_all()["joiner"].needs == ["b"]
    assert PAIR.needs_all(name="all")["all"].needs == ["a", "b"]
    with pytest.raises(FlowTopologyError, match="at least two names"):
        Flow().needs_all()


class Awaited(threading.Event):
    """Tells that somebody has begun to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.has_begun.set()
        return super().wait(timeout)


def test_block_ends_when_another_thread_closes_the_flow_or_sets_the_event() -> None:
    flow = Flow().add(name="a", uses=Tell).start()
    try:
        for end in ("set", "close"):
            event = Awaited()
            waiting = threading.Thread(target=flow.block, args=(event,))
            waiting.start()
            assert event.has_begun.wait(30)
            assert waiting.is_alive()
            (event.set if end == "set" else flow.close)()
            waiting.join(30)
            assert not waiting.is_alive()
    finally:
        flow.close()


@pytest.mark.parametrize("needs", [("b", "a"), ["b", "a"], {"b", "a"}, frozenset("ab")])
def test_needs_may_be_any_collection_of_names(needs: Any) -> None:
    """That of a set are sorted: it has no order of its own."""
    names = PAIR.add(name="c", needs=needs)["c"].needs
    assert names == (["a", "b"] if isinstance(needs, set | frozenset) else ["b", "a"])


def test_block_ends_at_ctrl_c_and_the_program_goes_on(shell: Shell) -> None:
    program = (
        "from threading import Event\n"
        "from jina import Flow\n"
        "class Told(Event):\n"
        "    def wait(self, timeout=None):\n"
        "        print('waits', flush=True)\n"
        "        return super().wait(timeout)\n"
        "with Flow().add(name='a') as flow:\n"
        "    flow.block(Told())\n"
        "print('closed')\n"
    )
    with shell.start("-c", program, program=(sys.executable,)) as running:
        assert running.read_line() == b"waits\n"
        done = running.end(signal.SIGINT)
    assert (done.code, done.out.replace("waits\n", ""), done.err) == (0, "closed\n", "")


def test_block_tells_when_the_flow_has_ended_by_itself() -> None:
    with Flow().add(name="a", uses=Tell) as flow:
        found = flow.post("/", Document(), return_results=True) or []
        supervisor = int(found[0].docs[0].tags["supervisor"])
        os.kill(supervisor, signal.SIGKILL)
        with pytest.raises(FlowError, match="the Flow ended unexpectedly"):
            flow.block()
    wait_until(lambda: not is_alive(supervisor))
