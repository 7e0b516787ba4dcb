"""Executors that are served from other machines: here, from other processes over tcp, with keys."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.polling import wait_until
from tests.shell import JINA, ZOO, Running, Shell, is_alive, json_lines

LINES = 400


class Outside:
    """A Flow with an external Executor, and those who serve it.

    Args:
        shell: in whose folder the keys are.
        flow: that is up, or starting.
    """

    def __init__(self, shell: Shell, flow: Running) -> None:
        self.shell = shell
        self.flow = flow
        self.stack = contextlib.ExitStack()
        flow.wait_for("waiting for")
        found = re.search(r"--gateway tcp://HOST:(\d+)", flow.err)
        assert found, flow.err
        self.address = f"tcp://127.0.0.1:{found[1]}"

    def words(self, *more: str, name: str = "moody", file: str = "moody.yml") -> list[str]:
        """Of a command that serves it."""
        keys = () if "--keys" in more else ("--keys", "gpu")
        given = ["executor", "serve", file, "--name", name, "--gateway", self.address]
        return [*given, *keys, *more]

    def serve(self, *more: str, **named: str) -> Running:
        """An agent that has begun."""
        return self.stack.enter_context(self.shell.start(*self.words(*more, **named)))

    def ready(self, *more: str, **named: str) -> Running:
        """An agent of which a worker is ready."""
        agent = self.serve(*more, **named)
        agent.wait_for("is ready: ")
        return agent

    def workers(self) -> dict[str, dict[str, Any]]:
        """The workers that the Flow has, by name."""
        done = self.shell.call("flow", "status", "--json")
        return {each["name"]: each for each in json.loads(done.out)["workers"]}

    def stop(self, agent: Running) -> None:
        """End an agent in order."""
        done = agent.end(signal.SIGINT)
        assert done.code == 0, done.err


def make_keys(shell: Shell) -> None:
    """Keys of the gateway in `gate`, of a worker in `gpu`, and of one that is not listed."""
    for name, role, folder in (
        ("gate", "gateway", "gate"),
        ("gpu", "worker", "gpu"),
        ("stranger", "worker", "strange"),
        ("laptop", "client", "laptop"),
        ("other", "gateway", "elsewhere"),
        ("gpu", "worker", "elsewhere"),
    ):
        assert shell.call("keys", "new", name, "--role", role, "--keys", folder).code == 0
    for folder in ("gpu", "strange", "laptop"):
        shutil.copy(shell.folder / "gate" / "gate.pub", shell.folder / folder)
    for name in ("gpu", "laptop"):
        shutil.copy(shell.folder / name / f"{name}.pub", shell.folder / "gate")


@contextlib.contextmanager
def outside(shell: Shell, flow: str, *options: str) -> Iterator[Outside]:
    """A Flow that waits for its external Executor; at the end nothing is left on either side."""
    shell.write("flow.yml", flow)
    words = ("flow", "up", "flow.yml", "--worker-port", "0", "--keys", "gate", "--lease", "2s")
    with shell.start(*words, "--json", *options, stdout=subprocess.PIPE) as running:
        there = Outside(shell, running)
        with there.stack:
            yield there
        if running.process.poll() is None:
            done = running.end(signal.SIGTERM)
            assert done.code in (0, 1), done.err
    wait_until(lambda: not shell.processes("jina."), what="no process is left")
    wait_until(lambda: not shell.directories(), what="the run directory is gone")


FLOW = "jtype: Flow\nexecutors:\n  - {name: moody, external: true}\n"


@pytest.fixture(scope="module")
def shared(shared_shell: Shell) -> Iterator[Outside]:
    make_keys(shared_shell)
    shared_shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    with outside(shared_shell, FLOW) as found:
        agent = found.ready()
        assert found.flow.read_line()
        found.stop(agent)
        yield found


@pytest.fixture
def there(shared: Outside) -> Iterator[Outside]:
    """The Flow that all share, without any agent."""
    with contextlib.ExitStack() as shared.stack:
        yield shared


def posted(there: Outside, text: str = "a") -> str:
    done = there.shell.call("post", "/moody", "--text", text)
    assert done.code == 0, done.err
    return str(done.lines[0]["text"])


class Stream:
    """A post of many lines that goes on beside what happens."""

    def __init__(self, shell: Shell) -> None:
        path = shell.write("lines.jsonl", json_lines(LINES))
        self._done: list[Any] = []
        words = ("post", "/moody", "--inputs", path, "--request-size", "2")
        self._thread = threading.Thread(target=lambda: self._done.append(shell.run(*words)))

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.join()
        if error[0] is None:
            (done,) = self._done
            assert done.code == 0, done.err
            assert [line["text"] for line in done.lines] == [f"LINE {n}" for n in range(LINES)]


def test_a_flow_is_served_and_tells_by_whom(there: Outside) -> None:
    agent = there.ready("--replicas", "2")
    assert posted(there) == "A"
    wait_until(lambda: len(there.workers()) == 2)
    workers = there.workers()
    assert set(workers) == {"moody/0", "moody/1"}
    assert {each["machine"] for each in workers.values()} == {os.uname().nodename}
    assert {each["agent"] for each in workers.values()} == {agent.pid}
    assert os.uname().nodename in there.shell.call("flow", "ps").out
    there.stop(agent)
    wait_until(lambda: there.workers() == {})
    status = there.shell.call("flow", "status")
    assert status.code == 1
    assert "nobody serves moody" in status.out


def test_agents_come_and_go_while_a_post_goes_on(there: Outside) -> None:
    first = there.ready()
    with Stream(there.shell):
        second = there.ready()
        there.stop(first)
        third = there.ready()
        there.stop(second)
    there.stop(third)


def test_requests_wait_for_somebody_to_serve_them(there: Outside) -> None:
    with Stream(there.shell):
        agent = there.ready()
    there.stop(agent)


def test_a_worker_that_is_killed_comes_back(there: Outside) -> None:
    agent = there.ready()
    wait_until(lambda: "moody/0" in there.workers())
    pid = there.workers()["moody/0"]["pid"]
    with Stream(there.shell):
        os.kill(pid, signal.SIGKILL)
        agent.wait_for("restarting in 0.1 s")
    there.stop(agent)


def test_a_document_that_kills_is_found_over_there(there: Outside) -> None:
    agent = there.ready()
    path = there.shell.write("deadly.jsonl", '{"text": "a"}\n{"text": "die"}\n{"text": "b"}\n')
    done = there.shell.call("post", "/moody", "--inputs", path, "--errors-to", "errors.jsonl")
    assert done.code == 3, done.err
    assert [line.get("text") for line in done.lines] == ["A", None, "B"]
    assert "This Document crashed the worker" in (there.shell.folder / "errors.jsonl").read_text()
    there.stop(agent)


def test_an_agent_that_is_killed_leaves_nothing_and_another_takes_over(there: Outside) -> None:
    first, second = there.ready(), there.ready()
    wait_until(lambda: len(there.workers()) == 2)
    mine = [each["pid"] for each in there.workers().values() if each["agent"] == first.pid]
    with Stream(there.shell):
        first.process.kill()
        there.flow.wait_for(f"agent {first.pid} on {os.uname().nodename} is lost")
    wait_until(lambda: not any(map(is_alive, mine)))
    there.stop(second)


def test_an_agent_finds_the_gateway_that_takes_the_place_of_another(there: Outside) -> None:
    agent = there.ready()
    wait_until(lambda: "moody/0" in there.workers())
    pid = there.workers()["moody/0"]["pid"]
    with Stream(there.shell):
        os.kill(there.shell.gateway(), signal.SIGKILL)
    wait_until(lambda: "moody/0" in there.workers())
    assert there.workers()["moody/0"]["pid"] == pid  # it kept what it had in memory
    there.stop(agent)


@pytest.mark.parametrize(
    ("words", "code", "what", "hint"),
    [
        (("--keys", "strange"), 4, 'does not list the key "stranger"', "copy stranger.pub"),
        (("--keys", "laptop"), 4, "this is the key of a client", "--role worker"),
        (("--keys", "elsewhere"), 4, "does not have the key that is expected", "copy the gateway"),
        (("--keys", "nowhere"), 2, "nowhere: no such folder", "jina keys new"),
        (("--shard", "1"), 2, '"moody" has no shards', "leave out --shard"),
        (("--name", "mody"), 2, 'has no Executor "mody"', 'did you mean "moody"?'),
    ],
)
def test_who_may_not_serve_is_told_why(
    there: Outside, words: tuple[str, ...], code: int, what: str, hint: str
) -> None:
    done = there.shell.fork(*there.words(*words))
    assert done.code == code, done.err
    assert what in done.err
    assert hint in done.err


def test_without_keys_nobody_serves(there: Outside) -> None:
    words = ("executor", "serve", "moody.yml", "--name", "moody", "--gateway", there.address)
    done = there.shell.fork(*words)
    assert done.code == 4
    assert "the gateway lets in only those who have a key" in done.err


def test_an_agent_whose_key_is_removed_ends(there: Outside) -> None:
    listed = there.shell.folder / "gate" / "gpu.pub"
    agent = there.ready()
    kept = listed.read_bytes()
    listed.unlink()
    try:
        done = agent.end()
    finally:
        listed.write_bytes(kept)
    assert done.code == 4
    assert "the gateway does not list this key any more" in done.err
    wait_until(lambda: not there.shell.processes("jina.runtime.worker"))


def test_an_executor_that_cannot_be_built_is_told_where_it_is_served(there: Outside) -> None:
    there.shell.write("none.yml", f"jtype: Nothing\npy_modules: [{ZOO}]\n")
    done = there.shell.fork(*there.words(file="none.yml"))
    assert done.code in (1, 2)
    assert "Nothing" in done.err


CLOSES = """\
from jina import Executor


