"""`jina flow up --on ray` with two nodes of Ray in network namespaces; `.ci/ray` runs this.

What is measured is shown at the end: .ci/ray -k placement
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.polling import wait_until
from tests.ray.cluster import Node, cluster
from tests.ray.measured import measured
from tests.shell import JINA, Shell, json_lines

MODULE = """
import os, pathlib
from jina import Executor, requests

from beside import WORD

print("imported", WORD, flush=True)


class Where(Executor):
    @requests
    def tell(self, docs, **kwargs):
        for doc in docs:
            doc.tags[self.runtime_args.name] = {
                "pid": os.getpid(),
                "hello": os.environ.get("HELLO", ""),
                "mine": os.environ.get("OF_THE_DRIVER", ""),
                "word": WORD,
            }

    @requests(on="/keep")
    def keep(self, docs, **kwargs):
        path = pathlib.Path(self.workspace) / "kept"
        path.write_text("kept")

    def close(self):
        print("closed", flush=True)
"""

FLOW = """
jtype: Flow
executors:
  - name: two
    uses: Where
    py_modules: where.py
    replicas: 2
    env: {HELLO: there}
    ray: {num_cpus: 0.1}
  - name: near
    uses: Where
    py_modules: where.py
    ray: {num_cpus: 0, resources: {near: 1}}
  - name: far
    uses: {jtype: Where, py_modules: where.py}
    ray: {num_cpus: 0, resources: {far: 1}}
  - name: parts
    uses: Where
    py_modules: where.py
    shards: 2
    replicas: 2
    ray: {num_cpus: 0.1}
  - name: join
    needs: [parts]
"""
SIMPLE = """
jtype: Flow
executors:
  - {name: two, uses: Where, py_modules: where.py, replicas: 2, ray: {num_cpus: 0.1}}
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    with cluster(head='{"near": 4}', far='{"far": 4}') as found:
        yield found


@pytest.fixture
def here(shell: Shell) -> Shell:
    shell.write("where.py", MODULE)
    shell.write("beside.py", 'WORD = "beside"\n')
    shell.write("flow.yml", FLOW)
    shell.write("simple.yml", SIMPLE)
    shell.environment["OF_THE_DRIVER"] = "secret"
    return shell


def on_ray(nodes: list[Node]) -> tuple[str, ...]:
    return ("--on", "ray", "--ray-address", f"{nodes[0].address}:6379")


def ours(nodes: list[Node]) -> list[int]:
    """What a Flow has on the nodes: actors, agents and workers."""
    words = ("Host", "jina.ray.place_agent", "jina.runtime.worker")
    return [pid for node in nodes for word in words for pid in node.processes(word)]


def nothing_is_left(nodes: list[Node], shell: Shell) -> float:
    began = time.monotonic()
    wait_until(lambda: not ours(nodes), what="no actor, agent and worker is left")
    wait_until(lambda: not shell.processes("jina."), what="no process of the Flow is left")
    return time.monotonic() - began


def tags_of(shell: Shell, count: int = 1) -> list[dict[str, Any]]:
    done = shell.run("post", "/", "--request-size", "1", "-i", "-", stdin=json_lines(count))
    assert done.code == 0, done.err
    return [line["tags"] for line in done.lines]


class Stream:
    """A post whose lines come one by one, while something happens to the Flow."""

    def __init__(self, shell: Shell, count: int) -> None:
        self._count = count
        self._post = shell.start(
            *("post", "/", "--request-size", "1", "--quiet", "-i", "-"), stdin=-1
        )

    def __enter__(self) -> Stream:
        self.running = self._post.__enter__()
        threading.Thread(target=self._feed).start()
        for _ in range(20):
            assert self.running.read_line()
        return self

    def _feed(self) -> None:
        for line in json_lines(self._count).splitlines(keepends=True):
            self.running.tell(line.encode() if isinstance(line, str) else line)
            time.sleep(0.02)
        assert self.running.process.stdin
        self.running.process.stdin.close()
        self.running.process.stdin = None

    def finish(self, what: str) -> None:
        """Every line has its one outcome, in order; tells the longest time without one."""
        lines, longest, last = [], 0.0, time.monotonic()
        while line := self.running.read_line():
            now = time.monotonic()
            longest, last = max(longest, now - last), now
            lines.append(line)
        done = self.running.end()
        assert done.code == 0, done.err
        expected = range(20, self._count)
        assert [f'"id":"d{n}"'.encode() in line for n, line in zip(expected, lines, strict=True)]
        measured(f"after {what}: no result for {longest:.2f} s, at most")

    def __exit__(self, *error: object) -> None:
        self._post.__exit__(None, None, None)


