"""Workers that are killed with a batch of several clients: each client gets what is its own.

`JINA_CHAOS_SEEDS` is the number of seeds, as in `test_random_kills`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from jina import Client, Document
from tests.polling import wait_until
from tests.shell import WAIT_S, Shell

SEEDS = int(os.environ.get("JINA_CHAOS_SEEDS", "1"))
CLIENTS = 4
KILLS = 4  # fewer than a supervisor starts the same worker again
PAUSE_S = (0.05, 0.3)  # between two kills


@contextlib.contextmanager
def served(shell: Shell, executor: str, batching: str) -> Iterator[str]:
    """A Flow of one batched Executor; its address."""
    with shell.up(shell.flow(f"{executor}, uses_dynamic_batching: {batching}")):
        yield f"ipc://{shell.run_dir}/{shell.directories()[0]}/front.ipc"


def post(client: Client, name: str, text: str) -> str:
    """Post one Document; its text, or the error."""
    failed: list[str] = []
    responses = client.post(
        "/moody",
        Document(id=name, text=text),
        return_results=True,
        on_error=lambda response: failed.append(response.status.description),
    )
    if failed:
        return failed[0]
    (response,) = responses or []
    (doc,) = response.docs
    assert doc.id == name
    return doc.text


def post_once(address: str, name: str, text: str) -> str:
    with Client(address) as client:
        return post(client, name, text)


def test_killed_in_the_middle_of_a_batch_of_four_clients_each_is_done_again_alone(
    shell: Shell, tmp_path: Path
) -> None:
    batching = f"{{wait: {{preferred_batch_size: {CLIENTS}, timeout: 60000}}}}"
    executor = f"Gate, uses_with: {{folder: {tmp_path}}}"
    with served(shell, executor, batching) as address, ThreadPoolExecutor(CLIENTS) as pool:
        posts = [pool.submit(post_once, address, f"c{n}", "x") for n in range(CLIENTS)]
        wait_until((tmp_path / "begun").exists, WAIT_S)
        assert not any(each.done() for each in posts)
        (tmp_path / "begun").unlink()
        os.kill(shell.workers()["gate/0"], signal.SIGKILL)
        wait_until((tmp_path / "begun").exists, WAIT_S)
        (tmp_path / "go").touch()
        assert [each.result(WAIT_S) for each in posts] == ["passed"] * CLIENTS


def test_a_document_that_kills_takes_nobody_with_it(shell: Shell) -> None:
    batching = f"{{/moody: {{preferred_batch_size: {CLIENTS}, timeout: 60000}}}}"
    texts = ["a", "b", "die", "c"]
    with served(shell, "Moody", batching) as address, ThreadPoolExecutor(CLIENTS) as pool:
        posts = [pool.submit(post_once, address, f"c{n}", text) for n, text in enumerate(texts)]
        found = [each.result(WAIT_S) for each in posts]
        assert "WorkerDied: This request crashed the worker (2 attempts; " in found.pop(2)
        assert found == ["A", "B", "C"]


def test_each_line_of_a_post_has_its_own_outcome(shell: Shell) -> None:
    texts = {33: "die", 77: "raise"}
    lines = [json.dumps({"id": f"d{n}", "text": texts.get(n, f"line {n}")}) for n in range(100)]
    lines[50] = "no JSON"
    batching = "{/moody: {preferred_batch_size: 16, timeout: 20}}"
    flow = shell.flow(f"Moody, uses_dynamic_batching: {batching}")
    posted = "\n".join(lines)
    done = shell.fork("post", "/moody", "--flow", flow, "--request-size", "3", stdin=posted)
    assert done.code == 3, done.err
    failed = {n: line["error"]["type"] for n, line in enumerate(done.lines) if "error" in line}
    assert failed == {
        33: "jina.excepts.WorkerDied",
        50: "jina.excepts.BadLine",
        77: "ValueError",
    }
    for n, line in enumerate(done.lines):
        assert n == 50 or line["id"] == f"d{n}"
        assert n in failed or line["text"] == f"LINE {n}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_client_gets_its_own_whatever_is_killed(shell: Shell, seed: int) -> None:
    chance = random.Random(seed)
    size, timeout = chance.choice([2, 4, 16]), chance.choice([1, 5, 20])
    flush_all = str(chance.random() < 0.3).lower()
    settings = f"preferred_batch_size: {size}, timeout: {timeout}, flush_all: {flush_all}"
    over = threading.Event()

    def talk(address: str, client_number: int) -> int:
        done = 0
        with Client(address) as client:
            while not over.is_set():
                name = f"c{client_number}-{done}"
                found = post(client, name, name)
                # Two deaths with the same one begun are rare, and told.
                assert found == name.upper() or "WorkerDied" in found, found
                done += 1
        return done

    with (
        served(shell, "Moody, replicas: 2", f"{{/moody: {{{settings}}}}}") as address,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        talks = [pool.submit(talk, address, n) for n in range(CLIENTS)]
        try:
            for _ in range(KILLS):
                over.wait(chance.uniform(*PAUSE_S))
                kind = chance.choices(["gateway", "worker"], [1, 3])[0]
                victims = wait_until(partial(_processes, shell, kind))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(victims), signal.SIGKILL)
        finally:
            over.set()
        assert all(each.result(WAIT_S) for each in talks)
        wait_until(lambda: _is_whole(shell), WAIT_S, "every worker is ready again")


def _processes(shell: Shell, kind: str) -> list[int]:
    return sorted(shell.processes(f"jina.runtime.{kind}"))


def _is_whole(shell: Shell) -> bool:
    flows = shell.ps()
    states = [worker["state"] for flow in flows for worker in flow["workers"]]
    return len(_processes(shell, "worker")) == 2 and states == ["ready", "ready"]
