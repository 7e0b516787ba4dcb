"""A Flow over two network namespaces, whose link is cut and mended.

What does not need a link that breaks is shown over loopback: kills of workers, agents, gateways and
supervisors in tests/flow/test_external.py and tests/chaos/test_agents.py, keys in
tests/flow/test_keys.py.

Skipped where namespaces cannot be made, which takes root and a kernel that allows it. With
JINA_TEST_LEASE=5s it is the case of users; the gap that is printed is in docs/scaling.md.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.flow.test_external import make_keys
from tests.polling import wait_until
from tests.shell import JINA, ZOO, Running, Shell, json_lines

LEASE = os.environ.get("JINA_TEST_LEASE", "2s")
LINES = 800  # of 20 ms each, by two workers: eight seconds


class Machines(NamedTuple):
    """Two namespaces, and the link between them."""

    here: str
    there: str

    def program(self, name: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", name, JINA)

    def link(self, state: str) -> None:
        """Cut or mend the link at the other machine's end."""
        ip("-n", self.there, "link", "set", "eth", state)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def why_not() -> str:
    """Why there can be no namespaces here; "" if there can."""
    if shutil.which("ip") is None:
        return "there is no `ip` command (package iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"jina-try-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if done.returncode:
        return f"the system allows no network namespaces: {done.stderr.decode().strip()}"
    ip("netns", "delete", name)
    return ""


@pytest.fixture
def machines() -> Iterator[Machines]:
    if reason := why_not():
        pytest.skip(reason)
    found = Machines(f"jina-a-{os.getpid()}", f"jina-b-{os.getpid()}")
    with contextlib.ExitStack() as stack:
        for name in found:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
        ip("-n", found.here, "link", "add", "eth", "type", "veth", "peer", "eth", "netns", found[1])
        for name, address in zip(found, ("10.99.0.1/24", "10.99.0.2/24"), strict=True):
            ip("-n", name, "address", "add", address, "dev", "eth")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "eth", "up")
        yield found


@pytest.fixture
def flow(shell: Shell, machines: Machines) -> Iterator[Running]:
    """A Flow on the first machine; it waits for its Executor."""
    make_keys(shell)
    shell.write("slow.yml", f"jtype: Slow\npy_modules: [{ZOO}]\n")
    shell.write("flow.yml", "jtype: Flow\nexecutors:\n  - {name: slow, external: true}\n")
    options = ("--host", "10.99.0.1", "--worker-port", "5556", "--keys", "gate", "--lease", LEASE)
    program = machines.program(machines.here)
    with shell.start("flow", "up", "flow.yml", "--json", *options, program=program) as running:
        running.wait_for("waiting for slow")
        yield running
        assert running.end(15).code == 0
    wait_until(lambda: not shell.processes("jina."), what="nothing is left on either machine")


SERVE = ("executor", "serve", "slow.yml", "--name", "slow", "--keys", "gpu")
GATEWAY = ("--gateway", "tcp://10.99.0.1:5556")


def test_a_link_is_cut_and_mended(shell: Shell, machines: Machines, flow: Running) -> None:
    path = shell.write("lines.jsonl", json_lines(LINES))
    there = machines.program(machines.there)
    here = machines.program(machines.here)
    with (
        shell.start(*SERVE, *GATEWAY, program=there) as far,
        shell.start(*SERVE, *GATEWAY, program=here) as near,
    ):
        far.wait_for("slow/0 is ready" if "slow/0" in far.err else "is ready")
        near.wait_for("is ready")
        assert flow.read_line()
        words = ("post", "/", "--inputs", path, "--request-size", "1", "--quiet")
        with shell.start(*words) as post:
            lines = [post.read_line() for _ in range(LINES // 10)]
            cut = time.monotonic()
            machines.link("down")
            longest = 0.0
            while line := post.read_line():
                now = time.monotonic()
                longest, cut = max(longest, now - cut), now
                lines.append(line)
                if len(lines) == LINES * 7 // 10:
                    far.wait_for("nothing was heard of the gateway")
                    machines.link("up")
            assert post.end().code == 0, post.err
        print(f"lease {LEASE}: no result for {longest:.2f} s after the cut, at most")
        assert len(lines) == LINES
        assert [f'"id":"d{n}"'.encode() in line for n, line in enumerate(lines)] == [True] * LINES
        far.wait_for("waiting for the gateway")
        wait_until(lambda: far.err.count("slow/0 is ready") + far.err.count("slow/1 is ready") > 1)
        for agent in (far, near):
            assert agent.end(2).code == 0, agent.err


def test_what_only_a_machine_that_is_cut_off_serves_waits(
    shell: Shell, machines: Machines, flow: Running
) -> None:
    with shell.start(*SERVE, *GATEWAY, program=machines.program(machines.there)) as agent:
        assert flow.read_line()
        machines.link("down")
        with shell.start("post", "/", "--text", "a") as post:
            flow.wait_for("is lost: nothing was heard of it")
            wait_until(lambda: not shell.processes("jina.runtime.worker"))
            machines.link("up")
            done = post.end()
            assert (done.code, len(done.lines)) == (0, 1)
        assert agent.end(2).code == 0, agent.err


LOCKS = """\
import fcntl
import pathlib
from jina import Executor


class Locks(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.file = (pathlib.Path(self.workspace) / "lock").open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_files_have_one_writer_though_the_gateway_is_replaced_after_a_cut(
    shell: Shell, machines: Machines, flow: Running
) -> None:
    shell.write("locks.py", LOCKS)
    shell.write("locks.yml", "jtype: Locks\npy_modules: [locks.py]\n")
    words = ("executor", "serve", "locks.yml", *SERVE[3:], *GATEWAY, "--workspace", "files")
    with shell.start(*words, program=machines.program(machines.there)) as far:
        assert flow.read_line()
        machines.link("down")
        (gateway,) = shell.processes("jina.runtime.gateway")
        os.kill(gateway, signal.SIGKILL)
        with shell.start(*words, program=machines.program(machines.here)) as near:
            near.wait_for("may still be alive; it may serve in")
            near.wait_for("slow/0 is ready")  # it has the lock
            assert "nothing was heard of the gateway" in far.err
            machines.link("up")
            far.wait_for("slow/1 is ready")  # with files of its own
            for agent in (near, far):
                assert agent.end(signal.SIGINT).code == 0, agent.err
