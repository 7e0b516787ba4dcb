"""`timeout`, `retries` and `on_error` as the plan has them."""

from __future__ import annotations

from typing import Any

import pytest

from jina.graph.plan import PlannedNode, Retries
from jina.graph.planning import plan_of


def node(options: dict[str, Any] | None = None, **entry: Any) -> PlannedNode:
    flow = {"jtype": "Flow", "with": options or {}, "executors": [{"name": "a", **entry}]}
    return plan_of(flow).nodes[0]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (500, {"*": 0.5}),
        (-1, {"*": -1.0}),
        ({"/index": 1, "*": 2000, "/x": -1}, {"/index": 0.001, "*": 2.0, "/x": -1.0}),
        (None, {}),
    ],
)
def test_a_timeout_is_a_number_or_a_map(written: Any, seconds: dict[str, float]) -> None:
    assert node(timeout=written).timeouts == seconds


@pytest.mark.parametrize(
    ("written", "retries"),
    [
        (0, None),
        (-1, None),  # the default of Jina 3
        (3, Retries(times=3, backoff_s=0.1)),
        ({}, Retries(times=3, backoff_s=0.1)),
        ({"times": 0}, None),
        (
            {"times": 2, "on": "builtins.OSError", "backoff": 5},
            Retries(times=2, on=["OSError"], backoff_s=0.005),
        ),
        ({"on": ["my.Error"], "backoff": 0}, Retries(times=3, on=["my.Error"])),
        ({"on": "IOError", "backoff": 0}, Retries(times=3, on=["OSError"])),
    ],
)
def test_retries_are_a_number_or_a_map(written: Any, retries: Retries | None) -> None:
    assert node(retries=written).retries == retries


@pytest.mark.parametrize(
    ("options", "entry", "on_error"),
    [
        ({}, {}, ""),
        ({"on_error": "continue"}, {}, "continue"),
        ({"on_error": "continue"}, {"on_error": "stop"}, "stop"),
        ({"on_error": "continue"}, {"on_error": "split"}, "split"),
        ({"on_error": "continue"}, {"on_error_strategy": "THROW_EARLY"}, "stop"),
        ({"on_error_strategy": "ignore"}, {}, "continue"),
        ({}, {"on_error_strategy": "Ignore"}, "continue"),
        ({}, {"on_error_strategy": "SKIP_HANDLE"}, "stop"),
        ({}, {"on_error": "stop", "on_error_strategy": "IGNORE"}, "stop"),
    ],
)
def test_the_nodes_own_word_counts_then_the_flows(
    options: dict[str, str], entry: dict[str, str], on_error: str
) -> None:
    assert node(options, **entry).on_error == on_error


def test_an_endpoint_of_a_timeout_may_lack_its_slash() -> None:
    assert node(timeout={"x": 300, "*": 5}).timeouts == {"/x": 0.3, "*": 0.005}


def test_heads_and_tails_have_the_nodes_timeout_and_the_flows_on_error() -> None:
    around = {"shards": 2, "polling": "ALL", "uses_before": "Executor", "timeout": {"x": 300}}
    own = {"name": "a", **around, "retries": 2, "on_error": "stop"}
    flow = {"jtype": "Flow", "with": {"on_error": "continue"}, "executors": [own]}
    assert [(n.name, n.timeouts, n.continues, n.retries is None) for n in plan_of(flow).nodes] == [
        ("a/head", {"/x": 0.3}, True, True),
        ("a", {"/x": 0.3}, False, False),
        ("a/tail", {"/x": 0.3}, True, True),
    ]
    flow = {"jtype": "Flow", "executors": [{**around, "on_error": "continue"}]}
    assert [n.continues for n in plan_of(flow).nodes] == [False, True, False]
