"""What the tests of all groups share: a Flow of one Executor, its rows, plain Python beside it.

Libraries are only loaded in processes of their own, so that these tests hold none of their threads,
and plain Python has the settings of a worker: as many threads, the same environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jina import Document
from tests.polling import wait_until
from tests.shell import WAIT_S, Running, Shell

ROOT = Path(__file__).parents[2]
EXECUTORS = ROOT / "executors"
GROUP = os.environ.get("JINA_FRAMEWORKS", "")

Line = dict[str, Any]
Array = np.ndarray[Any, Any]


def check(shell: Shell, name: str, file: str = "config.yml") -> None:
    """Assert that `jina executor check` finds nothing in an Executor of the catalogue."""
    done = shell.run("executor", "check", EXECUTORS / name / file, "--error-on-warning")
    assert done.code == 0, done.out + done.err


def flow_of(
    shell: Shell, name: str, *, file: str = "config.yml", flow: str = "flow.yml", **keys: Any
) -> Path:
    """Write a Flow of one Executor of the catalogue, called `encoder`, and return its path.

    Args:
        shell: where to write it.
        name: the Executor's folder.
        file: its YAML in that folder.
        flow: the name of the file to write.
        **keys: further keys of its entry, such as `replicas=2` or `uses_with={"threads": 1}`.
    """
    node = {"name": "encoder", "uses": str(EXECUTORS / name / file), **keys}
    return shell.write(flow, json.dumps({"jtype": "Flow", "executors": [node]}))


def lines_of(name: str) -> list[Line]:
    """The lines that an Executor of the catalogue has as its example."""
    text = (EXECUTORS / name / "input.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def written(shell: Shell, lines: Sequence[Line], name: str = "lines.jsonl") -> Path:
    """Write lines to a file, and return its path."""
    return shell.write(name, "".join(f"{json.dumps(line)}\n" for line in lines))


def posted(shell: Shell, inputs: Path, *options: str, endpoint: str = "/encode") -> list[Document]:
    """Post a file to the running Flow; every Document must succeed, in its place.

    Tensors are written as base64, so that they are exact.
    """
    done = shell.run("post", endpoint, "--inputs", inputs, "--tensors", "base64", *options)
    assert done.code == 0, done.err
    return documents(done.out, inputs)


def documents(out: str, inputs: Path) -> list[Document]:
    """The Documents of a post, which are those of its inputs in their order."""
    found = [Document(line) for line in out.splitlines()]
    assert [doc.id for doc in found] == ids(inputs)
    return found


def ids(inputs: Path) -> list[str]:
    """The ids of the lines of a file."""
    return [str(json.loads(line)["id"]) for line in inputs.read_text().splitlines()]


def embeddings(docs: Sequence[Document]) -> Array:
    """Their dense embeddings, one row each."""
    return np.stack([doc.embedding for doc in docs])


def plain_python(shell: Shell, program: str, *arguments: str | Path, **environment: str) -> Array:
    """Run a program without jina in an interpreter of its own, and return the array that it saves.

    Args:
        shell: its folder is the current one.
        program: Python that saves an array with `numpy.save(sys.argv[1], …)`.
        *arguments: from `sys.argv[2]` on.
        **environment: further variables, such as the number of threads that a worker has.
    """
    file = shell.folder / "plain.npy"
    done = subprocess.run(
        [sys.executable, "-c", program, str(file), *map(str, arguments)],
        cwd=shell.folder,
        env={**shell.environment, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Array = np.load(file)
    file.unlink()
    return found


def killed_in_the_middle(
    shell: Shell, inputs: Path, *options: str, endpoint: str = "/encode"
) -> list[Document]:
    """Post a file, kill -9 a worker after its first result; no row is lost, and all are in order.

    Give `--request-size`, so that there is a middle. The Flow must be running.
    """
    before = shell.workers()
    command = ("post", endpoint, "--inputs", inputs, "--tensors", "base64", *options)
    with shell.start(*command) as post:
        first = post.read_line()
        assert first, post.err
        victim = min(before)
        os.kill(before[victim], signal.SIGKILL)
        done = post.end()
    assert done.code == 0, done.err
    wait_until(lambda: shell.workers().get(victim) != before[victim], WAIT_S, "a new worker")
    return documents(first.decode() + done.out, inputs)


@contextmanager
def running(shell: Shell, flow: Path) -> Iterator[Running]:
    """Run a Flow until the end of the block."""
    with shell.up(flow) as up:
        yield up