class Closes(Executor):
    def close(self):
        open("closed", "w").close()
"""


def test_a_flow_that_stops_is_waited_for(shell: Shell) -> None:
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    with contextlib.ExitStack() as stack, outside(shell, FLOW) as there:
        port = there.address.rpartition(":")[2]
        agent = stack.enter_context(shell.start(*there.words()))
        assert there.flow.read_line()
        done = there.flow.end(signal.SIGTERM)
        assert done.code == 0, done.err
        agent.wait_for("the Flow has stopped; waiting")
        wait_until(lambda: not shell.processes("jina.runtime.worker"))
        again = ("flow.yml", "--worker-port", port, "--keys", "gate", "--lease", "2s")
        with shell.up(again[0], *again[1:]) as flow:
            assert shell.call("post", "/moody", "--text", "a").lines[0]["text"] == "A"
            # Its supervisor is killed: the agent ends its workers, and waits again.
            flow.process.kill()
            flow.process.wait()
            agent.wait_for("nothing was heard of the gateway for 2 s")
            wait_until(lambda: not shell.processes("jina.runtime"))
        assert agent.end(signal.SIGINT).code == 0


def test_an_agent_that_is_slow_to_hear_of_the_end_knows_that_the_flow_has_stopped(
    shell: Shell,
) -> None:
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    with contextlib.ExitStack() as stack, outside(shell, FLOW) as there:
        agent = stack.enter_context(shell.start(*there.words()))
        assert there.flow.read_line()
        agent.process.send_signal(signal.SIGSTOP)
        there.flow.process.send_signal(signal.SIGTERM)
        assert there.flow.process.wait(60) == 0
        agent.process.send_signal(signal.SIGCONT)
        agent.wait_for("the Flow has stopped; waiting")
        assert agent.end(signal.SIGINT).code == 0


def test_a_worker_that_is_slow_to_hear_of_the_end_closes_all_the_same(shell: Shell) -> None:
    make_keys(shell)
    shell.write("slow.py", CLOSES)
    shell.write("slow.yml", "jtype: Closes\npy_modules: [slow.py]\n")
    with contextlib.ExitStack() as stack, outside(shell, FLOW) as there:
        agent = stack.enter_context(shell.start(*there.words(file="slow.yml")))
        assert there.flow.read_line()
        (worker,) = (each["pid"] for each in there.workers().values())
        os.kill(worker, signal.SIGSTOP)
        there.flow.process.send_signal(signal.SIGTERM)
        agent.wait_for("the Flow has stopped; waiting")
        os.kill(worker, signal.SIGCONT)
        wait_until((shell.folder / "closed").exists)
        assert there.flow.process.wait(60) == 0
        assert agent.end(signal.SIGINT).code == 0


SHARDED = """
jtype: Flow
executors:
  - {name: index, external: true, shards: 2, polling: {/index: ANY, /search: ALL}}
