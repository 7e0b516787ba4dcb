"""Machines made of network namespaces, and a Flow over them.

client ── 10.98.0.0/24 ── gate ── 10.99.0.0/24 ── far
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial

import pytest

from jina.transport.keys import make_key
from tests.polling import wait_until
from tests.shell import JINA, ZOO, Running, Shell

LEASE = os.environ.get("JINA_TEST_LEASE", "2s")
GATE, FAR, CLIENT = "gate", "far", "client"
FRONT, BACK = "tcp://10.99.0.1:5555", "tcp://10.99.0.1:5556"
FAR_ADDRESS, CLIENT_ADDRESS = "10.99.0.2", "10.98.0.2"
_FLOW = "jtype: Flow\nexecutors:\n  - {name: slow, external: true}\n"
_TIME_WAIT = "06"  # of connections that are closed


def ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
    return done.stdout


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


class Machines:
    """Three namespaces; the client and the far one each have a link to that of the gateway.

    Args:
        stack: removes them.
    """

    def __init__(self, stack: contextlib.ExitStack) -> None:
        for machine in (GATE, FAR, CLIENT):
            ip("netns", "add", self._name(machine))
            stack.callback(ip, "netns", "delete", self._name(machine))
            ip("-n", self._name(machine), "link", "set", "lo", "up")
        for machine, here, there in (
            (FAR, "10.99.0.1/24", f"{FAR_ADDRESS}/24"),
            (CLIENT, "10.98.0.1/24", f"{CLIENT_ADDRESS}/24"),
        ):
            gate, other = self._name(GATE), self._name(machine)
            peer = ("type", "veth", "peer", "eth", "netns", other)
            ip("-n", gate, "link", "add", machine, *peer)
            for name, link, address in ((gate, machine, here), (other, "eth", there)):
                ip("-n", name, "address", "add", address, "dev", link)
                ip("-n", name, "link", "set", link, "up")
        ip("-n", self._name(CLIENT), "route", "add", "default", "via", "10.98.0.1")

    def _name(self, machine: str) -> str:
        return f"jina-{machine}-{os.getpid()}"

    def program(self, machine: str) -> tuple[str, ...]:
        """`jina` on a machine."""
        return ("ip", "netns", "exec", self._name(machine), JINA)

    def link(self, state: str) -> None:
        """Cut or mend the link of the far machine, at its end."""
        ip("-n", self._name(FAR), "link", "set", "eth", state)

    def has_no_sockets(self, machine: str) -> bool:
        """Whether a machine has no tcp socket but those of connections that are closed."""
        table = ip("netns", "exec", self._name(machine), "cat", "/proc/net/tcp").splitlines()
        return all(line.split()[3] == _TIME_WAIT for line in table[1:])


class Site:
    """A Flow on the gateway's machine, and agents that serve its Executor.

    Args:
        shell: has the keys and the YAML files in its folder.
        machines: where all of it runs.
        stack: ends all of it.
    """

    def __init__(self, shell: Shell, machines: Machines, stack: contextlib.ExitStack) -> None:
        self.shell = shell
        self.machines = machines
        self._stack = stack
        self.flow: Running
        self.far: Running
        self.near: Running
        for name in (GATE, "other"):
            make_key(shell.folder / name, name, "gateway")
        for name in (FAR, "near", "spare", CLIENT, "stranger", "lost"):
            role = "client" if name == CLIENT else "worker"
            make_key(shell.folder / name, name, role)
            self._give("other" if name == "lost" else GATE, name)
            if name not in ("stranger", "lost"):
                self._give(name, GATE)
        shell.write("slow.yml", f"jtype: Slow\npy_modules: [{ZOO}]\n")
        shell.write("flow.yml", _FLOW)

    def _give(self, name: str, to: str) -> None:
        shutil.copy(self.shell.folder / name / f"{name}.pub", self.shell.folder / to)

    def start(self, machine: str, *words: str) -> Running:
        """A command on a machine."""
        program = self.machines.program(machine)
        return self._stack.enter_context(self.shell.start(*words, program=program))

    def begin(self) -> None:
        """Start the Flow, and a far and a near agent, whose workers are ready then."""
        self.begin_flow()
        self.far = self.serve(FAR, "--keys", FAR)
        self.near = self.serve(GATE, "--keys", "near")
        for agent in (self.far, self.near):
            agent.wait_for("is ready")

    def begin_flow(self) -> None:
        """Start the Flow; nobody serves it yet."""
        ports = ("--host", "10.99.0.1", "--port", "5555", "--worker-port", "5556")
        words = ("flow.yml", "--json", *ports, "--keys", GATE, "--lease", LEASE)
        self.flow = self.start(GATE, "flow", "up", *words)
        self.flow.wait_for("waiting for slow")

    def end(self) -> None:
        """End all of it in order; nothing may be left on any machine."""
        for running in (self.far, self.near, self.flow):
            if running.process.poll() is None:
                assert running.end(signal.SIGINT).code == 0, running.err
        wait_until(lambda: not self.shell.processes("jina."), what="no process is left")
        wait_until(lambda: not self.shell.directories(), what="the run directory is gone")
        for machine in (GATE, FAR, CLIENT):
            wait_until(partial(self.machines.has_no_sockets, machine), what="no socket is left")

    def serve(self, machine: str, *words: str, file: str = "slow.yml") -> Running:
        """An agent on a machine that has begun; `words` have its keys, if any."""
        given = ("executor", "serve", file, "--name", "slow", "--gateway", BACK)
        return self.start(machine, *given, *words)

    def worker(self, agent: Running) -> int:
        """The process id of the worker of an agent, once the Flow has it; else 0."""
        workers = json.loads(self.shell.run("flow", "status", "--json").out)["workers"]
        mine = {each["agent"]: each["pid"] for each in workers}
        return int(mine.get(agent.pid) or 0)

    def logs(self) -> str:
        """The log of the Flow."""
        return self.shell.run("flow", "logs").out

    def post(self, path: str, *words: str) -> Running:
        """A post of lines by the client."""
        given = ("post", "/", "--address", FRONT, "--keys", CLIENT, "--quiet")
        return self.start(CLIENT, *given, "--request-size", "1", "--inputs", path, *words)


@contextlib.contextmanager
def site_of(shell: Shell) -> Iterator[Site]:
    """A Flow over machines of their own; skips where there can be none."""
    if reason := why_not():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        site = Site(shell, Machines(stack), stack)
        site.begin()
        yield site
        site.end()
