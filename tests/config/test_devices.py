"""`CUDA_VISIBLE_DEVICES: RR` and its forms."""

from __future__ import annotations

import pytest

from jina.check import check_flow
from jina.config.devices import chosen, gpus, in_turns
from jina.config.flows import load_flow
from jina.excepts import ConfigError
from jina.graph.planning import plan_from


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        ("RR", "0 1 2 3"),
        ("RR0:2", "0 1"),
        ("RR1:3", "1 2"),
        ("RR2:", "2 3"),
        ("RR:-1", "0 1 2"),
        ("RR::2", "0 2"),
        ("RR[1:3]", "1 2"),
        ("RR[]", "0 1 2 3"),
        ("RR1:9", "1 2 3"),
        ("RR2", "2"),
        ("RR-1", "3"),
        ("RR0,2,3", "0 2 3"),
        ("RR[0, 2]", "0 2"),
        ("RRGPU-0aa,GPU-1bb", "GPU-0aa GPU-1bb"),
        ("RRMIG-5c", "MIG-5c"),
        ("RR4:", ""),
        ("0,1", None),
        ("", None),
    ],
)
def test_who_takes_turns(value: str, devices: str | None) -> None:
    found = chosen(value, lambda: 4)
    assert found == (None if devices is None else devices.split())


@pytest.mark.parametrize(
    "value", ["RR1:x", "RR0,1:2", "RR,", "RR::0", "RRa b", "RRx", "RR0,x", "RRGPU-"]
)
def test_what_is_none_of_the_forms(value: str) -> None:
    with pytest.raises(ValueError, match=r"is not a slice of devices|does not name any devices"):
        chosen(value, lambda: 4)
    with pytest.raises(ConfigError) as caught:
        load_flow(f"with: {{env: {{CUDA_VISIBLE_DEVICES: '{value}'}}}}\nexecutors: [{{name: a}}]")
    assert caught.value.problems[0].place == "<text>:1:36"  # type: ignore[attr-defined]


def test_nobody_is_asked_how_many_there_are_where_all_is_said() -> None:
    def never() -> int:
        raise AssertionError

    for value in ("RR0,1", "RR3", "RRGPU-1", "3", "RR1,GPU-2"):
        chosen(value, never)


FLOW = """
with: {env: {CUDA_VISIBLE_DEVICES: RR}}
executors:
  - {name: a, replicas: 3}
  - {name: b, replicas: 2, env: {CUDA_VISIBLE_DEVICES: RR1:3, OTHER: x}}
  - {name: c, env: {CUDA_VISIBLE_DEVICES: 7}}
"""


def test_each_worker_of_a_plan_gets_its_own() -> None:
    plan = plan_from(load_flow(FLOW), gpus=lambda: 2)
    got = [worker.env["CUDA_VISIBLE_DEVICES"] for worker in plan.workers]
    assert got == ["0", "1", "0", "1", "1", "7"]
    assert plan.workers[3].env["OTHER"] == "x"


def test_our_own_environment_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_TOTAL_DEVICES", "2")
    assert gpus() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "RR")
    assert in_turns({}, gpus) == ["0", "1"]
    assert in_turns({"CUDA_VISIBLE_DEVICES": "0"}, gpus) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert in_turns({}, gpus) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "RR0:x")
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES: 'RR0:x' is not a slice"):
        in_turns({}, gpus)


def test_check_says_where_no_gpu_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_TOTAL_DEVICES", "1")
    (problem,) = check_flow(FLOW).problems
    assert problem.code == "no-gpu"
    assert problem.message.startswith("`RR1:3` selects none of the 1 GPUs on this machine")
    assert problem.line == 5
