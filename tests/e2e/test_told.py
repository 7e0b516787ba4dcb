"""What a Flow tells of itself: to sessions, and to `jina flow endpoints`."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina.client.session import Session
from tests.polling import wait_until
from tests.shell import Shell

EXECUTOR = '''
from jina import Executor, requests


class Finder(Executor):
    @requests(on="/search")
    def search(self, docs, parameters, **kwargs):
        """Find the nearest Documents.

        Each gets its matches.
        """
        limit = int(parameters.get("top_k", 10))
        return docs[:limit] if parameters["key"] else None

    @requests(on="/status", once=True)
    def status(self, **kwargs):
        pass
'''

SEARCH = {
    "path": "/search",
    "method": "search",
    "doc": "Find the nearest Documents.\n\nEach gets its matches.",
    "once": False,
    "parameters": [
        {"name": "top_k", "default": 10, "type": "int", "is_required": False},
        {"name": "key", "type": "", "is_required": True},
    ],
}
STATUS = {"path": "/status", "method": "status", "doc": "", "once": True, "parameters": []}


@pytest.fixture(scope="module")
def module_shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("told")
    (folder / "finder.py").write_text(EXECUTOR)
    (folder / "flow.yml").write_text(
        "jtype: Flow\nexecutors:\n"
        "  - {name: finder, uses: finder.py:Finder, shards: 2, polling: ALL,\n"
        "     uses_metas: {name: nearest, description: Finds what is near.}}\n"
    )
    return Shell(folder, folder / "run")


@pytest.fixture(scope="module")
def shell(module_shell: Shell) -> Iterator[Shell]:
    """With a Flow that is up."""
    with module_shell.up("flow.yml"):
        yield module_shell


def session(shell: Shell) -> Session:
    return Session(shell.ps()[0]["addresses"][0])


def restarts(asked: Session) -> dict[str, int]:
    return {node["name"]: node["restarts"] for node in asked.status()["nodes"]}


def test_endpoints_of_a_running_flow(shell: Shell) -> None:
    done = shell.call("flow", "endpoints", "flow", COLUMNS="200")
    assert done.code == 0, done.err
    assert done.out == (
        "ENDPOINT  EXECUTOR  METHOD         WRITTEN AT\n"
        "/search   finder    Finder.search  finder.py:7\n"
        "    Find the nearest Documents.\n"
        "    parameters: top_k: int = 10, key (required)\n"
        "/status   finder    Finder.status  finder.py:16\n"
        "\n"
        "finder: Finds what is near.\n"
    )
    # Of the file, which is read by another process, the same is told.
    assert shell.call("flow", "endpoints", "flow.yml").out == done.out
    running = json.loads(shell.call("flow", "endpoints", "flow", "--json").out)
    written = json.loads(shell.call("flow", "endpoints", "flow.yml", "--json").out)
    assert running["endpoints"] == written["endpoints"]
    assert running["endpoints"][0]["parameters"] == SEARCH["parameters"]
    (node,) = running["nodes"]
    assert (node["title"], node["shards"]) == ("nearest", 2)


def test_a_gateway_that_takes_the_place_of_another_tells_the_same(shell: Shell) -> None:
    expected: dict[str, Any] = {
        **{"name": "finder", "needs": ["gateway"], "replicas": 1, "shards": 2},
        **{"is_floating": False, "executor": "Finder", "title": "nearest"},
        **{"description": "Finds what is near.", "endpoints": [SEARCH, STATUS]},
    }
    with session(shell) as asked:
        assert asked.description() == {"flow": "flow", "nodes": [expected]}
        assert restarts(asked) == {"finder": 0, "finder/tail": 0}
    for pid in shell.workers().values():
        os.kill(pid, signal.SIGKILL)
    counted = {"finder": 2, "finder/tail": 1}
    with session(shell) as asked:
        wait_until(lambda: restarts(asked) == counted)
    gateway = shell.gateway()
    os.kill(gateway, signal.SIGKILL)
    with session(shell) as asked:
        wait_until(lambda: {gateway} != {*shell.processes("jina.runtime.gateway")} != set())
        wait_until(lambda: asked.description()["nodes"] == [expected])
        assert restarts(asked) == counted
    told = json.loads(shell.call("flow", "status", "--json").out)["workers"]
    assert sum(worker["restarts"] for worker in told) == 3


def test_a_flow_whose_executor_has_no_source(shell: Shell, tmp_path: Path) -> None:
    """It serves all the same, and what needs no source is told."""
    other = Shell(tmp_path, tmp_path / "run")
    other.write("made.py", f"exec({EXECUTOR!r})\nFinder.__module__ = __name__\n")
    other.write("flow.yml", "jtype: Flow\nexecutors: [{name: made, uses: made.py:Finder}]\n")
    with other.up("flow.yml"), session(other) as asked:
        (node,) = asked.description()["nodes"]
        assert [each["doc"] for each in node["endpoints"]] == [SEARCH["doc"], ""]
        assert [each["parameters"] for each in node["endpoints"]] == [[], []]
