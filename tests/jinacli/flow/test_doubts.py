"""What is suspicious about a Flow is told where it starts, as `check` tells it: each thing once."""

from __future__ import annotations

import json
import re

import pytest

from tests.shell import Shell

EXECUTOR = """
from jina import Executor, requests

class Upper(Executor):
    def __init__(self, suffix: str = "!", **kwargs):
        super().__init__(**kwargs)
        self.suffix = suffix

    @requests(on="/up")
    def up(self, docs, **kwargs):
        for doc in docs or ():
            doc.text = doc.text.upper() + self.suffix
"""
FLOW = """jtype: Flow
with: {protocol: grpc}
executors:
  - name: up
    uses: {jtype: Upper, py_modules: [upper.py]}
    uses_with: {sufix: "?"}
    replicas: 2
"""
PLACES = ["flow.yml:2:8: warning[ignored-key]", "flow.yml:6:17: warning[unknown-argument]"]


@pytest.fixture(name="doubtful")
def doubtful_flow(shell: Shell) -> Shell:
    shell.write("upper.py", EXECUTOR)
    shell.write("flow.yml", FLOW)
    return shell


def heads(text: str) -> list[str]:
    return sorted(re.findall(r"^\S+: (?:warning|error)\[[a-z-]+\]", text, re.MULTILINE))


def test_post_and_up_show_what_check_shows(doubtful: Shell) -> None:
    checked = doubtful.call("flow", "check", "flow.yml")
    assert (checked.code, heads(checked.out)) == (0, PLACES)
    done = doubtful.fork("post", "/up", "--text", "x", "--flow", "flow.yml")
    assert (done.code, heads(done.err)) == (0, PLACES)
    assert [line["text"] for line in done.lines] == ["X!"]
    assert "6 |     uses_with: {sufix" in done.err
    assert "help: did you mean `suffix`?" in done.err
    up = doubtful.fork("flow", "up", "flow.yml", "--detach")
    assert (up.code, heads(up.err)) == (0, PLACES)
    assert doubtful.call("flow", "down").code == 0
    planned = doubtful.call("flow", "up", "flow.yml", "--dry-run")  # which imports no class
    assert (planned.code, heads(planned.err)) == (0, PLACES[:1])
    quiet = doubtful.fork("post", "/up", "--text", "x", "--flow", "flow.yml", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")


def test_strict_makes_them_errors(doubtful: Shell) -> None:
    for command in (
        ("post", "/up", "--text", "x", "--flow", "flow.yml", "--strict"),
        ("flow", "up", "flow.yml", "--strict"),
    ):
        done = doubtful.fork(*command)
        assert (done.code, done.out, heads(done.err)) == (2, "", PLACES), command
    assert not doubtful.directories()
    needs = doubtful.call("post", "/up", "--text", "x", "--strict")
    assert needs.code == 2
    assert "--strict" in needs.err


def test_check_exits_as_it_is_told(doubtful: Shell) -> None:
    assert doubtful.call("flow", "check", "flow.yml", "--error-on-warning").code == 1
    assert doubtful.call("flow", "check", "flow.yml", "--error-on-warning", "--exit-zero").code == 0
    doubtful.write("bad.yml", "jtype: Flow\nexecutors: [{name: a, nedds: b}]\n")
    assert doubtful.call("flow", "check", "bad.yml").code == 1
    assert doubtful.call("flow", "check", "bad.yml", "--exit-zero").code == 0
    assert doubtful.call("flow", "check", "none.yml", "--exit-zero").code == 2


def test_sarif(doubtful: Shell) -> None:
    done = doubtful.call("flow", "check", "flow.yml", "--output-format", "sarif")
    found = json.loads(done.out)
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "ignored-key",
        "unknown-argument",
    ]
    assert [
        (result["level"], result["locations"][0]["physicalLocation"]["region"]["startLine"])
        for result in run["results"]
    ] == [("warning", 2), ("warning", 6)]
