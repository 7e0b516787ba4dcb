"""A cluster of Ray whose nodes have network namespaces of their own, as machines have.

Where namespaces cannot be made, the tests that need them are skipped, with the reason.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.machines import ip, why_not
from tests.polling import wait_until

RAY = str(Path(sys.executable).with_name("ray"))
_MARK = "JINA_TEST_NODE"
_PORT = 6379
_START_S = 90.0


class Node:
    """One node: a namespace with an address, and `ray start` in it.

    Args:
        namespace: its name.
        address: in it.
        folder: for the files of Ray.
    """

    def __init__(self, namespace: str, address: str, folder: Path) -> None:
        self.namespace = namespace
        self.address = address
        self.folder = folder
        self.program = ("ip", "netns", "exec", namespace)

    def start(self, head: str, resources: str = "{}", cpus: int = 2) -> None:
        """Run `ray start`; a node whose address is that of the head is the head."""
        which = ["--head", f"--port={_PORT}", "--include-dashboard=false"]
        words = which if head == self.address else [f"--address={head}:{_PORT}"]
        done = subprocess.run(
            [
                *self.program,
                RAY,
                "start",
                *words,
                f"--node-ip-address={self.address}",
                f"--num-cpus={cpus}",
                f"--resources={resources}",
                "--object-store-memory=100000000",
                f"--temp-dir={self.folder}",
                "--disable-usage-stats",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=_START_S,
            # Nothing of the tests' own environment: a node is another machine.
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                _MARK: self.namespace,
                "RAY_USAGE_STATS_ENABLED": "0",
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def processes(self, words: str = "") -> list[int]:
        """Those that it has started, whose command has these words."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                environment = (entry / "environ").read_bytes().split(b"\0")
                command = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                if f"{_MARK}={self.namespace}".encode() in environment and words in command:
                    found.append(int(entry.name))
        return found

    def has(self, pid: int) -> bool:
        """Whether a process is on this node."""
        done = subprocess.run(
            ["ip", "netns", "identify", str(pid)], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() == self.namespace

    def kill(self, words: str = "") -> None:
        """End those of its processes with SIGKILL."""
        for pid in self.processes(words):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def cluster(head: str = "{}", far: str = "{}") -> Iterator[list[Node]]:
    """A cluster of two nodes, whose link is a pair of veth; the head comes first.

    Args:
        head: what the head has, as `ray start --resources` takes it.
        far: what the other node has.
    """
    if reason := why_not():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        base = Path(tempfile.mkdtemp(prefix="jr-", dir="/tmp"))  # Ray's sockets need a short path
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        nodes = [
            Node(f"jina-{name}-{os.getpid()}", f"10.98.0.{number}", base / name)
            for number, name in enumerate(("head", "far"), 1)
        ]
        for node in nodes:
            ip("netns", "add", node.namespace)
            stack.callback(ip, "netns", "delete", node.namespace)
        first, second = (node.namespace for node in nodes)
        ip("-n", first, "link", "add", "eth", "type", "veth", "peer", "eth", "netns", second)
        for node in nodes:
            ip("-n", node.namespace, "address", "add", f"{node.address}/24", "dev", "eth")
            ip("-n", node.namespace, "link", "set", "lo", "up")
            ip("-n", node.namespace, "link", "set", "eth", "up")
        stack.callback(_end, nodes)
        for node, has in zip(nodes, (head, far), strict=True):
            began = time.monotonic()
            node.start(nodes[0].address, has)
            print(f"ray start at {node.address}: {time.monotonic() - began:.1f} s", flush=True)
        yield nodes


def _end(nodes: list[Node]) -> None:
    for node in nodes:
        node.kill()
    wait_until(lambda: not any(node.processes() for node in nodes), what="the nodes have ended")