"""


def test_shards_are_served_by_agents_of_their_own(shell: Shell) -> None:
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    with outside(shell, SHARDED) as there:
        first = there.ready("--shard", "0", name="index")
        there.flow.wait_for("index/shard-0/0 is ready")
        taken = shell.fork(*there.words("--shard", "0", name="index"))
        assert taken.code == 2
        assert f'shard 0 of "index" is served by agent {first.pid}' in taken.err
        second = there.ready("--shard", "1", name="index")
        assert there.flow.read_line()  # it is up
        first.process.kill()
        heir = there.serve("--shard", "0", name="index")
        heir.wait_for("may still be alive; it may serve in")
        heir.wait_for("index/shard-0/0 is ready")
        assert shell.call("flow", "scale", "index=3").code == 2
        there.stop(second)
        there.stop(heir)


def test_who_has_a_shard_is_known_to_the_next_gateway_and_to_the_next_start(shell: Shell) -> None:
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    lease = ("--lease", "60s")
    with outside(shell, SHARDED, *lease) as there:
        first = there.ready("--shard", "0", name="index")
        second = there.ready("--shard", "1", name="index")
        assert there.flow.read_line()
        os.kill(first.pid, signal.SIGSTOP)  # as if it was cut off: its workers are alive
        (gateway,) = shell.processes("jina.runtime.gateway")
        os.kill(gateway, signal.SIGKILL)
        heir = there.serve("--shard", "0", name="index")
        heir.wait_for(f"agent {first.pid} on {os.uname().nodename}, which served it, may still be")
        os.kill(first.pid, signal.SIGCONT)
        done = heir.end()  # the one that had the shard is back
        assert (done.code, "is served by agent" in done.err) == (2, True), done.err
        assert posted(there) == "A"
        wait_until(lambda: second.err.count("serving index of") == 2, what="it is back, too")

        there.flow.process.kill()
        there.flow.process.wait()
        first.process.kill()
        port = there.address.rpartition(":")[2]
        with shell.start("flow", "up", "flow.yml", "--worker-port", port, "--keys", "gate", *lease):
            heir = there.serve("--shard", "0", name="index")
            heir.wait_for("may still be alive; it may serve in")
            wait_until(lambda: second.err.count("serving index of") == 3, what="it need not wait")
            there.stop(heir)
            there.stop(second)


def test_two_flows_may_use_one_executor(shell: Shell) -> None:
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    shell.write("second.yml", FLOW)
    with outside(shell, FLOW) as there:
        words = ("second.yml", "--worker-port", "0", "--keys", "gate", "--lease", "2s")
        with shell.start("flow", "up", *words, "--json") as running:
            second = Outside(shell, running)
            agent = there.serve("--gateway", second.address)
            assert there.flow.read_line()
            assert running.read_line()
            for flow in ("flow", "second"):
                done = shell.fork("post", "/moody", "--text", "a", "--flow", flow)
                assert done.lines[0]["text"] == "A"
            there.stop(agent)
            assert running.end(signal.SIGTERM).code == 0


PROGRAM = """
from jina import Document, Flow

