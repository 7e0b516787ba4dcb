"""What is measured: a Flow, and the commands and clients that use it.

Run as a module, it is a client that uses the Python API:

    python -m tests.bench.subject latency session|post ADDRESS COUNT
    python -m tests.bench.subject vectors ADDRESS BATCHES
    python -m tests.bench.subject start FLOW
    python -m tests.bench.subject crowd ADDRESS ENDPOINT CLIENTS ROUNDS
    python -m tests.bench.subject scale ADDRESS SECONDS
    python -m tests.bench.subject search ADDRESS COUNT
    python -m tests.bench.subject bulk ADDRESS
    python -m tests.bench.subject megabytes ADDRESS COUNT
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.measure import ROOT, BenchError, cpu_s, descendants

FLOWS = Path(__file__).parent / "flows"
DIMENSIONS = 768
BATCH = 100
MEGABYTE = 1_000_000
SERVICE_MS = 5
"""How long the calls take beside which others wait."""
_START_TIMEOUT_S = 60.0


def jina_command() -> list[str]:
    """Return the installed command, or an equal one if no script is installed."""
    script = Path(sys.executable).with_name("jina")
    return [str(script)] if script.exists() else [sys.executable, "-m", "jinacli"]


class RunningFlow(NamedTuple):
    """A Flow that is up."""

    name: str
    address: str
    processes: dict[str, int]
    """Role -> pid: "supervisor", "gateway" and one for each worker."""
    env: dict[str, str]
    """The environment in which `jina post` finds it."""

    def post(self, endpoint: str, source: Path, target: Path) -> list[str]:
        """Return the command that posts a file."""
        # The same file in each run: a finished output would be left as it is.
        options = ["--inputs", str(source), "--output", str(target), "--restart"]
        options += ["--flow", self.name]
        return [*jina_command(), "post", endpoint, *options]


@contextmanager
def flow_up(name: str, *options: str) -> Iterator[RunningFlow]:
    """Run `jina flow up` for a Flow of the benchmark, and stop it at the end.

    Args:
        name: of its file.
        *options: further ones of the command.

    Raises:
        BenchError: it did not start.
    """
    # A short run directory of its own: the same Flow may be up elsewhere on the machine.
    with tempfile.TemporaryDirectory(prefix="jb") as folder, tempfile.TemporaryFile() as log:
        env = {"JINA_RUN_DIR": f"{folder}/jina", "JINA_NO_PROGRESS": "1"}
        process = subprocess.Popen(
            [*jina_command(), "flow", "up", str(FLOWS / f"{name}.yml"), "--quiet", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **env},
            start_new_session=True,
        )
        try:
            record = _await_ready(process, Path(folder))
            if record is None:
                log.seek(0)
                raise BenchError(f"the Flow {name} did not start:\n{log.read().decode()}")
            yield RunningFlow(record["name"], record["addresses"][0], _roles(process.pid), env)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_START_TIMEOUT_S)


def _await_ready(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any] | None:
    """Wait until every worker is up and return the Flow's record; None if the Flow ended."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        for file in folder.glob("jina/*/flow.json"):
            record: dict[str, Any] = json.loads(file.read_bytes())
            if record["is_ready"]:
                return record
        time.sleep(0.005)
    return None


def _roles(pid: int) -> dict[str, int]:
    roles = {"supervisor": pid}
    for child in descendants(pid):
        command = Path(f"/proc/{child}/cmdline").read_text()
        role = "gateway" if "gateway" in command else "worker"
        while role in roles:
            role += "'"
        roles[role] = child
    return roles


def worker_packages(flow: RunningFlow) -> list[str]:
    """Return the installed packages that a worker of the Flow has loaded."""
    from jina import Client, Document

    (response,) = Client(flow.address).post("/modules", Document(text="?"), return_results=True)
    modules: list[str] = response.docs[0].tags["modules"]
    return modules


# --- clients in a process of their own ---


def latency_argv(kind: str, flow: RunningFlow, count: int) -> list[str]:
    """Return the client that prints round trips of one Document, in µs, as a JSON list."""
    return _argv("latency", kind, flow.address, str(count))


def vectors_argv(flow: RunningFlow, batches: int) -> list[str]:
    """Return the client that sends batches of embeddings and checks what comes back."""
    return _argv("vectors", flow.address, str(batches))


