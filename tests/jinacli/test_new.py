"""`jina executor new` and `jina flow new`: what they write runs as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jinacli.new import TEMPLATES, class_name
from tests.shell import JINA, Shell

COUNTS = {"hamlet": 10, "rose": 8}


def counted(out: str) -> dict[str, int]:
    docs = [json.loads(line) for line in out.splitlines()]
    return {doc["id"]: doc["tags"]["words"] for doc in docs}


def files_of(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_new_executor_passes_the_check_and_runs(shell: Shell) -> None:
    done = shell.call("executor", "new", "my-counter")
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        "wrote my-counter/\n"
        "try:\n"
        "  jina executor check my-counter/config.yml\n"
        "  jina post /count --flow my-counter/flow.yml --inputs my-counter/data.jsonl\n"
    )
    folder = shell.folder / "my-counter"
    assert files_of(folder) == [
        "README.md",
        "config.yml",
        "data.jsonl",
        "executor.py",
        "flow.yml",
        "schema/executor.json",
        "schema/flow.json",
        "test_executor.py",
    ]
    assert "class MyCounter(Executor)" in (folder / "executor.py").read_text()

    done = shell.call("executor", "check", "my-counter/config.yml")
    assert (done.code, done.err) == (0, "no problems in my-counter/config.yml\n")
    assert "MyCounter  /count    MyCounter.count" in done.out
    assert shell.call("flow", "check", "my-counter/flow.yml").code == 0

    flow, inputs = "my-counter/flow.yml", "my-counter/data.jsonl"
    done = shell.fork("post", "/count", "--flow", flow, "--inputs", inputs)
    assert done.code == 0, done.err
    assert counted(done.out) == COUNTS


def run_its_test(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_executor.py"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # it needs none; to load them takes a while
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_test_of_a_new_executor_passes(shell: Shell) -> None:
    assert shell.call("executor", "new", "Mine").code == 0
    assert "1 passed" in run_its_test(shell.folder / "Mine")


@pytest.mark.parametrize(
    ("template", "endpoint", "key"),
    [
        ("encoder", "/encode", "embedding"),
        ("segmenter", "/segment", "chunks"),
        ("ranker", "/rank", "matches"),
    ],
)
def test_every_template_passes_the_check_and_its_test_and_runs(
    shell: Shell, template: str, endpoint: str, key: str
) -> None:
    folder = shell.folder / "mine"
    done = shell.call("executor", "new", "mine", "--template", template)
    assert done.code == 0, done.err
    said = f"jina post {endpoint} --flow mine/flow.yml --inputs mine/data.jsonl"
    assert said in done.err
    for words in ("executor check mine/config.yml", "flow check mine/flow.yml"):
        done = shell.call(*words.split())
        assert (done.code, done.err) == (0, f"no problems in {words.split()[-1]}\n")
    assert "2 passed" in run_its_test(folder)
    words = ("executor", "run", "mine/config.yml", endpoint)
    done = shell.fork(*words, "--inputs", "mine/data.jsonl")
    assert done.code == 0, done.err
    assert all(key in doc for doc in done.lines)
    assert len(done.lines) == len((folder / "data.jsonl").read_text().splitlines())
    assert "MyExecutor" not in "".join(path.read_text() for path in folder.glob("*.*"))


def test_a_new_indexer_keeps_each_document_once(shell: Shell) -> None:
    assert shell.call("executor", "new", "mine", "--template", "indexer").code == 0
    assert shell.call("executor", "check", "mine/config.yml").code == 0
    assert "2 passed" in run_its_test(shell.folder / "mine")
    with shell.up("mine/flow.yml"):
        for _ in range(2):
            done = shell.call("post", "/index", "--inputs", "mine/data.jsonl")
            assert [doc["id"] for doc in done.lines] == ["red", "orange", "blue"]
    query = '{"id": "query", "embedding": [1.0, 0.1, 0.0]}\n'
    done = shell.fork("post", "/search", "--flow", "mine/flow.yml", "-p", "top_k=9", stdin=query)
    assert [match["id"] for match in done.lines[0]["matches"]] == ["red", "orange", "blue"]


def test_the_help_lists_the_templates(shell: Shell) -> None:
    shown = shell.call("executor", "new", "--help").out
    assert all(f"{name} (" in shown for name in TEMPLATES)


def test_a_new_flow_passes_the_check_and_runs(shell: Shell) -> None:
    done = shell.call("flow", "new", "first")
    assert (done.code, done.out) == (0, "")
    assert files_of(shell.folder / "first") == [
        "README.md",
        "count/config.yml",
        "count/executor.py",
        "data.jsonl",
        "flow.yml",
        "schema/executor.json",
        "schema/flow.json",
    ]
    done = shell.call("flow", "check", "first/flow.yml")
    assert (done.code, done.err) == (0, "no problems in first/flow.yml\n")
    assert shell.call("executor", "check", "first/count/config.yml").code == 0

    done = shell.fork("post", "/count", "--flow", "first/flow.yml", "-i", "first/data.jsonl")
    assert done.code == 0, done.err
    assert counted(done.out) == COUNTS
    assert all(json.loads(line)["text"].isupper() for line in done.out.splitlines())


@pytest.mark.parametrize("what", ["executor", "flow"])
def test_editors_find_the_schemas(shell: Shell, what: str) -> None:
    shell.call(what, "new", "first")
    for path in (shell.folder / "first").rglob("*.yml"):
        line = path.read_text().partition("\n")[0]
        schema = line.removeprefix("# yaml-language-server: $schema=")
        kind = "flow" if path.name == "flow.yml" else "executor"
        target = (path.parent / schema).resolve()
        assert target == shell.folder / "first" / "schema" / f"{kind}.json"
        assert target.read_text() == shell.call("schema", kind).out


@pytest.mark.parametrize("what", ["executor", "flow"])
def test_what_exists_is_never_overwritten(shell: Shell, what: str) -> None:
    folder = shell.folder / "Mine"
    folder.mkdir()
    (folder / "config.yml").write_text("precious\n")
    done = shell.call(what, "new", "Mine")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: Mine: already exists; nothing was written\n"
        "help: choose another name, or remove it first\n"
    )
    assert files_of(folder) == ["config.yml"]


def test_the_folder_above_must_exist(shell: Shell) -> None:
    done = shell.call("flow", "new", "a/b")
    assert (done.code, done.err) == (1, "error: a: the folder to write to does not exist\n")
    assert shell.call("flow", "new", str(shell.folder / "b")).code == 0
    assert (shell.folder / "b" / "flow.yml").is_file()


@pytest.mark.parametrize("what", ["executor", "flow"])
@pytest.mark.parametrize(
    ("target", "said"),
    [("/proc/Foo", "cannot be created"), ("file/Foo", "cannot be created: Not a directory")],
)
def test_a_folder_that_takes_none_is_said(shell: Shell, what: str, target: str, said: str) -> None:
    shell.write("file", "")
    done = shell.call(what, "new", target)
    assert (done.code, done.out) == (1, "")
    assert done.err == (f"error: {target}: {said}\nhelp: use a folder that you can write to\n")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("executor new 1st", "'1st' cannot be the name of an Executor; use letters"),
        ("executor new Flow", "'Flow' cannot be the name of an Executor; Flow already has"),
        ("executor new none", "'none' cannot be the name of an Executor; None already has"),
        ("executor new yes", "'yes' cannot be the name of an Executor; Yes already has"),
        ("executor new ..", "'..' cannot be the name of an Executor"),
        ("flow new flow.yml", "'flow.yml' cannot be the name of a Flow's folder; its file will"),
        ("flow new .hidden", "'.hidden' cannot be the name of a Flow; use up to 64"),
    ],
)
def test_a_name_that_cannot_be_is_wrong_usage(shell: Shell, words: str, reason: str) -> None:
    done = shell.call(*words.split(), COLUMNS="200")
    assert done.code == 2
    assert reason in done.err
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["true", "2024", "1e3"])
def test_a_flow_may_have_a_name_that_yaml_reads_as_something_else(shell: Shell, name: str) -> None:
    assert shell.call("flow", "new", name).code == 0
    assert shell.call("flow", "check", f"{name}/flow.yml").code == 0


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("MyEncoder", "MyEncoder"),
        ("my-encoder", "MyEncoder"),
        ("my_text_encoder", "MyTextEncoder"),
        ("encoder2", "Encoder2"),
    ],
)
def test_the_class_of_a_name(name: str, cls: str) -> None:
    assert class_name(name) == cls


@pytest.mark.parametrize("command", ["executor new", "flow new", "schema"])
def test_the_help_shows_an_example(shell: Shell, command: str) -> None:
    done = shell.call(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert f"jina {command}" in done.out.partition("Examples:")[2]


@pytest.mark.parametrize("what", ["executor", "flow"])
def test_of_a_project_that_does_not_fit_on_the_disk_nothing_is_left(
    shell: Shell, what: str
) -> None:
    """A limit on the size of files stands for a full disk: the schemas are larger."""
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 8; exec {JINA} {what} new Half"],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: Half: cannot be written: File too large\n"
    assert not (shell.folder / "Half").exists()


def test_the_examples_of_the_first_help_run_one_after_the_other(shell: Shell) -> None:
    shown = shell.call("--help").out.partition("Examples:")[2].partition("\n\n")[0].strip()
    lines = [line.strip() for line in shown.splitlines()]
    assert len(lines) == 3
    for line in lines:
        command, *words = line.split()
        done = shell.run(*words)
        assert (command, done.code) == ("jina", 0), done.err
    assert len(done.lines) > 1
    assert shell.call("flow", "down", "hello").code == 0
