"""`jina post --on ray` on a real cluster: every line has one outcome, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.ray.cluster import cluster
from tests.shell import JINA, Shell

ADDRESS = os.environ["JINA_RAY"]
RUN_DIR = Path(os.environ["JINA_RAY_RUN_DIR"])
LINES = 6000
ENCODER = """
import os, time
from jina import Executor, requests

class Enc(Executor):
    @requests(on="/encode")
    def encode(self, docs, **kwargs):
        for doc in docs:
            if doc.tags.get("poison"):
                os.kill(os.getpid(), 9)
            if doc.tags.get("bad"):
                raise ValueError("a bad one")
            time.sleep(doc.tags.get("s", 0))
            doc.tags["length"] = len(doc.text)
"""


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    wait_until(lambda: not lanes(), what="a lane is left")
    # Ray kills with a lane what it has started; what that leaves is removed by the next command.
    there = Shell(tmp_path, RUN_DIR)
    wait_until(lambda: not there.processes("-m jina."), what="a process of a Flow is left")
    there.call("flow", "ps")
    wait_until(lambda: not (RUN_DIR.is_dir() and os.listdir(RUN_DIR)), what="a Flow is left")


@pytest.fixture
def flow(shell: Shell) -> Shell:
    write = shell.folder.joinpath
    write("enc.py").write_text(ENCODER)
    write("enc.yml").write_text("jtype: Enc\nmetas: {py_modules: [enc.py]}\n")
    write("flow.yml").write_text("jtype: Flow\nexecutors: [{name: enc, uses: enc.yml}]\n")
    return shell


def inputs(shell: Shell, lines: int = LINES, seconds: float = 0.0) -> None:
    with shell.folder.joinpath("in.jsonl").open("w") as file:
        for number in range(lines):
            # Long ones, so that there are several parts.
            line = {"text": f"{number} " + "x" * 100, "s": seconds}
            file.write(json.dumps(line) + "\n")


def words(*more: str, address: str = ADDRESS) -> list[str]:
    common = ["post", "/encode", "--flow", "flow.yml", "--inputs", "in.jsonl", "--on", "ray"]
    return [*common, "--ray-address", address, "--output", "out", *more]


def processes(words: str) -> list[int]:
    """Those of the cluster's lanes and their Flows with these words in their command line."""
    return Shell(Path("/"), RUN_DIR).processes(words)


def lanes() -> list[int]:
    return processes("ray::Lane")


def results(shell: Shell) -> list[dict[str, object]]:
    parts = sorted(shell.folder.joinpath("out").glob("part-*.jsonl"))
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]


def check_all(shell: Shell, lines: int = LINES, errors: int = 0) -> None:
    """One outcome for each line, in order, and nothing beside them."""
    found = results(shell)
    texts = [str(each.get("text", "")).partition(" ")[0] for each in found]
    failed = [number for number, each in enumerate(found) if "error" in each]
    assert len(found) == lines
    assert len(failed) == errors
    assert all(text == str(number) or number in failed for number, text in enumerate(texts))
    assert not list(shell.folder.joinpath("out").glob("*.progress"))


def has_begun(shell: Shell) -> bool:
    return any(shell.folder.joinpath("out").glob("*.progress"))


def test_the_parts_are_what_one_flow_writes(flow: Shell) -> None:
    inputs(flow, 2000)
    assert flow.run(*words("--join", "all.jsonl")).code == 0
    alone = flow.run(*words()[:6], "--output", "one.jsonl")
    assert alone.code == 0
    assert (flow.folder / "all.jsonl").read_bytes() == (flow.folder / "one.jsonl").read_bytes()
    check_all(flow, 2000)
    again = flow.run(*words())
    assert (again.code, "already complete: 2,000 results" in again.err) == (0, True)
    other = flow.run(*words("--select", "id"))
    assert other.code == 2
    assert "has the results of another post\n  select: [] then" in other.err


def test_lanes_and_workers_that_are_killed(flow: Shell) -> None:
    inputs(flow, seconds=0.002)
    with flow.start(*words("--lanes", "2", "-v")) as post:
        wait_until(lambda: post.err.count("a lane has started on") == 2)
        wait_until(lambda: has_begun(flow))
        os.kill(lanes()[0], signal.SIGKILL)
        os.kill(processes("jina.runtime.worker")[-1], signal.SIGKILL)
        done = post.end()
    assert (done.code, done.out) == (0, "")
    assert "note: a lane on " in done.err
    assert " is resumed" in done.err
    check_all(flow)


def test_a_node_that_is_lost(flow: Shell) -> None:
    inputs(flow, seconds=0.002)
    with cluster() as (head, far):
        start = words("--lanes", "2", "-v", address=f"{head.address}:6379")
        with flow.start(*start, program=(*head.program, JINA)) as post:
            wait_until(lambda: post.err.count("a lane has started on") == 2)
            assert far.processes("ray::Lane")
            wait_until(lambda: has_begun(flow))
            far.kill("raylet")
            done = post.end()
        assert done.code == 0, done.err
        assert "note: a lane on " in done.err
        wait_until(lambda: not head.processes("jina.runtime"), what="a Flow is left")
    check_all(flow)


def test_a_command_that_is_killed_resumes(flow: Shell) -> None:
    inputs(flow, seconds=0.002)
    with flow.start(*words("--lanes", "2")) as post:
        wait_until(lambda: has_begun(flow))
        wait_until(lambda: len(results(flow)) > 500)
        post.end(signal.SIGKILL)
    done = flow.run(*words())
    assert done.code == 0
    assert "Resuming after " in done.err
    check_all(flow)


def test_a_poisonous_record_is_one_error(flow: Shell) -> None:
    inputs(flow, 1500)
    path = flow.folder / "in.jsonl"
    lines = path.read_text().splitlines()
    lines[700] = json.dumps({"text": "700", "poison": True})
    lines[900] = json.dumps({"text": "900", "bad": True})
    path.write_text("\n".join(lines))
    done = flow.run(*words())
    assert done.code == 3
    assert "2 of 1,500 failed" in done.err
    assert "a bad one" in done.err
    check_all(flow, 1500, errors=2)


def test_what_is_refused(flow: Shell) -> None:
    inputs(flow, 10)
    flow.folder.joinpath("kept.yml").write_text(
        "jtype: Flow\nexecutors:\n  - name: a\n    uses: enc.yml\n    workspace: w\n"
    )
    kept = flow.run(*words()[:2], "--flow", "kept.yml", *words()[4:])
    assert kept.code == 2
    assert "kept.yml:4" in kept.err
    assert "'a' cannot run on lanes" in kept.err
    flow.folder.joinpath("enc.py").write_text(ENCODER + "\nimport no_such_package\n")
    bad = flow.run(*words())
    assert bad.code == 1
    assert '"enc/0" did not start: ' in bad.err
    assert "no_such_package" in bad.err
    nobody = flow.run(*words("--ray-address", "127.0.0.1:1"))
    assert (nobody.code, "no cluster of Ray" in nobody.err) == (4, True)


def test_inputs_at_urls(flow: Shell) -> None:
    inputs(flow, 1500)
    url = f"file://{flow.folder}/in.jsonl"
    done = flow.run("post", "/encode", "--flow", "flow.yml", "-i", url, *words()[6:])
    assert done.code == 0, done.err
    check_all(flow, 1500)