def test_executors_are_placed_by_what_they_ask_for(nodes: list[Node], here: Shell) -> None:
    head, far = nodes
    began = time.monotonic()
    with here.up("flow.yml", *on_ray(nodes), program=(*head.program, JINA)) as flow:
        measured(f"ready after {time.monotonic() - began:.1f} s: 8 workers in 6 actors")
        wait_until(lambda: len(here.ps()[0]["workers"]) == 9, what="all replicas are there")
        found = tags_of(here, 40)
        for name, node in (("near", head), ("far", far)):
            assert {node.has(tags[name]["pid"]) for tags in found} == {True}
        two = {tags["two"]["pid"] for tags in found}
        assert sorted(far.has(pid) for pid in two) == [False, True], "replicas are spread"
        assert {tags["two"]["hello"] for tags in found} == {"there"}
        assert {tags["far"]["hello"] for tags in found} == {""}
        assert {tags["far"]["mine"] for tags in found} == {""}, "nothing else travels"
        assert {tags["parts"]["word"] for tags in found} == {"beside"}
        assert len({tags["parts"]["pid"] for tags in found}) == 4
        assert here.run("post", "/keep", "--text", "a").code == 0
        shown = re.compile(r"far/0 +\| imported beside")
        wait_until(lambda: shown.search(flow.err), what="what they print is shown")
        secret = [
            path
            for path in Path(f"/tmp/jina-ray-{os.getuid()}").glob("actor-*/keys/*.key")
            if path.stat().st_mode & 0o077
        ]
        assert not secret

        maps = {
            words: Path(f"/proc/{pid}/maps").read_text()
            for words in ("flow up", "jina.runtime.gateway", "jina.ray.placer")
            for pid in here.processes(words)
        }
        loaded = {words for words, text in maps.items() if "_raylet" in text}
        assert (len(maps), loaded) == (3, {"jina.ray.placer"}), "only the placer imports ray"
        done = flow.end(signal.SIGTERM)
        assert (done.code, done.err.count("| closed")) == (0, 8), done.err
    nothing_is_left(nodes, here)
    assert not list(Path(f"/tmp/jina-ray-{os.getuid()}").glob("actor-*"))


def test_a_lost_actor_and_a_lost_node_cost_no_line(nodes: list[Node], here: Shell) -> None:
    head, far = nodes
    with here.up("simple.yml", *on_ray(nodes), program=(*head.program, JINA)) as flow:
        wait_until(lambda: len(here.ps()[0]["workers"]) == 2)
        with Stream(here, 200) as stream:
            os.kill(far.processes("Host")[0], signal.SIGKILL)
            stream.finish("actor -9")
        flow.wait_for("placing it again")
        wait_until(lambda: flow.err.count("is ready") == 3, what="it is placed again")
        wait_until(lambda: bool(far.processes("Host")) or len(head.processes("Host")) == 2)

        os.kill(here.processes("jina.ray.placer")[0], signal.SIGKILL)
        flow.wait_for("ray was killed by SIGKILL")
        wait_until(lambda: flow.err.count("is ready") == 5, what="another placer places all of it")
        wait_until(lambda: bool(far.processes("Host")), what="replicas are spread again")
        with Stream(here, 300) as stream:
            began = time.monotonic()
            far.kill("raylet/raylet")
            stream.finish("raylet -9")
        wait_until(lambda: flow.err.count("is ready") == 6, what="it is placed elsewhere")
        measured(f"placed on the other node {time.monotonic() - began:.1f} s after raylet -9")
        wait_until(lambda: len(head.processes("jina.runtime.worker")) == 2)
        assert not far.processes("jina.")
        far.kill()
        far.start(head.address, '{"far": 4}')
    nothing_is_left(nodes, here)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_the_end_of_a_flow_leaves_nothing(
    nodes: list[Node], here: Shell, signum: signal.Signals
) -> None:
    head = nodes[0]
    program = (*head.program, JINA)
    with here.start("flow", "up", "simple.yml", "--json", *on_ray(nodes), program=program) as flow:
        assert flow.read_line(), flow.err
        flow.end(signum)
        seconds = nothing_is_left(nodes, here)
        measured(f"nothing is left {seconds:.1f} s after {signum.name}")
    wait_until(lambda: not here.directories(), what="the run directory is gone")


