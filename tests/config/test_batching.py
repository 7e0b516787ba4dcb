"""Dynamic batching in YAML: where it may stand, and which place wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina import Flow
from jina.check import check_flow
from jina.config.executors import load_executor
from jina.config.flows import load_flow
from jina.excepts import ConfigError

EXECUTOR = """
jtype: BaseExecutor
dynamic_batching: {/a: {preferred_batch_size: 8, timeout: 10}, /b: }
uses_dynamic_batching: {a: {timeout: 20}}
"""


def settings(folder: Path, entry: str) -> dict[str, dict[str, Any]]:
    """Of the only executor of a Flow."""
    (folder / "flow.yml").write_text(f"jtype: Flow\nexecutors:\n  - {entry}\n")
    (node,) = load_flow(folder / "flow.yml").executors
    return node.executor.dynamic_batching


def test_the_flow_wins_over_the_executors_yaml_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "my.yml").write_text(EXECUTOR)
    assert load_executor(tmp_path / "my.yml").spec.dynamic_batching == {
        "/a": {"preferred_batch_size": 8, "timeout": 20},
        "/b": {},
    }
    more = "uses_dynamic_batching: {/a: {flush_all: true}, /c: {timeout: 1.5}}"
    assert settings(tmp_path, f"{{uses: my.yml, {more}}}") == {
        "/a": {"preferred_batch_size": 8, "timeout": 20, "flush_all": True},
        "/b": {},
        "/c": {"timeout": 1.5},
    }


def test_it_may_stand_in_an_inline_executor_and_may_be_empty(tmp_path: Path) -> None:
    inline = "uses: {jtype: BaseExecutor, dynamic_batching: {/a: {timeout: 0}}}"
    assert settings(tmp_path, f"{{{inline}}}") == {"/a": {"timeout": 0}}
    assert settings(tmp_path, "{uses_dynamic_batching: }") == {}


def test_variables_stand_for_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "16")
    entry = "{uses_dynamic_batching: {/a: {preferred_batch_size: $SIZE}}}"
    assert settings(tmp_path, entry) == {"/a": {"preferred_batch_size": 16}}


def test_flow_add_takes_it() -> None:
    flow = Flow().add(uses_dynamic_batching={"/a": {"preferred_batch_size": 2}})
    (worker,) = flow.plan().workers
    assert worker.executor.dynamic_batching == {"/a": {"preferred_batch_size": 2}}
    with pytest.raises(ConfigError, match="did you mean `flush_all`"):
        flow.add(uses_dynamic_batching={"/a": {"flush_al": True}})


def test_a_custom_metric_is_listed_and_left_out(tmp_path: Path) -> None:
    entry = "{uses_dynamic_batching: {/a: {timeout: 1, custom_metric: len}}}"
    assert settings(tmp_path, entry) == {"/a": {"timeout": 1}}
    (warning,) = check_flow(tmp_path / "flow.yml", no_import=True).problems
    assert warning.message == "`custom_metric` has no effect here; it is ignored"