with Flow(worker_port=0, keys="gate").add(name="moody", external=True) as flow:
    print(flow.post("/moody", Document(text="a"), return_results=True)[0].docs[0].text)
"""


def test_a_program_and_a_yaml_open_the_port_themselves(shell: Shell) -> None:
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    program = shell.write("program.py", PROGRAM)
    shell.write("flow.yml", FLOW.replace("\n", "\nwith: {worker_port: 0, keys: gate}\n", 1))
    plan = json.loads(shell.fork("flow", "up", "flow.yml", "--dry-run", "--json").out)
    assert plan["worker_address"] == "tcp://127.0.0.1:*"
    post = ("post", "/moody", "--text", "a", "--flow", "flow.yml")
    for words, command in (((), (sys.executable, str(program))), (post, (JINA,))):
        with shell.start(*words, program=command) as running:
            there = Outside(shell, running)
            with there.stack:
                agent = there.ready()
                done = running.end()
                assert (done.code, "A" in done.out) == (0, True), done.err
                there.stop(agent)
    wait_until(lambda: not shell.processes("jina."), what="no process is left")


def test_who_may_reach_the_port_is_checked(shell: Shell) -> None:
    open_host = FLOW.replace("\n", "\nwith: {worker_host: 0.0.0.0, worker_port: 5556}\n", 1)
    done = shell.call("flow", "check", shell.write("flow.yml", open_host))
    assert done.code == 1
    assert "flow.yml:2:21: " in done.out + done.err
    assert "0.0.0.0 can be reached from other machines" in done.out + done.err
    shell.write("flow.yml", open_host.replace("worker_port: 5556", "keys: nowhere"))
    done = shell.call("flow", "check", "flow.yml")
    assert "`worker_host` has no effect without `worker_port`" in done.out + done.err
    shell.write("flow.yml", open_host.replace("5556", "5556, keys: nowhere"))
    done = shell.fork("flow", "up", "flow.yml")
    assert "nowhere: no such folder" in done.err
    config = shell.call("flow", "config", "flow.yml").out
    assert f"keys: {shell.folder}/nowhere\n" in config  # a path is no secret


def test_an_external_executor_needs_a_port_and_says_what_has_no_effect(shell: Shell) -> None:
    flow: Path = shell.write("flow.yml", FLOW)
    done = shell.fork("flow", "up", flow)
    assert done.code == 2
    assert '"moody" is external: a port is needed for those who serve it' in done.err
    done = shell.fork("flow", "up", flow, "--worker-port", "0", "--host", "0.0.0.0")
    assert done.code == 2
    assert "anyone there could post, or take Documents; use --keys" in done.err
    shell.write("flow.yml", FLOW.replace("}", ", host: 10.0.0.7, port_in: 80, uses: my.yml}"))
    done = shell.call("flow", "check", flow)
    assert done.code == 0, done.err + done.out
    told = done.err + done.out
    for key in ("host", "port_in", "uses"):
        assert f"`{key}` has no effect" in told
    assert "jina executor serve my.yml --name moody --gateway tcp://HOST:PORT" in told
