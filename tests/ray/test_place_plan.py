"""Which part of a Flow is placed on a cluster, and how: without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from jina import Executor, Flow
from jina.check.placing import placing_findings
from jina.config.flows import FlowConfig, load_flow
from jina.excepts import ConfigError
from jina.graph.plan import Placing
from jina.graph.planning import plan_from
from jina.launch.placing import keys_of, places_of, with_run_keys
from jina.ray.place_plan import placed
from jina.transport.keys import AllowList, gateway_key, make_key, own_key
from jinacli.flow.placed import placed_plan

FLOW = """
jtype: Flow
executors:
  - name: a
    uses: A
    py_modules: code/a.py
    replicas: 2
    threads: 3
    env: {HELLO: there, CUDA_VISIBLE_DEVICES: RR}
  - name: parts
    uses: A
    py_modules: code/a.py
    shards: 2
    replicas: 3
    polling: ALL
    ray: {num_cpus: 0.5, resources: {disk: 1}}
  - name: kept
    uses: A
    py_modules: code/a.py
    workspace: files
  - name: far
    external: true
  - name: join
    needs: [kept, far]
"""
CODE = "from jina import Executor\nclass A(Executor):\n    pass\n"


@pytest.fixture
def config(tmp_path: Path) -> FlowConfig:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text(CODE)
    (tmp_path / "flow.yml").write_text(FLOW)
    return load_flow(str(tmp_path / "flow.yml"))


def placing_of(config: FlowConfig, folder: Path) -> Placing:
    plan = placed(config, plan_from(config, gpus=lambda: 0), "10.0.0.1:6379", folder)
    assert [node.name for node in plan.nodes if node.is_external] == ["a", "parts", "kept", "far"]
    assert [spec.name for spec in plan.workers] == ["parts/tail", "join/0"]
    assert plan.worker_listen == "tcp://0.0.0.0:*"
    assert plan.placing is not None
    return plan.placing


def test_what_runs_code_is_placed_and_the_rest_stays(config: FlowConfig, tmp_path: Path) -> None:
    placing = placing_of(config, tmp_path)
    asks = {place.name: (len(place.workers), place.ask.amounts) for place in places_of(placing)}
    assert asks == {
        "a/0": (1, {"CPU": 3, "GPU": 1}),
        "a/1": (1, {"CPU": 3, "GPU": 1}),
        "kept/0": (1, {"CPU": 1}),
        "parts/shard-0": (3, {"CPU": 1.5, "disk": 3}),
        "parts/shard-1": (3, {"CPU": 1.5, "disk": 3}),
    }
    by_name = {spec.name: spec for spec in placing.workers}
    first = by_name["a/0"]
    assert (first.env, first.devices, first.threads) == ({"HELLO": "there"}, None, 3)
    assert "workspace" not in first.runtime_args
    assert by_name["kept/0"].runtime_args["workspace"] == str(tmp_path / "files")
    assert placing.stateful == ["parts", "kept"]


@pytest.mark.parametrize("has_keys", [True, False])
def test_each_place_has_a_key_of_its_own(
    config: FlowConfig, tmp_path: Path, has_keys: bool
) -> None:
    plan = placed(config, plan_from(config, gpus=lambda: 0), "10.0.0.1:6379", tmp_path)
    mine = tmp_path / "mine"
    gateway = make_key(mine, "gate", "gateway")
    if has_keys:
        plan = structs.replace(plan, keys=str(mine))
    run = tmp_path / "run"
    run.mkdir()
    plan = with_run_keys(plan, run)
    assert plan.placing is not None
    assert (plan.keys == str(mine)) == has_keys
    allowed = AllowList(Path(plan.keys), Path(plan.placing.keys))
    seen = set()
    for number, place in enumerate(places_of(plan.placing)):
        folder = tmp_path / f"place{number}"
        folder.mkdir()
        for name, text in keys_of(place, plan.placing.keys).items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        key = own_key(folder, "worker")
        assert allowed.of(key.public) is not None
        assert (gateway_key(folder).public == gateway.public) == has_keys
        seen.add(key.public)
    assert len(seen) == 5


def test_what_cannot_travel_is_told_at_its_place(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "files").mkdir()
    (project / "files" / "x").touch()
    (tmp_path / "a.py").write_text(CODE)
    (project / "b.py").write_text(CODE.replace("pass", "x = lambda self: self.workspace"))
    (project / "flow.yml").write_text(
        "jtype: Flow\nexecutors:\n"
        "  - {name: a, uses: A, py_modules: ../a.py}\n"
        "  - {name: b, uses: A, py_modules: b.py}\n"
        "  - {name: c, uses: A, py_modules: b.py, workspace: files}\n"
        "  - {name: d, uses: A, py_modules: b.py, workspace: new}\n"
        "  - {name: e, uses: A, py_modules: b.py, workspace: new, ray: {resources: {x: 1}}}\n"
    )
    config = load_flow(str(project / "flow.yml"))
    found = list(placing_findings(config.executors))
    assert [(each.line, each.code, each.severity) for each in found] == [
        (3, "not-sent", "error"),
        (4, "workspace-lost", "warning"),
        (5, "workspace-here", "warning"),
        (6, "workspace-moves", "warning"),
    ]
    assert all(each.hint for each in found)


class Live(Executor):
    """A class of this process."""


def test_a_class_of_a_running_program_is_not_placed(config: FlowConfig, tmp_path: Path) -> None:
    live = Flow().add(name="a", uses=Live).plan().workers[0].executor
    assert live.live
    first = replace(config.executors[0], executor=live)
    config = replace(config, executors=[first, *config.executors[1:]])
    with pytest.raises(ConfigError) as raised:
        placed_plan(config, plan_from(config, gpus=lambda: 0), "10.0.0.1:6379")
    (problem,) = raised.value.problems
    assert (problem.place, problem.message, problem.hint) == (
        f"{tmp_path}/flow.yml:5:11",
        "Live is a class of the running program, and cannot be sent along",
        "write it into a module, and name that in `py_modules`",
    )