def start_argv(name: str) -> list[str]:
    """Return the client that starts a Flow and prints wall_s, cpu_s, load_s, processes as JSON."""
    return _argv("start", str(FLOWS / f"{name}.yml"))


def crowd_argv(flow: RunningFlow, endpoint: str, clients: int, rounds: int) -> list[str]:
    """Return the clients with one Document under way each; they print wall_s and each trip's ms."""
    return _argv("crowd", flow.address, endpoint, str(clients), str(rounds))


def scale_argv(flow: RunningFlow, phase_s: float) -> list[str]:
    """Return the client that posts while the Flow is scaled 2 -> 4 -> 2, see `run_scale`."""
    return _argv("scale", flow.address, str(phase_s))


def search_argv(flow: RunningFlow, count: int) -> list[str]:
    """Return the client that prints how long searches take one after the other, in ms, as JSON."""
    return _argv("search", flow.address, str(count))


def bulk_argv(flow: RunningFlow) -> list[str]:
    """Return the client that posts without end, and prints a line once it is under way."""
    return _argv("bulk", flow.address)


def megabytes_argv(flow: RunningFlow, count: int) -> list[str]:
    """Return the client that sends Documents of 1 MB and checks what comes back; prints wall_s."""
    return _argv("megabytes", flow.address, str(count))


def _argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.subject", *arguments]


LATENCY_TEXT = "the quick brown fox jumps over the lazy dog " * 4


def run_latency(kind: str, address: str, count: str) -> None:
    from jina import Client, Document
    from jina.client.documents import DocumentRequests
    from jina.client.exchange import exchange
    from jina.client.session import Session
    from jina.wire.maps import Call

    clock = time.perf_counter_ns
    times = []
    if kind == "post":
        client = Client(address)
        for _ in range(int(count)):
            start = clock()
            (response,) = client.post("/upper", Document(text=LATENCY_TEXT), return_results=True)
            text = response.docs[0].text
            times.append((clock() - start) / 1000)
    else:
        with Session(address) as session:
            for _ in range(int(count)):
                start = clock()
                source = DocumentRequests(Document(text=LATENCY_TEXT), Call())
                (reply,) = exchange(session, "/upper", source)
                times.append((clock() - start) / 1000)
            text = reply.request.docs[0].text.upper()
    if text != LATENCY_TEXT.upper():
        raise BenchError("a wrong answer")
    print(json.dumps(times))


def run_vectors(address: str, batches: str) -> None:
    import numpy as np

    from jina import Client, Document, DocumentArray

    rng = np.random.default_rng(7)
    matrix = rng.standard_normal((BATCH, DIMENSIONS), dtype=np.float32)
    docs = DocumentArray([Document() for _ in range(BATCH)])
    docs.embeddings = matrix
    doubled = matrix * 2

    def inputs() -> Iterator[Any]:
        for _ in range(int(batches)):
            yield from docs

    for response in Client(address).stream("/double", inputs, request_size=BATCH):
        if response.is_error or not np.array_equal(response.docs.embeddings, doubled):
            raise BenchError("a wrong answer")


def run_crowd(address: str, endpoint: str, clients: str, rounds: str) -> None:
    from jina.transport import sockets
    from jina.wire import header as wire
    from jina.wire.header import pack_message, unpack_message
    from jina.wire.maps import DOCS, LINES, Call, Part, Route, pack_map

    route = pack_map(Route(endpoint, None, [Part(LINES, DOCS, 1, 1)]))
    context = sockets.open_context()
    poller = sockets.Poller()
    crowd = {}
    for number in range(int(clients)):
        socket = sockets.open_lasting_dealer(context, timeout_s=_START_TIMEOUT_S)
        sockets.connect(socket, address)
        sockets.send(socket, pack_message(wire.HELLO))
        sockets.receive_in_time(socket)
        poller.register(socket, sockets.POLLIN)
        crowd[socket] = pack_map(Call(source=f"client {number}", key=f"key{number}", lines=True))
    sent_at: dict[Any, float] = {}
    times: list[float] = []
    left = dict.fromkeys(crowd, int(rounds))

    def ask(socket: Any) -> None:
        left[socket] -= 1
        sent_at[socket] = time.perf_counter()
        line = b'{"text": "%d"}\n' % left[socket]
        sockets.send(
            socket,
            pack_message(
                wire.REQUEST, [line], number=left[socket] + 1, rows=1, base=1, route=route,
                call=crowd[socket],
            ),
        )  # fmt: skip

    start = time.perf_counter()
    for socket in crowd:
        ask(socket)
    while sent_at:
        for socket, _ in poller.poll(_START_TIMEOUT_S * 1000):
            message = sockets.receive(socket, routed=False)
            header = unpack_message(message.header, message.frames)
            times.append((time.perf_counter() - sent_at.pop(socket)) * 1000)
            if header.kind != wire.REPLY or b'"text":"%d"' % left[socket] not in bytes(
                sockets.payload(header.frames[0])
            ):
                raise BenchError("a wrong answer")
            if left[socket]:
                ask(socket)
    print(json.dumps({"wall_s": time.perf_counter() - start, "ms": times}))
    sockets.close(context)


