"""Several files as one Flow, and single values over them: the rules, frozen in a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina.config.flows import flow_tree, read_flow
from jina.config.load_state import LoadOptions

BASE = """jtype: Flow
with: {workspace: data, env: {A: "1", B: "2"}}
executors:
  - name: encoder
    uses: BaseExecutor
    uses_with: {batch: 8, model: small, sizes: [1, 2]}
    replicas: 2
    needs: [gateway]
  - name: in.dex
    uses: BaseExecutor
  - uses: BaseExecutor
"""

# What is laid over the base: files, then settings; and what becomes of which value.
TABLE: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
    (
        "a scalar is replaced",
        ["executors: [{name: encoder, replicas: 3}]"],
        [],
        {"executors.0.replicas": 3, "executors.0.uses_with.batch": 8},
    ),
    (
        "maps are merged",
        ["with: {env: {B: '3', C: '4'}}"],
        [],
        {"with.env": {"A": "1", "B": "3", "C": "4"}, "with.workspace": "data"},
    ),
    (
        "lists are replaced",
        ["executors: [{name: encoder, uses_with: {sizes: [9]}}]"],
        [],
        {"executors.0.uses_with.sizes": [9], "executors.0.uses_with.model": "small"},
    ),
    (
        "executors are merged by name",
        ["executors: [{name: in.dex, replicas: 4}]"],
        [],
        {"executors.0.replicas": 2, "executors.1.replicas": 4},
    ),
    (
        "an unnamed one has its default name",
        ["executors: [{name: executor2, replicas: 5}]"],
        [],
        {"executors.2.replicas": 5},
    ),
    (
        "a new one comes last",
        ["executors: [{name: new, uses: BaseExecutor}]"],
        [],
        {"executors.3.name": "new"},
    ),
    (
        "pods are executors",
        ["pods: [{name: encoder, replicas: 3}]"],
        [],
        {"executors.0.replicas": 3},
    ),
    (
        "null is a value",
        ["executors: [{name: encoder, uses_with: null}]"],
        [],
        {"executors.0.uses_with": None},
    ),
    ("the right-most file wins", ["name: one", "name: two"], [], {"name": "two"}),
    ("an empty file changes nothing", [""], [], {"executors.0.replicas": 2}),
    (
        "a setting wins over files",
        ["executors: [{name: encoder, replicas: 3}]"],
        ["executors.encoder.replicas=4"],
        {"executors.0.replicas": 4},
    ),
    ("the last setting wins", [], ["name=a", "name=b"], {"name": "b"}),
    (
        "with is what the constructor takes",
        [],
        ["executors.encoder.with.batch=32"],
        {"executors.0.uses_with.batch": 32, "executors.0.uses_with.model": "small"},
    ),
    (
        "maps are made",
        [],
        ["executors.in.dex.with.a.b=1"],
        {"executors.1.uses_with": {"a": {"b": 1}}},
    ),
    (
        "by number",
        [],
        ["executors[0].replicas=6", "executors.1.replicas=7"],
        {"executors.0.replicas": 6, "executors.1.replicas": 7},
    ),
    (
        "a place in a list",
        [],
        ["executors.encoder.with.sizes[1]=5"],
        {"executors.0.uses_with.sizes": [1, 5]},
    ),
    (
        "a key with dots",
        [],
        ['executors.encoder.with."a.b"=1'],
        {"executors.0.uses_with.a.b": None},
    ),
    (
        "scalars of ours",
        [],
        ["with.env.T=true", "with.env.N=017", 'with.env.Q="1"', "with.env.X=yes"],
        {"with.env.T": True, "with.env.N": "017", "with.env.Q": "1", "with.env.X": True},
    ),
    (
        "lists and maps",
        [],
        ["executors.encoder.with.sizes=[3, 4]"],
        {"executors.0.uses_with.sizes": [3, 4]},
    ),
    (
        "nothing is null",
        [],
        ["executors.encoder.with.model="],
        {"executors.0.uses_with.model": None},
    ),
    (
        "variables in files, none in settings",
        ["name: ${NAME}"],
        ["with.env.A=${NAME}"],
        {"name": "mine", "with.env.A": "${NAME}"},
    ),
    ("an equals sign in the value", [], ["with.env.A=b=c"], {"with.env.A": "b=c"}),
]


def loaded(tmp_path: Path, files: list[str], settings: list[str]) -> Any:
    base = tmp_path / "flow.yml"
    base.write_text(BASE)
    overlays = []
    for n, text in enumerate(files):
        overlays.append(tmp_path / f"over{n}.yml")
        overlays[-1].write_text(text)
    options = LoadOptions(overlays=overlays, settings=settings, env={"NAME": "mine"})
    return base, options


def at(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data[int(step)] if isinstance(data, list) else data.get(step)
        if data is None:
            return None
    return data


@pytest.mark.parametrize(
    ("files", "settings", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_rules(
    tmp_path: Path, files: list[str], settings: list[str], wanted: dict[str, Any]
) -> None:
    base, options = loaded(tmp_path, files, settings)
    data = flow_tree(base, options).data
    assert {path: at(data, path) for path in wanted} == wanted


def test_a_quoted_key_is_one_key(tmp_path: Path) -> None:
    base, options = loaded(tmp_path, [], ['executors.encoder.with."a.b"=1'])
    assert flow_tree(base, options).data["executors"][0]["uses_with"]["a.b"] == 1


@pytest.mark.parametrize(
    ("files", "settings", "place", "code"),
    [
        (["executors:\n  - name: encoder\n    replicas: many"], [], "over0.yml:3:15", "wrong-type"),
        (["executors:\n  - {name: encoder, nedds: a}"], [], "over0.yml:2:21", "unknown-key"),
        (["executors: [{replicas: 2}]"], [], "over0.yml:1:13", "overlay-without-name"),
        (["[1]"], [], "over0.yml:1:1", "wrong-type"),
        (["a: [", "name: x"], [], "over0.yml:1:4", "yaml-syntax"),
        (["name: ${UNSET}"], [], "over0.yml:1:7", "unset-variable"),
        (
            ["executors: [{name: encoder, replicas: 3}]"],
            ["executors.encoder.nedds=a"],
            "--set:1:19",
            "unknown-key",
        ),
        ([], ["name=x", "executors.encoder.replicas=many"], "--set:2:28", "wrong-type"),
        ([], ["executors.encodre.replicas=1"], "--set:1:11", "bad-set"),
        ([], ["executors.encoder.replicas.x=1"], "--set:1:28", "bad-set"),
        ([], ["executors.encoder"], "--set:1:1", "bad-set"),
        ([], ["executors.encoder.with.sizes[7]=1"], "--set:1:29", "bad-set"),
        ([], ["executors..replicas=1"], "--set:1:11", "bad-set"),
        ([], ["executors.encoder.with.batch=[1"], "--set:1:30", "yaml-syntax"),
    ],
)
def test_what_is_wrong_is_said_at_its_own_place(
    tmp_path: Path, files: list[str], settings: list[str], place: str, code: str
) -> None:
    base, options = loaded(tmp_path, files, settings)
    found = [(Path(p.place).name, p.code) for p in read_flow(base, options).problems]
    assert (place, code) in found, found
    assert len([each for each in found if each[1] == code]) == 1


def test_paths_lead_from_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "over").mkdir()
    base, over = tmp_path / "base" / "flow.yml", tmp_path / "over" / "prod.yml"
    base.write_text("jtype: Flow\nexecutors: [{name: a, uses: BaseExecutor}]\n")
    over.write_text("executors: [{name: a, uses: mine.yml}]\n")
    (tmp_path / "base" / "mine.yml").write_text("jtype: BaseExecutor\n")
    config = read_flow(base, LoadOptions(overlays=[over])).config
    assert config is not None
    assert [file.name for file in config.files] == ["flow.yml", "prod.yml", "mine.yml"]


def test_the_environment_wins_over_its_file_and_that_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=dot\nB=dot\nC=dot\n")
    (tmp_path / "more.env").write_text("A=more\nB=more\n")
    base = tmp_path / "flow.yml"
    base.write_text("jtype: Flow\nwith: {env: {A: $A, B: $B, C: $C}}\nexecutors: [{name: a}]\n")
    options = LoadOptions(env_file=tmp_path / "more.env", env={"A": "shell"})
    assert flow_tree(base, options).data["with"]["env"] == {"A": "shell", "B": "more", "C": "dot"}


def test_a_missing_overlay(tmp_path: Path) -> None:
    base, _ = loaded(tmp_path, [], [])
    found = read_flow(base, LoadOptions(overlays=[tmp_path / "none.yml"]))
    assert found.config is None
    assert "no such file" in found.problems[0].message
