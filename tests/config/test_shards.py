"""What YAML says of shards: polling, the Executors around them, nodes that nobody waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina.check import check_flow
from jina.config import load_flow
from jina.config.shards import polling_of
from jina.excepts import ConfigError
from jina.executors import BaseExecutor
from jina.graph.planning import plan_of

MODULE = """
from jina import Executor, requests


class {name}(Executor):
    @requests(on="/x")
    def x(self, docs, **kwargs): ...
"""


class Mine(BaseExecutor):
    pass


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        (None, {}),
        ("ANY", {"*": "ANY"}),
        ("any", {"*": "ANY"}),
        ("All", {"*": "ALL"}),
        ("all_async", {"*": "ALL"}),
        ({"/index": "ANY", "search": "all"}, {"/index": "ANY", "/search": "ALL"}),
        ({"/search": "ALL", "*": "any"}, {"/search": "ALL", "*": "ANY"}),
        ({}, {}),
    ],
)
def test_polling_in_every_form(written: Any, meaning: dict[str, str]) -> None:
    assert polling_of(written) == meaning
    node = {"name": "a", "shards": 2} | ({} if written is None else {"polling": written})
    (config,) = load_flow({"jtype": "Flow", "executors": [node]}).executors
    assert config.polling == meaning


def test_what_is_wrong_with_polling_is_told_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_text(
        "executors:\n"
        "  - {name: a, shards: 2, polling: SOME}\n"
        "  - {name: b, shards: 2, polling: {/x: al, '*': ANY}}\n"
        "  - {name: c, shards: 2, polling: [ALL]}\n"
        "  - {name: d, shards: 0}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_flow(str(path))
    found = [(p.line, p.column, p.message, p.hint) for p in caught.value.problems]
    assert found == [
        (
            *(2, 35, "`polling` is the text 'SOME'; expected ANY, ALL or ALL_ASYNC"),
            "ANY sends a request to one shard, ALL sends it to every shard",
        ),
        (
            *(3, 40, "`polling` is the text 'al'; expected ANY, ALL or ALL_ASYNC"),
            "did you mean ALL?",
        ),
        (
            4,
            35,
            "`executors[2].polling` is a list; expected text",
            "write the item alone: `polling: ALL`",
        ),
        (5, 23, "`executors[3].shards` is 0; it must be at least 1", ""),
    ]


@pytest.mark.parametrize(
    "uses",
    [
        "edge.yml",
        "edge.py:Edge",
        "{jtype: Edge, py_modules: edge.py, with: {}}",
        "!Edge {metas: {py_modules: edge.py}}",
        "|\n      jtype: Edge\n      py_modules: [edge.py]",
    ],
)
def test_executors_around_shards_in_every_form_of_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uses: str
) -> None:
    """What is said of the node is not said of them; where it is written is."""
    monkeypatch.chdir(tmp_path)
    Path("edge.py").write_text(MODULE.format(name="Edge"))
    Path("edge.yml").write_text("jtype: Edge\npy_modules: edge.py\n")
    Path("flow.yml").write_text(
        "jtype: Flow\nwith: {env: {A: flow}}\nexecutors:\n"
        "  - name: a\n    shards: 2\n    env: {A: node}\n    uses_metas: {name: mine}\n"
        f"    uses_before: {uses}\n    uses_after: {uses}\n"
    )
    plan = plan_of("flow.yml")
    head, first, _, tail = plan.workers
    assert [worker.name for worker in plan.workers] == [
        *("a/head", "a/shard-0/0", "a/shard-1/0", "a/tail")
    ]
    assert head.executor.jtype.endswith("Edge")
    assert (head.executor.metas.get("name"), first.executor.metas["name"]) == (None, "mine")
    assert [head.env, first.env, tail.env] == [{"A": "flow"}, {"A": "node"}, {"A": "flow"}]
    assert head.where.startswith("flow.yml:8:")
    rows = {(row.executor, row.endpoint) for row in check_flow("flow.yml").endpoints}
    assert {("a/head", "/x"), ("a/tail", "/x")} <= rows


def test_a_class_and_the_modules_of_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("edge2.py").write_text(MODULE.format(name="Edge2"))
    node = {"name": "a", "uses": Mine, "uses_after": "Edge2", "py_modules": "edge2.py"}
    plan = plan_of({"jtype": "Flow", "executors": [{**node, "uses_before": Mine}]})
    assert [worker.name for worker in plan.workers] == ["a/head", "a/0", "a/tail"]
    assert [worker.executor.jtype for worker in plan.workers] == ["Mine", "Mine", "Edge2"]


def test_what_is_wrong_with_them_is_told_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_text(
        "executors:\n  - name: a\n    uses_before: none.yml\n    uses_after: {jtype: Nix}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_flow(str(path))
    found = [(p.code, p.line, p.column) for p in caught.value.problems]
    assert found == [("file-not-found", 3, 18), ("class-not-found", 4, 25)]
    with pytest.raises(ConfigError, match="int is not an Executor"):
        load_flow({"jtype": "Flow", "executors": [{"name": "a", "uses_after": int}]})


def test_the_next_executor_takes_the_results_of_the_last_that_does_not_float() -> None:
    plan = plan_of(
        {"jtype": "Flow", "executors": [{"name": "a"}, {"name": "f", "floating": True}, {}]}
    )
    assert [(node.name, node.needs) for node in plan.nodes] == [
        *(("a", ["gateway"]), ("f", ["a"]), ("executor2", ["a"]))
    ]
    with pytest.raises(ConfigError, match="'b' needs 'f', which is floating: nothing waits"):
        load_flow(
            {
                "jtype": "Flow",
                "executors": [{"name": "f", "floating": True}, {"name": "b", "needs": "f"}],
            }
        )


def test_check_says_that_other_versions_ask_other_shards(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_text(
        "executors:\n  - {name: a, shards: 2}\n  - {name: b, parallel: 3}\n"
        "  - {name: c, shards: 2, polling: ANY}\n  - {name: d, replicas: 2, polling: ALL}\n"
    )
    found = [(p.code, p.severity, p.line, p.column) for p in check_flow(str(path)).problems]
    assert found == [
        ("unsaid-polling", "warning", 2, 15),
        ("unsaid-polling", "warning", 3, 15),
        ("polling-without-shards", "warning", 5, 28),
    ]