def run_start(file: str) -> None:
    from jina import Flow

    loading = time.perf_counter()
    flow = Flow.load_config(file)
    before = set(descendants(os.getpid()))
    own = cpu_s(os.getpid())
    start = time.perf_counter()
    with flow:
        wall = time.perf_counter() - start
        processes = [pid for pid in descendants(os.getpid()) if pid not in before]
        used = sum(map(cpu_s, processes)) + cpu_s(os.getpid()) - own
    loaded = {"load_s": start - loading, "processes": len(processes)}
    print(json.dumps({"wall_s": wall, "cpu_s": used, **loaded}))


def run_scale(address: str, phase_s: str) -> None:
    """Print when each answer came, and when each phase ended, in seconds from the start."""
    import threading

    from jina import Client, Document
    from jina.launch.asking import ask
    from jina.runtime.control import Change

    directory = Path(address.removeprefix("ipc://")).parent
    clock = time.perf_counter
    ends = {}
    is_over = threading.Event()

    def change() -> None:
        for replicas in (4, 2):
            time.sleep(float(phase_s))
            ends[f"before {replicas}"] = clock() - start
            ask(directory, Change(nodes=["first"], replicas=replicas), lambda text: None)
            ends[f"to {replicas}"] = clock() - start
        time.sleep(float(phase_s))
        ends["end"] = clock() - start
        is_over.set()

    def inputs() -> Iterator[Any]:
        while not is_over.is_set():
            yield Document()

    changes = threading.Thread(target=change)
    start = clock()
    changes.start()
    answers = []
    for response in Client(address).stream("/wait", inputs, request_size=1):
        if response.is_error:
            raise BenchError("a request failed")
        answers.append(clock() - start)
    changes.join()
    print(json.dumps({"answers": answers, "ends": ends}))


def run_search(address: str, count: str) -> None:
    from jina import Client, Document

    client = Client(address)
    times = []
    for _ in range(int(count)):
        start = time.perf_counter()
        client.post("/slow", Document(text="?"), parameters={"ms": SERVICE_MS})
        times.append((time.perf_counter() - start) * 1000)
    client.close()
    print(json.dumps(times))


def run_bulk(address: str) -> None:
    from jina import Client, Document

    docs = iter(lambda: Document(text=LATENCY_TEXT), None)
    responses = Client(address).stream(
        "/slow", docs, parameters={"ms": SERVICE_MS}, request_size=BATCH
    )
    for number, _ in enumerate(responses):
        if number == 0:
            print("under way", flush=True)


def run_megabytes(address: str, count: str) -> None:
    from jina import Client, Document

    block = os.urandom(MEGABYTE)
    back = block[::-1]
    docs = (Document(buffer=block) for _ in range(int(count)))
    start = time.perf_counter()
    answers = 0
    for response in Client(address).stream("/reverse", docs, request_size=1):
        if response.is_error or response.docs[0].buffer != back:
            raise BenchError("a wrong answer")
        answers += 1
    if answers != int(count):
        raise BenchError(f"{answers} answers to {count} requests")
    print(json.dumps({"wall_s": time.perf_counter() - start}))


if __name__ == "__main__":
    CLIENTS: Mapping[str, Any] = {
        "latency": run_latency,
        "vectors": run_vectors,
        "start": run_start,
        "crowd": run_crowd,
        "scale": run_scale,
        "search": run_search,
        "bulk": run_bulk,
        "megabytes": run_megabytes,
    }
    CLIENTS[sys.argv[1]](*sys.argv[2:])
