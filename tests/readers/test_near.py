"""Which file a misspelt name was meant to be."""

from __future__ import annotations

import pytest

from jina.readers.near import near_file


@pytest.mark.parametrize(
    ("wanted", "names", "near"),
    [
        ("confg.yml", ["config.yml", "flow.yml"], "config.yml"),
        ("dta.jsonl", ["data.jsonl", "more.jsonl"], "data.jsonl"),
        ("mi.yml", ["my.yml"], "my.yml"),
        ("executr.py", ["executor.py"], "executor.py"),
        ("My.yml", ["my.yml"], "my.yml"),
        ("flow.yaml", ["flow.yml"], "flow.yml"),
        ("flow", ["flow.yml"], "flow.yml"),
        # A common ending is no likeness.
        ("foo.yml", ["t.yml", "all.yml", "flow.yml"], ""),
        ("model.yml", ["NoSelf.yml"], ""),
        ("encoder.py", ["vec.py"], ""),
        ("a.yml", ["b.yml"], ""),
        ("data.jsonl", ["x.jsonl"], ""),
        ("x.yml", [], ""),
    ],
)
def test_only_a_near_name_is_offered(wanted: str, names: list[str], near: str) -> None:
    assert near_file(wanted, names) == near
