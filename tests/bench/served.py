"""A Flow of the benchmark whose Executor is served by an agent, over tcp with keys."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jina.transport.keys import GATEWAY_ROLE, WORKER, make_key
from tests.bench.measure import ROOT, BenchError, descendants
from tests.bench.subject import FLOWS, RunningFlow, flow_up, jina_command

_END_TIMEOUT_S = 60.0


@contextmanager
def served_flow_up(folder: Path) -> Iterator[RunningFlow]:
    """Run a Flow and `jina executor serve`, and stop both at the end.

    Args:
        folder: for the keys and for what the agent says.

    Raises:
        BenchError: they did not start.
    """
    gate, gpu = folder / "gate", folder / "gpu"
    make_key(gate, "gate", GATEWAY_ROLE)
    make_key(gpu, "gpu", WORKER)
    (gpu / "gate.pub").write_bytes((gate / "gate.pub").read_bytes())
    (gate / "gpu.pub").write_bytes((gpu / "gpu.pub").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    with (folder / "agent.log").open("w+b") as log:
        agent = subprocess.Popen(
            [
                *jina_command(),
                *("executor", "serve", str(FLOWS / "executor.yml"), "--name", "first"),
                *("--gateway", f"tcp://127.0.0.1:{port}", "--keys", str(gpu)),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            with flow_up("served", "--worker-port", port, "--keys", str(gate)) as flow:
                processes = {**flow.processes, "agent": agent.pid, "worker": _worker_of(agent.pid)}
                yield flow._replace(processes=processes)
        except BenchError as error:
            log.seek(0)
            raise BenchError(f"{error}\nthe agent: {log.read().decode()}") from error
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(_END_TIMEOUT_S)


def _worker_of(agent: int) -> int:
    for pid in descendants(agent):
        if b"jina.runtime.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise BenchError(f"the agent {agent} of {os.getpid()} has no worker")
