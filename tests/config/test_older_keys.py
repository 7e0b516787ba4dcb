"""Keys of Jina 2 and 3 that published Flows have: they work, are ignored, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina import Flow
from jina.check import check_flow
from jina.config.flows import load_flow, read_flow
from jina.config.older_keys import (
    IGNORED_NODE,
    IGNORED_OPTIONS,
    REFUSED_NODE,
)
from jina.excepts import ConfigError
from jina.graph.planning import plan_of


def found(text: str) -> list[tuple[str, str, str]]:
    """Code, message and hint of each problem."""
    return [(p.code, p.message, p.hint) for p in read_flow(text).problems]


def test_with_in_an_executor_is_ignored_and_check_says_uses_with() -> None:
    (problem,) = check_flow("executors: [{name: a, with: {x: 1}}]").problems
    assert (problem.code, problem.severity) == ("ignored-key", "warning")
    assert problem.hint == "put constructor arguments in `uses_with`"


def test_what_would_speak_http_or_grpc_says_what_there_is() -> None:
    text = "with: {restful: true, rest_api: true, protocol: grpc}\nexecutors: [{name: a}]"
    problems = found(text)
    assert [code for code, _, _ in problems] == ["ignored-key"] * 3
    assert all("`protocol: http`" in hint for _, _, hint in problems)
    assert all("gRPC is not supported" in hint for _, _, hint in problems)


def test_x_keys_hold_what_anchors_name(tmp_path: Path) -> None:
    (tmp_path / "ex.yml").write_text("x-note: &w {a: 1}\njtype: BaseExecutor\nwith:\n  <<: *w\n")
    path = tmp_path / "flow.yml"
    path.write_text(
        "x-shared: &shared\n  replicas: 2\nexecutors:\n  - <<: *shared\n    uses: ex.yml\n"
    )
    config = load_flow(str(path))
    (node,) = config.executors
    assert (node.replicas, node.executor.with_) == (2, {"a": 1})
    assert config.warnings == []


def test_runtime_args_are_laid_over_those_of_the_flow() -> None:
    text = "executors: [{name: a, runtime_args: {pea_id: 7, mine: x}, dump_path: /d}]"
    args = plan_of(text).workers[0].runtime_args
    assert args["name"] == "a"
    assert (args["pea_id"], args["mine"], args["dump_path"]) == (7, "x", "/d")


@pytest.mark.parametrize("key", ["replicas", "uses_with", "floating", "stateful"])
def test_what_jina_2_handed_on_to_each_executor_is_refused(key: str) -> None:
    ((code, message, hint),) = found(f"with: {{{key}: {{a: 1}}}}\nexecutors: [{{name: a}}]")
    assert (code, message) == ("not-supported", f"`{key}` is not supported")
    assert hint


def test_no_key_is_both_ignored_and_refused() -> None:
    assert not IGNORED_NODE & set(REFUSED_NODE)
    assert "inspect" not in IGNORED_OPTIONS


def test_a_need_named_twice_is_joined_once() -> None:
    text = "executors:\n  - name: a\n  - name: b\n    needs: gateway\n  - needs: [a, b, a]\n"
    ((code, message, hint),) = found(text)
    assert (code, hint) == ("duplicate-need", "list it once")
    assert message == "'executor2' needs 'a' twice; the duplicate is ignored"
    assert load_flow(text).executors[2].needs == ["a", "b"]


INSPECTED = (
    "executors:\n  - name: a\n  - {name: i, method: inspect}\n  - {name: k, method: inspect}\n"
    "  - name: b\n  -\n  - {name: g, method: gather_inspect}\n  - {name: c, needs: [i, g]}\n"
)


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (
            "with: {inspect: collect}\n",
            {
                "a": ["gateway"],
                "i": ["a"],
                "k": ["a"],
                "b": ["a"],
                "executor4": ["b"],
                "g": ["i", "k", "executor4"],
                "c": ["i", "g"],
            },
        ),
        (
            "with: {inspect: REMOVE}\n",
            {
                "a": ["gateway"],
                "b": ["a"],
                "executor4": ["b"],
                "g": ["executor4"],
                "c": ["a", "g"],
            },
        ),
    ],
)
def test_who_looks_on_stands_beside_the_way(head: str, wanted: dict[str, Any]) -> None:
    assert {node.name: node.needs for node in plan_of(head + INSPECTED).nodes} == wanted


def test_who_looks_on_first_takes_the_requests_alone() -> None:
    text = "executors: [{name: i, method: inspect}, {name: a}]"
    assert [node.needs for node in plan_of(text).nodes] == [["gateway"], ["gateway"]]


def test_a_gather_of_nobody_is_a_step() -> None:
    text = "executors: [{name: a}, {name: g, method: gather_inspect}]"
    assert [node.needs for node in plan_of(text).nodes] == [["gateway"], ["a"]]


def test_to_hang_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="floating: true"):
        load_flow("with: {inspect: HANG}\nexecutors: [{name: a}]")


def test_further_folders_of_one_executor(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sought.yml").write_text(
            f"jtype: BaseExecutor\nmetas: {{name: {name}}}\n"
        )
    (tmp_path / "flow.yml").write_text(
        "executors:\n  - {uses: sought.yml, extra_search_paths: x}\n"
        "  - {uses: sought.yml, extra_search_paths: [y, x]}\n"
    )
    nodes = load_flow(str(tmp_path / "flow.yml")).executors
    assert [node.executor.metas["name"] for node in nodes] == ["x", "y"]
    (tmp_path / "flow.yml").write_text(
        "with: {extra_search_paths: y}\nexecutors:\n  - {uses: sought.yml}\n"
        "  - {uses: sought.yml, extra_search_paths: [x]}\n"
    )
    flow = Flow.load_config(str(tmp_path / "flow.yml")).add(uses="sought.yml")
    workers = flow.plan().workers
    assert [worker.executor.metas["name"] for worker in workers] == ["y", "x", "y"]


def test_a_variable_that_is_not_set_matters_only_where_somebody_reads_it(tmp_path: Path) -> None:
    text = (
        "with: {port_expose: $UNSET_A, name: f, workspace: $UNSET_D}\nexecutors:\n"
        "  - {uses: {jtype: BaseExecutor, runtime_args: {a: [$UNSET_B]}}, host_in: $UNSET_C}\n"
    )
    problems = read_flow(text).problems
    unset = [(p.path, p.message) for p in problems if p.severity == "error"]
    assert unset == [("with.workspace", "the variable UNSET_D is not set")]
    text = "executors: [{name: a, host_in: $UNSET_C, with: {x: '$UNSET_D'}}]"
    saved = Flow.load_config(text).save_config(tmp_path / "f.yml")
    assert "host_in: $UNSET_C" in Path(saved).read_text()
    Flow.load_config(saved)
    assert [p.message.split("`")[1] for p in problems if p.severity == "warning"] == [
        "port_expose",
        "runtime_args",
        "host_in",
    ]
