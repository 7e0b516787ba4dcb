"""Shards of real processes: who gets a request, and what becomes of their results."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from jina import Client, Document
from tests.polling import wait_until
from tests.shell import ZOO, Running, Shell

FLOW = f"""\
jtype: Flow
with: {{env: {{ZOO: flow}}}}
executors:
  - name: part
    uses: &shard {{jtype: Shard, py_modules: [{ZOO}]}}
    uses_before: {{jtype: Upper, py_modules: [{ZOO}]}}
    shards: 3
    polling: All
    workspace: w
    env: {{ZOO: node}}
  - name: apart
    uses: *shard
    parallel: 2
    polling: {{'*': ALL_ASYNC}}
    disable_reduce: true
  - name: sized
    uses: *shard
    shards: 2
    polling: {{parts: all}}
    uses_after: {{jtype: Sizes, py_modules: [{ZOO}]}}
    env: {{ZOO: node}}
  - name: many
    uses: *shard
    shards: 2
    replicas: 2
    polling: {{/index: ALL}}
"""

MANY = {f"many/shard-{shard}/{replica}" for shard in range(2) for replica in range(2)}


@pytest.fixture(scope="module")
def up(shared_shell: Shell) -> Iterator[Running]:
    shared_shell.write("flow.yml", FLOW)
    with shared_shell.up("flow.yml") as running:
        yield running


def post(shell: Shell, node: str, endpoint: str, stdin: str | None = None) -> list[dict[str, Any]]:
    """The outcomes of a post to one node."""
    options = () if stdin is not None else ("--text", "x")
    done = shell.call("post", endpoint, "--target", f"{node}$", "--quiet", *options, stdin=stdin)
    assert done.code in (0, 3), done.err
    return done.lines


def lines(*texts: str) -> str:
    return "".join(json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts))


def test_all_shards_get_a_request_and_their_results_become_one(
    shared_shell: Shell, up: Running
) -> None:
    found = post(shared_shell, "part", "/parts", lines("a", "b"))
    assert [doc["id"] for doc in found] == ["d0", "d1"]
    for doc, text in zip(found, "AB", strict=True):  # the head has been there
        assert doc["text"] == text
        assert doc["tags"] == {f"shard {n}": True for n in range(3)}
        assert [match["id"] for match in doc["matches"]] == ["m0", "m1", "m2"]


def test_a_line_that_cannot_be_read_fails_once_in_its_place(
    shared_shell: Shell, up: Running
) -> None:
    found = post(shared_shell, "part", "/parts", '{"id": "a"}\n{"id": 3.5.1}\n{"id": "b"}\n')
    assert ["error" in doc for doc in found] == [False, True, False]


def test_groundtruths_go_along_and_are_there_once(shared_shell: Shell, up: Running) -> None:
    pairs = [{"document": {"id": f"d{n}"}, "groundtruth": {"text": f"t{n}"}} for n in range(2)]
    found = post(shared_shell, "part", "/parts", "\n".join(map(json.dumps, pairs)))
    assert [doc["tags"]["truth"] for doc in found] == ["t0", "t1"]


def test_a_request_without_documents_is_what_every_shard_made(
    shared_shell: Shell, up: Running
) -> None:
    done = shared_shell.call("post", "/parts", "--target", "part")
    assert [doc["id"] for doc in done.lines] == [f"made by {n}" for n in range(3)]


def test_without_reduction_the_results_are_strung_together(
    shared_shell: Shell, up: Running
) -> None:
    found = post(shared_shell, "apart", "/parts", lines("a", "b"))
    assert [doc["id"] for doc in found] == ["d0", "d1", "d0", "d1"]
    assert [list(doc["tags"]) for doc in found] == [["shard 0"]] * 2 + [["shard 1"]] * 2


def test_the_executor_behind_gets_an_array_of_each_shard(shared_shell: Shell, up: Running) -> None:
    (doc,) = post(shared_shell, "sized", "/parts", lines("a", "b", "c"))
    assert doc["tags"] == {"sizes": [3, 3], "docs": 6, "with": "flow"}


def test_documents_that_only_some_shards_return_stay(shared_shell: Shell, up: Running) -> None:
    found = post(shared_shell, "part", "/names", lines("a", "b"))
    assert [doc["id"] for doc in found] == [f"d{d} of {s}" for s in range(3) for d in range(2)]


def test_embeddings_of_different_widths(shared_shell: Shell, up: Running) -> None:
    """The first shard's of each Document; the others' of their own."""
    found = post(shared_shell, "part", "/widths", lines("a"))
    assert {doc["id"]: len(doc["embedding"]) for doc in found} == {
        "d0": 1,
        **{f"of {n}": n + 1 for n in range(3)},
    }


def test_a_shard_knows_which_one_it_is_and_has_a_workspace_of_its_own(
    shared_shell: Shell, up: Running
) -> None:
    found = [doc["tags"] for doc in post(shared_shell, "part", "/places")]
    assert [tags["workspace"] for tags in found] == [
        str(shared_shell.folder / "w" / "Shard" / str(n)) for n in range(3)
    ]
    same = {"name": "part", "shards": 3, "parallel": 3, "replicas": 1, "replica_id": None}
    for number, tags in enumerate(found):
        numbers = {"pea_id": number, "shard_id": number}
        assert tags == {
            **same,
            **numbers,
            "polling": "ALL",
            "variable": "node",
            "workspace": tags["workspace"],
        }


def test_any_shard_and_any_replica_takes_a_request(shared_shell: Shell, up: Running) -> None:
    places = set()
    for _ in range(4):
        tags = post(shared_shell, "many", "/places")[-1]["tags"]
        places.add((tags["replica_id"], tags["shard_id"]))
        assert tags["polling"] == {"/index": "ALL"}
        place = os.path.join("Shard", str(tags["replica_id"]), str(tags["shard_id"]))
        assert tags["workspace"].endswith(place)
    assert places == {(replica, shard) for replica in range(2) for shard in range(2)}


def test_a_document_that_kills_one_shard_has_one_outcome(shared_shell: Shell, up: Running) -> None:
    found = post(shared_shell, "part", "/parts", lines("a", "die 1", "b"))
    assert [doc["id"] for doc in found] == ["d0", "d1", "d2"]
    assert found[1]["error"]["message"].startswith("This Document crashed the worker of shard 1 (")
    assert found[1]["error"]["executor"] == "part"
    for doc in (found[0], found[2]):
        assert doc["tags"] == {f"shard {n}": True for n in range(3)}
    assert "part/shard-1/0 was killed by SIGKILL; restarting" in up.err


def test_an_error_of_one_shard_fails_its_line_once(shared_shell: Shell, up: Running) -> None:
    found = post(shared_shell, "part", "/parts", lines("a", "raise 2"))
    assert [doc["id"] for doc in found] == ["d0", "d1"]
    assert "error" not in found[0]
    assert found[1]["error"]["message"] == "a bad mood"


def test_the_list_of_workers_names_shards_heads_and_tails(shared_shell: Shell, up: Running) -> None:
    wait_until(lambda: len(shared_shell.workers()) == 15, what="all are there again")
    named = {"part/head", "part/tail", "part/shard-1/0", "sized/tail", "many/shard-1/1"}
    assert named < set(shared_shell.workers())
    rows = [line.split() for line in shared_shell.ps_table()]
    assert any("many/shard-1/1" in row for row in rows)


@pytest.mark.parametrize("victim", ["part/shard-2/0", "part/head", "part/tail", "sized/tail"])
def test_whoever_is_killed_every_line_has_its_outcome(
    shared_shell: Shell, up: Running, victim: str
) -> None:
    wait_until(lambda: victim in shared_shell.workers())
    os.kill(shared_shell.workers()[victim], signal.SIGKILL)
    node = victim.partition("/")[0]
    found = post(shared_shell, node, "/parts", lines("a", "b"))
    assert [doc["id"] for doc in found] == (["sizes"] if node == "sized" else ["d0", "d1"])


@pytest.mark.usefixtures("up")
def test_routes_name_the_workers_of_shards(shared_shell: Shell) -> None:
    address = shared_shell.ps()[0]["addresses"][0]
    options: dict[str, Any] = {"return_results": True, "continue_on_error": True}
    with Client(address) as client:
        (done,) = client.post("/parts", Document(), target_peapod="many", timing=True, **options)
        assert {route.pod_id for route in done.routes[1:]} <= MANY
        (done,) = client.post("/parts", Document(text="raise 1"), target_peapod="apart", **options)
        assert [(route.pod, route.pod_id) for route in done.routes] == [
            ("gateway", "gateway"),
            ("apart", "apart/shard-1/0"),
        ]
        assert [route.status.code for route in done.routes] == [3, 3]
        assert done.routes[1].status.description == "ValueError: a bad mood"


def test_nobody_waits_for_a_floating_executor_and_its_errors_are_said(shell: Shell) -> None:
    flow = shell.flow(
        "Moody, name: aside, floating: true",
        f"Gate, floating: true, uses_with: {{folder: {shell.folder}}}",
        "Upper",
        name="aside.yml",
    )
    with shell.up(flow) as up:
        done = shell.call("post", "/moody", "--target", "aside|upper", "--text", "raise")
        assert (done.code, done.lines[0]["text"]) == (0, "RAISE")
        up.wait_for("error: aside/0 (floating): ValueError: a bad mood\n")
        done = shell.call("post", "/moody", "--target", "aside|upper", "--text", "die")
        assert (done.code, done.lines[0]["text"]) == (0, "DIE")
        up.wait_for("error: aside/0 (floating): jina.excepts.WorkerDied: This ")
        # One that has begun is done when the Flow stops.
        done = shell.call("post", "/wait", "--text", "x")
        assert (done.code, done.lines[0]["text"]) == (0, "X")
        wait_until((shell.folder / "begun").exists)
        up.process.send_signal(signal.SIGTERM)
        up.wait_for("Stopping")
        assert not (shell.folder / "closed").exists()
        (shell.folder / "go").touch()
        assert up.end().code == 0
    assert (shell.folder / "closed").exists()


SEES = """
from pathlib import Path

from jina import Executor, requests


class Sees(Executor):
    @requests
    def see(self, docs, parameters, **kwargs):
        Path(parameters["into"]).write_text(docs[0].text)
"""


def test_a_floating_executor_gets_the_fields_that_the_client_leaves_out(shell: Shell) -> None:
    shell.write("sees.py", SEES)
    flow = shell.flow("Upper", "Sees, floating: true, py_modules: [sees.py]")
    post = ("post", "/", "--flow", flow, "--text", "x", "-p", "into=seen", "--select", "id")
    (line,) = shell.fork(*post).lines
    assert set(line) == {"id"}
    assert (shell.folder / "seen").read_text() == "X"  # a Flow ends when these are done
