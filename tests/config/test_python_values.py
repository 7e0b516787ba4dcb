"""What a Python program may give where YAML has a word, a name or a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina import Flow
from jina.enums import FlowInspectType, OnErrorStrategy, PollingType
from jina.excepts import ConfigError


class Busy(Exception):
    """Stands in a module."""


def test_members_of_jinas_enumerations_are_their_names(tmp_path: Path) -> None:
    flow = (
        Flow(on_error_strategy=OnErrorStrategy.IGNORE, inspect=FlowInspectType.COLLECT)
        .add(name="a", polling=PollingType.ALL, shards=2)
        .add(name="b", polling={"/x": PollingType.ALL_ASYNC, "*": PollingType.ANY}, shards=2)
        .add(name="c", on_error_strategy=OnErrorStrategy.SKIP_HANDLE)
    )
    assert [node.polling for _, node in flow] == [
        {"*": "ALL"},
        {"/x": "ALL", "*": "ANY"},
        {},
    ]
    assert [node.continues for _, node in flow] == [True, True, False]
    assert Flow.load_config(flow.save_config(tmp_path / "f.yml")) == flow


def test_a_member_that_means_nothing_is_told_by_its_name() -> None:
    with pytest.raises(ConfigError, match="`polling` is the text 'REMOVE'; expected ANY, ALL"):
        Flow().add(shards=2, polling=FlowInspectType.REMOVE)


def test_retries_may_name_the_classes_themselves(tmp_path: Path) -> None:
    class Local(Exception): ...

    flow = (
        Flow()
        .add(name="a", retries={"on": [ConnectionError, Busy, Local, "my.Error"]})
        .add(name="b", retries={"on": OSError})
        .add(name="c", retries={"on": (OSError,)})
    )
    found = [node.retries.on if node.retries else None for _, node in flow]
    names = ["ConnectionError", f"{__name__}.Busy", "Local", "my.Error"]
    assert found == [names, ["OSError"], ["OSError"]]
    assert Flow.load_config(flow.save_config(tmp_path / "f.yml")) == flow
    with pytest.raises(ConfigError, match="that is not an exception class"):
        Flow().add(retries={"on": [int]})
