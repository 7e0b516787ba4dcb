"""What is laid over a Flow's YAML on the command line, and the commands that show what it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.shell import Shell

EXECUTOR = """
from jina import Executor, requests

class Mark(Executor):
    def __init__(self, mark: str = "!", **kwargs):
        super().__init__(**kwargs)
        self.mark = mark

    @requests(on="/mark")
    def up(self, docs, **kwargs):
        for doc in docs or ():
            doc.text += self.mark
"""
BASE = """jtype: Flow
executors:
  - name: mark
    uses: {jtype: Mark, py_modules: [mark.py]}
    uses_with: {mark: "${MARK}", api_key: "${TOKEN:-none}"}
"""
OVER = "executors: [{name: mark, replicas: 2}]\n"


@pytest.fixture(name="files")
def some_files(shell: Shell) -> Shell:
    shell.write(
        "mark.py",
        EXECUTOR.replace("**kwargs):\n        super", "api_key='', **kwargs):\n        super"),
    )
    shell.write("flow.yml", BASE)
    shell.write("prod.yml", OVER)
    shell.write("my.env", "MARK=?\n")
    return shell


def test_a_flow_of_two_files_is_started_changed_and_compared(files: Shell) -> None:
    given = ("-f", "flow.yml", "-f", "prod.yml", "--env-file", "my.env")
    up = files.fork("flow", "up", *given, "--set", "executors.mark.with.api_key=x1", "--wait", "-q")
    assert (up.code, up.err) == (0, "")
    (line,) = files.call("post", "/mark", "--text", "a").lines
    assert line["text"] == "a?"
    same = files.call("flow", "diff")
    assert (same.code, same.out) == (0, "")
    other = files.call("flow", "diff", *given)
    assert (other.code, other.out) == (1, "~ mark: with.api_key: ******** -> ********\n")
    files.write("my.env", "MARK=+\n")
    stale = files.call("post", "/mark", "--text", "a")
    assert "note: my.env changed since" in stale.err
    assert "jina flow restart" in stale.err
    assert "my.env changed" in files.call("flow", "ps").err
    assert files.call("flow", "restart", "-q").code == 0
    fresh = files.call("post", "/mark", "--text", "a")
    assert [line["text"] for line in fresh.lines] == ["a+"]
    assert "changed" not in fresh.err
    listed = json.loads(files.call("flow", "endpoints", "flow", "--json").out)
    assert listed["endpoints"] == [
        {
            **{"endpoint": "/mark", "executor": "mark", "method": "Mark.up", "place": "mark.py:10"},
            **{"doc": "", "parameters": [], "about": ""},
        }
    ]
    assert files.call("flow", "down").code == 0
    assert files.call("flow", "diff").code == 2


def test_config_says_what_is_meant_and_whence(files: Shell) -> None:
    given = ("-f", "flow.yml", "-f", "prod.yml", "--set", "with.timeout_ready=5000")
    shown = files.call("flow", "config", *given, "--show-sources", MARK="#")
    assert shown.code == 0, shown.err
    for line in (
        "      mark: '#'  # flow.yml:5:23",
        "      api_key: '********'  # flow.yml:5:43",
        "  replicas: 2  # prod.yml:1:36",
        "  shards: 1  # default",
        "  timeout_ready: 5000  # --set:1:20",
    ):
        assert line in shown.out.splitlines(), shown.out
    again = files.write(
        "again.yml", files.call("flow", "config", *given, "--show-secrets", MARK="#").out
    )
    assert files.call("flow", "check", again).code == 0
    raw = files.call("flow", "config", "--no-interpolate")
    assert "mark: ${MARK}" in raw.out
    listed = json.loads(
        files.call("flow", "config", "--variables", "--format", "json", MARK="#", TOKEN="t").out
    )
    assert [(use["name"], use["value"], use["source"]) for use in listed["variables"]] == [
        ("MARK", "#", "shell"),
        ("TOKEN", "********", "shell"),
    ]
    unset = files.call("flow", "config", "-q")
    assert (unset.code, unset.out) == (2, "")
    assert unset.err.startswith("flow.yml:5:24: error[unset-variable]")


def test_what_would_be_started_is_printed_and_nothing_is(files: Shell) -> None:
    given = ("-f", "flow.yml", "-f", "prod.yml", "--env-file", "my.env")
    plan = json.loads(files.call("flow", "up", *given, "--dry-run", "--json").out)
    assert [process["name"] for process in plan["processes"]] == ["gateway", "mark/0", "mark/1"]
    assert plan["addresses"][0].startswith(f"ipc://{files.run_dir}/flow-")
    text = files.call("flow", "up", *given, "--dry-run", "--port", "5555")
    assert "tcp://127.0.0.1:5555" in text.out
    assert not files.directories()
    wrong = files.call("flow", "up", *given, "--set", "executors.mark.repicas=2", "--dry-run")
    assert wrong.code == 2
    assert wrong.err.startswith("--set:1:16: error[unknown-key]: `repicas`")
    none = files.call("flow", "up", "--env-file", "none.env")
    assert none.code == 2
    assert "none.env" in none.err


def test_a_start_that_takes_too_long_is_given_up(shell: Shell) -> None:
    shell.write("slow.py", EXECUTOR.replace("self.mark = mark", "__import__('time').sleep(999)"))
    shell.write(
        "flow.yml",
        "jtype: Flow\nexecutors: [{name: mark, uses: {jtype: Mark, py_modules: [slow.py]}}]\n",
    )
    done = shell.fork("flow", "up", "--wait", "--timeout", "2s")
    assert done.code == 124
    said = "the Flow was not ready after 2 s; it was stopped; still loading: mark/0\n"
    assert done.err.endswith(said)
    wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")
    (run,) = json.loads(shell.call("flow", "list", "--json").out)["runs"]
    told = "the command that started it gave up before it was ready"
    assert (run["state"], run["reason"]) == ("stopped", told)


def test_the_flow_of_the_folder_is_meant(shell: Shell, tmp_path: Path) -> None:
    shell.write("mark.py", EXECUTOR)
    uses = "uses: {jtype: Mark, py_modules: [mark.py]}"
    text = "jtype: Flow\nexecutors: [{name: mark, %s, uses_with: {mark: %s}}]\n"
    shell.write("other.yml", text % (uses, "other"))
    shell.write("flow.yaml", text % (uses, "here"))
    shell.write("jina.yml", text % (uses, "unused"))
    assert shell.fork("flow", "up", "other.yml", "-d", "-q").code == 0
    up = shell.fork("flow", "up", "-d")
    assert (up.code, up.err.splitlines()[0]) == (0, "using flow.yaml; there is also jina.yml")
    posted = shell.call("post", "/mark", "--text", "a")
    assert [line["text"] for line in posted.lines] == ["ahere"]
    assert posted.err.startswith("using flow.yaml; there is also jina.yml\n")
    named = shell.call("post", "/mark", "--text", "a", JINA_FLOW="other")
    assert [line["text"] for line in named.lines] == ["aother"]
    assert "using" not in named.err
    assert "mark" in shell.call("flow", "plot").out
    assert shell.call("flow", "scale", "mark=2").code == 0
    assert shell.call("flow", "down").code == 0
    assert [
        flow["name"] for flow in json.loads(shell.call("flow", "ps", "--json").out)["flows"]
    ] == ["other"]
    home, shell.folder = shell.folder, shell.folder / "project"
    shell.folder.mkdir()
    shell.write("flow.yml", "executors: []\n")
    elsewhere = shell.call("post", "/mark", "--text", "a")
    assert elsewhere.code == 0
    assert 'note: using the Flow "other" of ' in elsewhere.err
    assert "; flow.yml is not running\n" in elsewhere.err
    shell.folder = home
    assert shell.call("flow", "down", "--all").code == 0
    for name in ("flow.yaml", "jina.yml"):
        (shell.folder / name).unlink()
    none = shell.call("flow", "check")
    assert none.code == 2
    assert "flow.yml, flow.yaml or jina.yml" in none.err.replace("\n", " ").replace("│ ", "")
