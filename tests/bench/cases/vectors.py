"""Measure embeddings of 768 float32 sent through one Executor: matrix in, matrix out."""

from __future__ import annotations

import sys

from tests.bench.measure import Sample, interleave, median, median_ratio, run_client, server
from tests.bench.options import Case, Options
from tests.bench.report import Table
from tests.bench.subject import BATCH, DIMENSIONS, flow_up, vectors_argv

_BASE_BATCHES = 2


def run(options: Options) -> list[Table]:
    """Measure the CPU per batch of the Flow and of a bare echo of as many bytes."""
    batches = max(_BASE_BATCHES + 2, options.docs // BATCH // 2)
    size = BATCH * DIMENSIONS * 4
    address = f"ipc://{options.folder}/vectors"

    def echo_argv(count: int) -> list[str]:
        module = "tests.bench.rivals.echo"
        return [sys.executable, "-m", module, "blobs", address, str(size), str(count)]

    with (
        flow_up("one") as flow,
        server("tests.bench.rivals.echo", "server", address) as echo,
    ):
        samples = interleave(
            {
                "jina": lambda: run_client(vectors_argv(flow, batches), flow.processes),
                "jina base": lambda: run_client(vectors_argv(flow, _BASE_BATCHES), flow.processes),
                "echo": lambda: run_client(echo_argv(batches), {"worker": echo}),
                "echo base": lambda: run_client(echo_argv(_BASE_BATCHES), {"worker": echo}),
            },
            options.repeats,
        )
    more = batches - _BASE_BATCHES
    table = Table(
        f"{batches} batches of {BATCH} embeddings of {DIMENSIONS} float32",
        ["CPU µs per batch", "client", "gateway", "worker", "all", "÷ echo", "MB/s each way"],
    )
    per_batch = {name: _beyond(samples[name], samples[f"{name} base"]) for name in ("jina", "echo")}
    for name, values in per_batch.items():
        full, base = samples[name], samples[f"{name} base"]
        wall = median(a.wall_s - b.wall_s for a, b in zip(full, base, strict=True))
        roles = [
            median(
                (a.cpu_s[role] - b.cpu_s[role]) / more * 1e6
                for a, b in zip(full, base, strict=True)
            )
            if role in full[0].cpu_s
            else None
            for role in ("client", "gateway", "worker")
        ]
        ratio = median_ratio(values, per_batch["echo"])
        table.rows.append(
            [name, *roles, median(values) / more * 1e6, ratio, more * size / max(wall, 1e-9) / 1e6]
        )
    table.notes.append("What comes back is checked in each run, within the client's time.")
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return [table]


def _beyond(full: list[Sample], base: list[Sample]) -> list[float]:
    return [a.total_cpu_s - b.total_cpu_s for a, b in zip(full, base, strict=True)]


CASES = [Case("vectors", "Embeddings through one Executor", run)]
