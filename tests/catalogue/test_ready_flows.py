"""The Flows that ship with jina, run from the command line as their README says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
JINA = str(Path(sys.executable).with_name("jina"))
PASSAGES = "flows/data/python-topics.jsonl"
WAIT_S = 90


@pytest.fixture
def checkout(tmp_path: Path, runtime_dir: Path) -> Path:
    """A copy of the catalogue and the Flows, so that no test writes into the project."""
    for name in ("executors", "flows"):
        ignored = shutil.ignore_patterns("workspace", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    return tmp_path


def post(checkout: Path, *options: str, stdin: str | None = None) -> list[dict[str, Any]]:
    """Run `jina post` in the copy and return the lines of its answer."""
    done = subprocess.run(
        [JINA, "post", *options],
        cwd=checkout,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def control(checkout: Path, *options: str) -> None:
    """Run `jina flow …` in the copy."""
    subprocess.run([JINA, "flow", *options], cwd=checkout, check=True, timeout=WAIT_S)


def test_hello_writes_in_capitals(checkout: Path) -> None:
    lines = '{"id": "a", "text": "hello"}\n{"id": "b"}\n'
    first, second = post(checkout, "/", "--flow", "flows/hello.yml", stdin=lines)
    assert (first["id"], first["text"]) == ("a", "HELLO")
    assert second == {"id": "b"}


def test_search_indexes_once_and_answers_after_a_restart(checkout: Path) -> None:
    flow = ("--flow", "flows/search.yml")
    answer = post(checkout, "/index", *flow, "--inputs", PASSAGES)
    wanted = (checkout / PASSAGES).read_text(encoding="utf-8").splitlines()
    assert answer == [{"id": json.loads(line)["id"]} for line in wanted]

    question = '{"text": "How do I catch an exception?"}'
    (result,) = post(checkout, "/search", *flow, stdin=question)
    matches = result["matches"]
    assert matches[0]["tags"]["topic"] == "exceptions"
    assert len(matches) == 3
    assert "embedding" not in result

    (status,) = post(checkout, "/status", *flow)
    assert status["tags"]["documents"] == len(wanted)


def test_the_sharded_search_finds_what_the_other_finds(checkout: Path) -> None:
    flow = ("--flow", "flows/search-sharded.yml")
    control(checkout, "up", "flows/search-sharded.yml", "--detach")
    try:
        answer = post(checkout, "/index", *flow, "--inputs", PASSAGES)
        wanted = (checkout / PASSAGES).read_text(encoding="utf-8").splitlines()
        assert answer == [{"id": json.loads(line)["id"]} for line in wanted]
        question = '{"text": "How do I catch an exception?"}'
        (result,) = post(checkout, "/search", *flow, stdin=question)
        assert result["matches"][0]["tags"]["topic"] == "exceptions"
        scores = [match["scores"]["dot"]["value"] for match in result["matches"]]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 3
        # Replaced by its id, then removed, in the shard that has it.
        best = result["matches"][0]["id"]
        for endpoint in ("/index", "/delete"):
            (line,) = [line for line in wanted if json.loads(line)["id"] == best]
            assert post(checkout, endpoint, *flow, stdin=line)[0]["id"] == best
        status = post(checkout, "/status", *flow)
        assert [one["id"] for one in status] == ["indexer-shard-0", "indexer-shard-1"]
        assert sum(one["tags"]["documents"] for one in status) == len(wanted) - 1
        (result,) = post(checkout, "/search", *flow, stdin=question)
        assert best not in [match["id"] for match in result["matches"]]
    finally:
        control(checkout, "down", "search-sharded")


def test_what_was_answered_survives_the_kill_of_the_indexer(checkout: Path) -> None:
    """Its worker is killed with -9 between two posts; the Flow brings it back."""
    flow = ("--flow", "flows/search.yml")
    control(checkout, "up", "flows/search.yml", "--detach")
    try:
        lines = (checkout / PASSAGES).read_text(encoding="utf-8").splitlines()[:300]
        assert len(post(checkout, "/index", *flow, stdin="\n".join(lines))) == 300
        lock = checkout / "flows" / "workspace" / "indexer" / "0" / "lock"
        os.kill(int(lock.read_text()), signal.SIGKILL)
        (status,) = post(checkout, "/status", *flow)
        assert status["tags"]["documents"] == 300
    finally:
        control(checkout, "down", "search")
