"""Flows that are built and run from Python."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jina import Client, Document, DocumentArray, Executor, Flow, requests
from jina.client.response import Response
from jina.excepts import (
    BadServer,
    ConfigError,
    FlowBuildLevelError,
    FlowTopologyError,
    RemoteError,
    RuntimeFailToStart,
)
from tests.polling import wait_until
from tests.shell import ZOO, is_alive

pytestmark = pytest.mark.slow


class Tag(Executor):
    """Appends its name in the Flow to the text of every Document."""

    @requests
    def tag(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.text += f"[{self.runtime_args.name}]"


class Join(Executor):
    """Tells what a join hands over."""

    @requests
    def join(
        self, docs: DocumentArray, docs_matrix: list[DocumentArray] | None, **kwargs: Any
    ) -> DocumentArray:
        matrix = [[doc.text for doc in part] for part in docs_matrix or ()]
        texts = [doc.text for doc in docs]
        return DocumentArray([Document(tags={"matrix": matrix, "docs": texts})])


class Ask(Executor):
    """Tells what it was given."""

    @requests(on="/parameters")
    def parameters(self, parameters: dict[str, Any], **kwargs: Any) -> DocumentArray:
        return DocumentArray([Document(tags=parameters)])

    @requests(on="/groundtruths")
    def groundtruths(
        self, docs: DocumentArray, groundtruths: DocumentArray | None, **kwargs: Any
    ) -> None:
        for doc, truth in zip(docs, groundtruths or (), strict=False):
            doc.tags["truth"] = truth.text

    @requests(on="/where")
    def where(self, **kwargs: Any) -> DocumentArray:
        tags = {
            "pid": os.getpid(),
            "workspace": str(self.workspace),
            "variable": os.environ.get("ZOO", ""),
        }
        return DocumentArray([Document(tags=tags)])


class Deadly(Executor):
    @requests
    def act(self, docs: DocumentArray, **_: Any) -> None:
        for doc in docs:
            if doc.text == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            doc.text += "!"


class Broken(Executor):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        raise OSError("no model here")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where Ask makes its workspace


def texts(flow: Flow, inputs: Any, on: str = "/", **options: Any) -> list[str]:
    """Texts of all resulting Documents."""
    results = flow.post(on, inputs, return_results=True, **options)
    return [doc.text for response in results or () for doc in response.docs]


def ask(flow: Flow, on: str, inputs: Any = None, **options: Any) -> list[dict[str, Any]]:
    """Tags of all resulting Documents."""
    results = flow.post(on, inputs, return_results=True, **options)
    return [dict(doc.tags) for response in results or () for doc in response.docs]


# --- build ---------------------------------------------------------------------------------------


def test_add_gives_a_new_flow_and_leaves_the_old_one() -> None:
    empty = Flow()
    one = empty.add(name="a", uses=Tag)
    assert (empty.num_executors, one.num_executors) == (0, 1)
    assert one.add(name="b", copy_flow=False) is one
    assert one.num_executors == 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"nedds": "a"}, "Flow.add() has no argument 'nedds'; did you mean \"needs\"?"),
        ({"colour": 1}, "Flow.add() has no argument 'colour'; known: name, method, uses, "),
    ],
)
def test_add_refuses_an_unknown_key_at_once(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Flow().add(**entry)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"name": "encoder"}, "two executors are named 'encoder'"),
        (
            {"name": "x", "needs": "encodr"},
            "'x' needs 'encodr', which is not an executor in this Flow",
        ),
        ({"name": "x", "needs": "x"}, "x"),
        ({"name": "x", "replicas": 0}, "replicas"),
        ({"name": "not a name"}, "not a name"),
    ],
)
def test_add_says_at_once_what_is_wrong(entry: dict[str, Any], words: str) -> None:
    flow = Flow().add(name="encoder", uses=Tag)
    with pytest.raises((ConfigError, FlowTopologyError)) as caught:
        flow.add(**entry)
    assert words in str(caught.value)
    if entry.get("needs") == "encodr":
        assert "did you mean 'encoder'?" in str(caught.value)


def test_executors_are_added_behind_those_of_a_loaded_flow() -> None:
    text = "jtype: Flow\nexecutors:\n  - name: a\n  - name: b\n    needs: gateway\n"
    flow = Flow.load_config(text).add(name="c", needs=["a", "b"]).add(name="d")
    found = [(node.name, node.needs) for node in flow.plan().nodes]
    assert found == [("a", ["gateway"]), ("b", ["gateway"]), ("c", ["a", "b"]), ("d", ["c"])]


def test_needs_wants_two_names() -> None:
    with pytest.raises(FlowTopologyError) as caught:
        Flow().add(name="a", uses=Tag).needs(["a"])
    assert str(caught.value) == (
        "a join needs at least two names, not ['a']\nhelp: use add(needs=...) for a single one"
    )


def test_a_flow_that_does_not_run_cannot_be_posted_to() -> None:
    with pytest.raises(FlowBuildLevelError) as caught:
        Flow().add(uses=Tag).post("/")
    assert str(caught.value) == (
        "the Flow is not running\nhelp: post inside `with flow:`, or call start() first"
    )


def test_a_flow_that_runs_cannot_be_changed_or_started_again() -> None:
    with Flow().add(uses=Tag) as flow:
        with pytest.raises(FlowBuildLevelError, match="a running Flow cannot be changed"):
            flow.add(uses=Tag)
        with pytest.raises(FlowBuildLevelError, match="the Flow is already running"):
            flow.start()


# --- run -----------------------------------------------------------------------------------------


def test_a_chain_goes_in_order() -> None:
    flow = Flow().add(name="a", uses=Tag).add(name="b", uses=Tag).add(name="c", uses=Tag)
    with flow:
        assert texts(flow, [Document(text="x")]) == ["x[a][b][c]"]


def test_uses_in_all_its_forms(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from jina import Executor, requests\n"
        "class Own(Executor):\n"
        "    def __init__(self, word='own', **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        "        self.word = word\n"
        "    @requests\n"
        "    def act(self, docs, **kwargs):\n"
        "        for doc in docs: doc.text += f'[{self.word}]'\n"
    )
    (tmp_path / "own.yml").write_text("jtype: Own\nwith: {word: file}\npy_modules: own.py\n")
    flow = (
        Flow()
        .add(name="live", uses=Tag)
        .add(name="dict", uses={"jtype": "Tag"})
        .add(uses=str(tmp_path / "own.yml"))
        .add(uses=str(tmp_path / "own.yml"), uses_with={"word": "with"})
        .add(uses="BaseExecutor")
        .add(uses="{jtype: Own, with: {word: text}}", py_modules=[str(tmp_path / "own.py")])
    )
    with flow:
        assert texts(flow, Document(text="x")) == ["x[live][dict][file][with][text]"]


def test_the_matrix_of_a_join_is_in_the_order_of_needs() -> None:
    flow = (
        Flow()
        .add(name="a", uses=Tag, needs="gateway")
        .add(name="b", uses=Tag, needs="gateway")
        .add(name="c", uses=Tag, needs="a")
        .add(name="j", uses=Join, needs=["b", "c", "gateway"])
    )
    with flow:
        (tags,) = ask(flow, "/", [Document(text="1"), Document(text="2")])
    assert tags["matrix"] == [["1[b]", "2[b]"], ["1[a][c]", "2[a][c]"], ["1", "2"]]
    assert tags["docs"] == ["1[b]", "2[b]", "1[a][c]", "2[a][c]", "1", "2"]


def test_a_join_that_nobody_serves_passes_all_branches_on() -> None:
    flow = (
        Flow()
        .add(name="a", uses=Tag, needs="gateway")
        .add(name="b", uses=Tag, needs="gateway")
        .needs(["b", "a"])
    )
    with flow:
        assert texts(flow, [Document(text="x")]) == ["x[b]", "x[a]"]
    flow = Flow().add(name="a", uses=Tag).add(name="b", uses=Tag, needs="gateway").needs_all()
    with flow:
        assert texts(flow, [Document(text="x")]) == ["x[a]", "x[b]"]


def test_outside_a_join_the_matrix_is_none() -> None:
    with Flow().add(uses=Join) as flow:
        assert ask(flow, "/", [Document(text="x")]) == [{"matrix": [], "docs": ["x"]}]


def test_replicas_share_the_work_and_keep_the_order() -> None:
    with Flow().add(name="ask", uses=Ask, replicas=2) as flow:
        inputs = [Document(text=str(number)) for number in range(200)]
        assert texts(flow, inputs, "/elsewhere", request_size=1) == [str(n) for n in range(200)]
        pids = {tags["pid"] for tags in ask(flow, "/where", inputs, request_size=1)}
        assert len(pids) == 2
        assert all(is_alive(int(pid)) for pid in pids)
    wait_until(lambda: not any(is_alive(int(pid)) for pid in pids))


def test_parameters_for_one_executor_lie_over_the_common_ones() -> None:
    given = {"top_k": 3, "one": {"top_k": 5}}
    flow = (
        Flow()
        .add(name="a", uses={"jtype": "Ask", "metas": {"name": "one"}})
        .add(name="b", uses=Ask, uses_metas={"name": "two"})
    )
    with flow:
        (tags,) = ask(flow, "/parameters", parameters=given, target_peapod="a")
        assert tags == {"top_k": 5, "one": {"top_k": 5}}
        (tags,) = ask(flow, "/parameters", parameters=given, target_peapod="b")
        assert tags == given


def test_groundtruths_come_as_pairs() -> None:
    with Flow().add(uses=Ask) as flow:
        pairs = [(Document(text=str(n)), Document(text=f"truth {n}")) for n in range(3)]
        for inputs in (pairs, (pair for pair in pairs)):
            tags = ask(flow, "/groundtruths", inputs)
            assert tags == [{"truth": f"truth {n}"} for n in range(3)]
        (response,) = flow.post("/groundtruths", pairs, return_results=True) or ()
        assert [doc.text for doc in response.groundtruths] == ["truth 0", "truth 1", "truth 2"]


def test_environment_and_workspace_of_each_executor(tmp_path: Path) -> None:
    """The Executor's own workspace, then the Flow's; the same for its variables."""
    flow = (
        Flow(workspace=str(tmp_path / "flow"), env={"ZOO": "flow"})
        .add(name="a", uses=Ask)
        .add(name="b", uses=Ask, env={"ZOO": "b"}, workspace=str(tmp_path / "b"))
        .add(name="c", uses=Ask, uses_metas={"workspace": str(tmp_path / "c")})
        .add(name="d", uses=Ask, replicas=2, uses_metas={"name": "named"})
    )
    found = {}
    with flow:
        for name in "abcd":
            (tags,) = ask(flow, "/where", target_peapod=name)
            found[name] = (tags["workspace"], tags["variable"])
    replica = found["d"][0].split("/")[-2]
    assert replica in ("0", "1")
    assert found == {
        "a": (str(tmp_path / "flow" / "Ask" / "0"), "flow"),
        "b": (str(tmp_path / "b" / "Ask" / "0"), "b"),
        "c": (str(tmp_path / "c" / "Ask" / "0"), "flow"),
        "d": (str(tmp_path / "flow" / "named" / replica / "0"), "flow"),
    }
    assert "ZOO" not in os.environ


def test_a_class_that_fails_to_start_raises_what_it_raised() -> None:
    flow = Flow().add(name="good", uses=Tag).add(name="bad", uses=Broken)
    with pytest.raises(RuntimeFailToStart) as caught:
        flow.start()
    assert str(caught.value) == '"bad/0" did not start: OSError: no model here'
    assert isinstance(caught.value, RuntimeError)
    cause = caught.value.__cause__
    assert isinstance(cause, RemoteError)
    assert (cause.type, cause.message, cause.executor) == ("OSError", "no model here", "bad/0")
    lines = cause.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "OSError: no model here"
    assert str(cause) == "bad/0: OSError: no model here"


def test_a_file_that_fails_to_start_names_its_place(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_text(f"executors:\n  - uses: {{jtype: FailsToStart, py_modules: [{ZOO}]}}\n")
    with pytest.raises(RuntimeFailToStart) as caught, Flow.load_config(str(path)):
        pass
    assert caught.value.where.endswith("flow.yml:2:11")
    assert str(caught.value).endswith("RuntimeError: no model here")


def test_two_flows_at_the_same_time() -> None:
    """Neither a file nor a name keeps them apart."""
    one = Flow().add(name="a", uses=Tag)
    two = Flow().add(name="b", uses=Tag)
    with one, two:
        assert texts(one, Document(text="x")) == ["x[a]"]
        assert texts(two, Document(text="x")) == ["x[b]"]
        assert one.address != two.address


def test_a_flow_may_be_started_again_after_its_close() -> None:
    flow = Flow().add(name="a", uses=Tag)
    for _ in range(2):
        with flow:
            assert texts(flow, Document(text="x")) == ["x[a]"]
    flow.close()  # twice is no error


def test_an_error_within_the_block_still_closes_the_flow() -> None:
    flow = Flow().add(uses=Ask)
    tags: dict[str, Any] = {}

    def work() -> None:
        with flow:
            tags.update(ask(flow, "/where")[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    wait_until(lambda: not is_alive(int(tags["pid"])))


def test_a_client_reaches_a_running_flow_by_its_address() -> None:
    with Flow().add(name="a", uses=Tag) as flow:
        results = Client(flow.address).post("/", Document(text="x"), return_results=True)
        assert results
        assert [doc.text for doc in results[0].docs] == ["x[a]"]


def test_a_document_that_kills_its_worker_is_told_by_its_id_and_the_others_are_there() -> None:
    inputs = [Document(id=f"d{n}", text="die" if n == 3 else "x") for n in range(6)]
    failed: list[Response] = []
    with Flow().add(uses=Deadly) as flow:
        flow.post("/", inputs, on_error=failed.append)
        with pytest.raises(BadServer, match=r"Document d3: .* crashed the worker .*SIGKILL"):
            flow.post("/", inputs)
    (response,) = failed
    assert [failure.id for failure in response.failures] == ["d3"]
    assert [(doc.id, doc.text) for doc in response.docs] == [
        (f"d{n}", "x!") for n in (0, 1, 2, 4, 5)
    ]
    assert response.status.code == 3


SCRIPT = """
from jina import Executor, Flow, requests

class Broken(Executor):
    @requests
    def call(self, docs, **kwargs):
        docs[0].misspelt()

if __name__ == "__main__":
    flow = Flow().add(uses=Broken).start()
    flow.post("/x", "a", continue_on_error=True)
"""


def run_script(folder: Path, text: str) -> str:
    """Run a program and return what it says on standard error."""
    path = folder / "script.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr


def test_a_flow_that_is_left_open_ends_with_its_program(tmp_path: Path, runtime_dir: Path) -> None:
    assert run_script(tmp_path, SCRIPT) == ""
    wait_until(lambda: not list(runtime_dir.glob("jina/*")), what="nothing is left")


def test_an_error_that_nobody_catches_shows_its_place_in_the_method(
    tmp_path: Path, runtime_dir: Path
) -> None:
    err = run_script(tmp_path, SCRIPT.replace(", continue_on_error=True", ""))
    path = tmp_path / "script.py"
    assert f'\n  File "{path}", line 7, in call\n    docs[0].misspelt()\n' in err
    wait_until(lambda: not list(runtime_dir.glob("jina/*")), what="nothing is left")
