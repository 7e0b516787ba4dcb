"""The actor that hosts an agent; it runs in a process of Ray, on any node of the cluster.

It imports nothing of Ray: `jina.ray.placer` makes an actor's class of it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from jina.defaults import KIB
from jina.excepts import FlowError
from jina.launch.bundle import unpack
from jina.launch.sources import ROOT
from jina.ray.connect import own_node
from jina.ray.place_agent import Assignment, Task
from jina.runtime.structs import decode_msgpack, encode_msgpack

_BUNDLES_DAYS = 7.0  # a bundle that nobody has used for so long is removed
_OFTEN_S = 0.05  # between two pieces of what is told


class Host:
    """One agent, and its folder on this node."""

    def run(self, task: bytes, bundle: str, data: bytes, keys: dict[str, str]) -> Iterator[bytes]:
        """Run the agent until it ends; first comes its node and machine, then its events.

        Args:
            task: see `place_agent.Task`.
            bundle: name of the bundle of modules.
            data: its bytes.
            keys: name of each file of the folder of keys -> its text.

        Yields:
            events as JSON, whole lines.
        """
        base = _base()
        folder = unpack(bundle, data, base / "bundles")
        os.utime(folder)
        _remove_old(base / "bundles")
        home = _home(base)
        try:
            own = home / "keys"
            own.mkdir(mode=0o700)
            for name, text in keys.items():
                file = os.open(own / name, os.O_WRONLY | os.O_CREAT, 0o600)
                with os.fdopen(file, "w") as out:
                    out.write(text)
            yield f"{own_node()} {socket.gethostname()}".encode()
            assignment = Assignment(
                task=decode_msgpack(task, Task),
                bundle=str(folder),
                keys=str(own),
                workspace=str(home / "workspace"),
                parent=os.getpid(),
            )
            yield from _agent(assignment, home)
        finally:
            shutil.rmtree(home, ignore_errors=True)


def _agent(assignment: Assignment, home: Path) -> Iterator[bytes]:
    """Start the agent, and pass on what it tells."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "jina.ray.place_agent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=home,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(encode_msgpack(assignment))
        process.stdin.close()
        yield from _pieces(process.stdout)
        process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _pieces(pipe: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, as many as have come together."""
    rest = b""
    while True:
        select.select([pipe], [], [])
        time.sleep(_OFTEN_S)  # a worker that prints a lot makes few messages
        data = os.read(pipe.fileno(), 256 * KIB)
        if not data:
            return
        whole, newline, rest = (rest + data).rpartition(b"\n")
        if newline:
            yield whole


def _base() -> Path:
    """The folder of this user's actors on this node.

    Raises:
        FlowError: others can write to it: what is in it would be executed.
    """
    base = Path(tempfile.gettempdir()) / f"jina-ray-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    about = base.lstat()
    is_ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
    if not is_ours or about.st_mode & 0o022:
        raise FlowError("others can write to this folder", where=str(base), hint="remove it")
    return base


def _home(base: Path) -> Path:
    """A folder for this actor alone; those of actors that were killed are removed."""
    for old in base.glob("actor-*"):
        pid = old.name.split("-")[1]
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"actor-{os.getpid()}-", dir=base))


def _remove_old(bundles: Path) -> None:
    for folder in bundles.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _BUNDLES_DAYS * 86400:
                shutil.rmtree(folder, ignore_errors=True)