def test_a_detached_flow_is_stopped(nodes: list[Node], here: Shell) -> None:
    words = [*nodes[0].program, JINA, "flow", "up", "simple.yml", "--detach", *on_ray(nodes)]
    with here.start(*words[1:], program=(words[0],)) as up:
        assert up.end().code == 0, up.err
    assert len(tags_of(here)) == 1
    done = here.run("flow", "scale", "two=3")
    assert (done.code, "runs on the cluster" in done.err) == (2, True)
    assert here.run("flow", "down").code == 0
    nothing_is_left(nodes, here)


def test_what_can_never_be_placed_is_told_within_seconds(nodes: list[Node], here: Shell) -> None:
    program = (*nodes[0].program, JINA)

    def failed(*settings: str) -> str:
        words = [word for setting in settings for word in ("--set", f"executors.two.{setting}")]
        up = ("flow", "up", "simple.yml", *on_ray(nodes), *words)
        with here.start(*up, program=program) as flow:
            done = flow.end()
        assert done.code == 1, done.err
        return done.err

    err = failed("ray.num_gpus=1", "ray.num_cpus=7")
    assert '"two" can never be placed: it asks for 7 CPU and 1 GPU, and no node' in err
    assert "10.98.0.2 (" in err
    assert "it asks for 2 CPU, 3 times, and the cluster has room for 2" in failed(
        "ray.num_cpus=2", "replicas=3"
    )
    done = here.run("flow", "up", "simple.yml", "--on", "ray", "--ray-address", "127.0.0.1:9")
    assert (done.code, "127.0.0.1:9: no cluster of Ray" in done.err) == (4, True)
    nothing_is_left(nodes, here)


def test_an_executor_that_cannot_be_built_is_told(nodes: list[Node], here: Shell) -> None:
    here.write(
        "where.py", MODULE + '\n    def __init__(self, **k):\n        raise OSError("no w")\n'
    )
    program = (*nodes[0].program, JINA)
    with here.start("flow", "up", "simple.yml", *on_ray(nodes), program=program) as flow:
        done = flow.end()
    assert done.code == 1
    assert "no w" in done.err
    nothing_is_left(nodes, here)


def test_a_folder_that_others_can_write_to_is_not_used(nodes: list[Node], here: Shell) -> None:
    base = Path(f"/tmp/jina-ray-{os.getuid()}")
    base.chmod(0o777)
    program = (*nodes[0].program, JINA)
    try:
        with here.start("flow", "up", "simple.yml", *on_ray(nodes), program=program) as flow:
            done = flow.end()
    finally:
        base.chmod(0o700)
    assert (done.code, "others can write to this folder" in done.err) == (1, True), done.err
    nothing_is_left(nodes, here)


def test_when_the_head_is_lost_the_flow_says_so_and_ends(nodes: list[Node], here: Shell) -> None:
    """The last one: the cluster is gone then."""
    head = nodes[0]
    with here.up("simple.yml", *on_ray(nodes), program=(*head.program, JINA)) as flow:
        wait_until(lambda: len(here.ps()[0]["workers"]) == 2)
        head.kill("gcs_server")
        head.kill("raylet/raylet")
        flow.wait_for("is lost: its connection has closed")
        assert len(tags_of(here, 10)) == 10, "the other replica goes on"
        wait_until(lambda: "no cluster of Ray" in flow.err, 150, "Ray has given up")
    nothing_is_left(nodes, here)
