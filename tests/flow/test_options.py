"""Options of a Flow that concern all its Executors, or every post."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina import Document, Executor, Flow, requests
from jina.check import check_flow
from jina.excepts import ConfigError

CLASS = """
from jina import Executor, requests


class SharedModule(Executor):
    @requests
    def say(self, docs, **kwargs):
        for doc in docs:
            doc.text = 'said'
"""


class FailsAlways(Executor):
    @requests
    def fail(self, **kwargs: object) -> None:
        raise ValueError("always")


def test_return_results_of_the_flow_holds_for_every_post() -> None:
    """As in `Flow(return_results=True)` of Jina 2."""
    with Flow(return_results=True, request_size=2).add(name="a") as flow:
        found = flow.post("/", [Document() for _ in range(5)])
        assert found is not None
        assert [len(response.docs) for response in found] == [2, 2, 1]
        assert [len(r.docs) for r in flow.stream("/", [Document() for _ in range(3)])] == [2, 1]
        found = flow.post("/", [Document(), Document()], request_size=1)
        assert found is not None
        assert len(found) == 2
        assert flow.post("/", Document(), return_results=False) is None


def test_the_same_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "shared_module.py").write_text(CLASS)
    (tmp_path / "flow.yml").write_text(
        "jtype: Flow\n"
        "with: {py_modules: shared_module.py, return_results: true, continue_on_error: true}\n"
        "executors:\n  - uses: SharedModule\n"
        "  - {uses: {jtype: SharedModule, metas: {name: b}}}\n  - name: plain\n"
    )
    report = check_flow(str(tmp_path / "flow.yml"))
    assert report.problems == []
    assert [row.method for row in report.endpoints] == ["SharedModule.say"] * 2
    flow = Flow.load_config(str(tmp_path / "flow.yml")).add(uses=FailsAlways, needs="gateway")
    with flow:
        (response,) = flow.post("/", Document()) or []
        assert response.is_error


def test_a_module_of_the_flow_that_is_missing_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(
        "jtype: Flow\nwith: {py_modules: [none.py]}\nexecutors:\n  - name: a\n  - name: b\n"
    )
    (problem,) = check_flow(str(tmp_path / "flow.yml")).problems
    assert (problem.code, problem.line, problem.column) == ("module-not-found", 2, 21)


def test_what_is_added_to_a_loaded_flow_has_its_workspace_and_environment(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(
        "jtype: Flow\nwith: {workspace: w, env: {A: '1'}}\nexecutors:\n  - name: a\n"
    )
    flow = Flow.load_config(str(tmp_path / "flow.yml")).add(name="b").add(name="c")
    workers = flow.plan().workers
    assert [(worker.node, worker.env) for worker in workers] == [
        (name, {"A": "1"}) for name in "abc"
    ]
    assert {worker.runtime_args["workspace"] for worker in workers} == {str(tmp_path / "w")}


def test_options_of_posts_are_typed() -> None:
    with pytest.raises(ConfigError, match="return_results"):
        Flow(return_results="yes").add(name="a")


def test_what_jina_2_could_say_is_ignored_or_refused_as_in_yaml() -> None:
    flow = Flow(port_expose=45678).add(name="a", quiet=True, runtime_backend="process")
    assert flow.num_executors == 1
    with pytest.raises(ConfigError, match="`host` is not supported\nhelp: use `external: true`"):
        flow.add(host="10.0.0.7")
    with pytest.raises(TypeError, match=r"has no argument 'repliacs'; did you mean \"replicas\""):
        flow.add(repliacs=2)


def test_on_error_of_the_flow_holds_for_heads_and_tails_too() -> None:
    flow = Flow(on_error="continue").add(
        name="a", uses_before=FailsAlways, uses_after=FailsAlways, shards=2, polling="ALL"
    )
    with flow:
        (response,) = flow.post("/", [Document(text="t")], return_results=True) or []
        assert [doc.text for doc in response.docs] == ["t"]
        assert response.status.code == 0
        for name in ("a/head", "a/tail"):
            assert f"went on after ValueError in {name}: always" in response.status.description


def test_arguments_without_effect_are_a_warning_when_the_flow_starts() -> None:
    flow = Flow(protocol="grpc", https=True).add(name="a", port_in=1)
    with pytest.warns(UserWarning, match="protocol|https") as told, flow:
        pass
    (message,) = [str(one.message) for one in told]
    for place in ("with.protocol: `protocol`", "with.https: ", "executors[0].port_in: `port_in`"):
        assert f"{place}" in message
    assert {one.filename for one in told} == {__file__}
