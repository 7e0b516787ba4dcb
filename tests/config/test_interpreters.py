"""`python` and `venv` of an executor: which interpreter is meant, and what is wrong with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from jina import Executor, Flow
from jina.config import load_flow
from jina.excepts import ConfigError
from jina.graph.planning import plan_of


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an environment, and with an interpreter on $PATH."""
    (tmp_path / "gone" / "bin").mkdir(parents=True)
    (tmp_path / "gone" / "bin" / "python").symlink_to(tmp_path / "python0")
    for folder in ("env", "bare", "tools"):
        (tmp_path / folder / "bin").mkdir(parents=True)
    for program in ("env/bin/python", "tools/python9"):
        os.symlink(sys.executable, tmp_path / program)
    (tmp_path / "text").write_text("no program")
    (tmp_path / "sub").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def written(folder: Path, keys: str, more: str = "") -> Path:
    path = folder / "sub" / "flow.yml"
    path.write_text(f"executors:\n  - name: a\n    {keys}\n{more}")
    return path


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ("venv: ../env", "env/bin/python"),
        ("venv: ~/env", "env/bin/python"),
        ("python: ../env/bin/python", "env/bin/python"),
        ("python: ~/env/bin/python", "env/bin/python"),
        ("python: python9", "tools/python9"),
        ("python: ''", ""),
        ("venv: ''", ""),
        ("replicas: 2", ""),
    ],
)
def test_which_interpreter_is_meant(here: Path, keys: str, path: str) -> None:
    (node,) = load_flow(written(here, keys)).executors
    assert node.python == (str(here / path) if path else "")


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        (
            "venv: ../none",
            "there is no virtual environment at {here}/none",
            "make it: `jina executor install --venv {here}/none`",
        ),
        (
            "venv: flow.yml",
            "{here}/sub/flow.yml is a file, not a virtual environment",
            "name the folder",
        ),
        (
            "venv: ../bare",
            "{here}/bare is not a virtual environment: it has no bin/python",
            "name its folder, the one that has `bin/python` in it",
        ),
        (
            "venv: ../gone",
            "{here}/gone/bin/python is a link to an interpreter that is gone: {here}/python0",
            "remove {here}/gone, and make it again: `jina executor install --venv {here}/gone`",
        ),
        (
            "python: ../none/python",
            "no interpreter at {here}/none/python",
            "paths are relative to the folder of the YAML file",
        ),
        ("python: python10", "no interpreter 'python10' on $PATH", "give its path"),
        ("python: ../env", "{here}/env is a folder, not an interpreter", "write `venv: ../env`"),
        ("python: ../text", "{here}/text cannot be executed", ""),
        (
            "{{venv: ../env, python: python9}}",
            "`python` and `venv` both choose the interpreter",
            "keep one",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_key(here: Path, keys: str, message: str, hint: str) -> None:
    key = keys.strip("{").partition(":")[0]
    if keys.startswith("{"):
        keys = keys.strip("{}").replace(", ", "\n    ")
        key = "python"
    with pytest.raises(ConfigError) as raised:
        load_flow(written(here, keys))
    (problem,) = raised.value.problems
    assert problem.message == message.format(here=here)
    assert problem.hint == hint.format(here=here)
    assert problem.source_line.strip().startswith(key)


def test_the_command_that_makes_it_names_the_executor(here: Path) -> None:
    keys = "venv: envs/my env\n    uses: catalogue://UpperCase"
    with pytest.raises(ConfigError) as raised:
        load_flow(written(here, keys))
    (problem,) = raised.value.problems
    folder = here / "sub" / "envs" / "my env"
    assert problem.hint == (
        f"make it: `jina executor install catalogue://UpperCase --venv '{folder}'`"
    )


def test_a_dotted_module_may_be_installed_there_alone(here: Path) -> None:
    keys = "uses: only_there.module:Mine"
    (node,) = load_flow(written(here, f"{keys}\n    venv: ../env")).executors
    assert node.executor.jtype == "only_there.module:Mine"
    with pytest.raises(ConfigError, match="no module named 'only_there"):
        load_flow(written(here, keys))


def test_head_and_tail_run_where_the_flow_does(here: Path) -> None:
    keys = "venv: ../env\n    shards: 2\n    polling: ALL\n    uses_before: BaseExecutor"
    plan = plan_of(written(here, keys))
    python = str(here / "env/bin/python")
    pythons = {spec.name: spec.python for spec in plan.workers}
    assert pythons == {
        "a/head": "",
        "a/shard-0/0": python,
        "a/shard-1/0": python,
        "a/tail": "",
    }
    places = {spec.python_place for spec in plan.workers}
    assert places == {"", f"{here}/sub/flow.yml:3:11"}


class Live(Executor):
    """A class of this process."""


def test_a_class_of_this_process_is_not_sent_to_another_interpreter(here: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        Flow().add(name="a", uses=Live, venv=str(here / "env")).plan()
    (problem,) = raised.value.problems
    assert problem.code == "class-not-sendable"
    assert problem.message == (
        f"the class Live is one of this process; it cannot be sent to {here}/env/bin/python"
    )
    assert problem.hint == (
        "name its file, as in `uses: my_file.py:Live`, so that it is imported there"
    )
    # The interpreter that runs the Flow takes it.
    plan = Flow().add(name="a", uses=Live, python=sys.executable).plan()
    assert plan.workers[0].executor.live


def test_a_saved_flow_means_the_same_from_elsewhere(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    flow = Flow().add(name="a", venv="env").add(name="b", python="python9")
    flow.save_config(str(here / "sub" / "saved.yml"))
    first, second = load_flow(here / "sub" / "saved.yml").executors
    assert first.python == str(here / "env/bin/python")
    assert "python: python9\n" in (here / "sub" / "saved.yml").read_text()
    assert second.python == str(here / "tools/python9")
