"""Measure the catalogue's Executors that need a library, and write the table of docs/frameworks.md.

    python -m tests.frameworks.page                               the table alone
    python -m tests.frameworks.page --environments 'envs/{}'      all groups, then the table
    python -m tests.frameworks.page --environments 'envs/{}' paddle    one group, then the table

A group is measured by the interpreter of its own environment, which has what `.ci/frameworks`
installs; its results go to a file of JSON in `measured/`, from which the table is made. All eight
take about eight minutes on two quiet cores.

Plain Python is a process with an Executor of the same class, whose method is called with batches of
Documents that are there already. Its rounds and those of `jina post` alternate while both wait for
each other, and the best round of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from jina import Document, DocumentArray, Executor
from jina.launch.threads import VARIABLES, usable_cores
from tests.frameworks import support
from tests.shell import Shell, peak_bytes

MEASURED = Path(__file__).parent / "measured"
PAGE = support.ROOT / "docs" / "frameworks.md"
ROUNDS = 3
WARM_UP = 10  # batches; the first ones take up to twice as long
ROUND_S = 4.0  # of plain Python, so that the beginning of a post is a small part of it; its number
# of Documents follows from it
MAX_DOCS = 20_000
IMAGE = (3, 224, 224)
# From here on, an encoder's own work is what the time of a Document is about.
CHEAP_MS = 10.0

COLUMNS = (
    *("Executor", "packages", "ready after", "plain Python", "in a Flow", "overhead"),
    *("two replicas", "memory"),
)
# Of requirement files, what only helps another package of them.
HELPERS = frozenset({"pathlib2", "pillow", "requests", "six", "tqdm"})
_SUM = re.compile(r"results? in ([\d.]+) s")
_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"


@dataclass(frozen=True)
class Subject:
    """One Executor, and how it is measured.

    Args:
        name: its folder.
        group: its environment.
        like: whose example lines are repeated; "" for its own.
        is_tensors: it gets images as tensors of the size of ImageNet's instead.
        batch: Documents in a request.
        with_inputs: the argument of its constructor that gets the file of inputs; "" for none.
    """

    name: str
    group: str
    like: str = ""
    is_tensors: bool = False
    batch: int = 16
    with_inputs: str = ""


# In the order of the cookbook's "Executors in action".
SUBJECTS = (
    Subject("ResnetImageEncoder", "torch", is_tensors=True),
    Subject("LightningAutoencoder", "torch", batch=100),
    Subject("ErnieTextEncoder", "paddle", batch=100),
    Subject("MobileNetImageEncoder", "tensorflow", like="QuantizedMobileNetEncoder"),
    Subject("MatmulEncoder", "mindspore", batch=100),
    Subject("TfidfTextEncoder", "light", batch=100, with_inputs="corpus"),
    Subject("QuantizedMobileNetEncoder", "torch"),
    Subject("BertTextEncoder", "light", batch=100),
)
GROUPS = tuple(dict.fromkeys(subject.group for subject in SUBJECTS))


@dataclass(frozen=True)
class Measured:
    """What was measured of one Executor.

    Args:
        versions: of the libraries of its requirement files.
        docs: Documents of a round.
        batch: Documents of a request.
        ready_s: from the command `jina flow up` to a Flow that is ready.
        plain_ms: of plain Python, for one Document.
        flow_ms: of a Flow with one replica.
        two_ms: of a Flow with two replicas.
        memory_mb: most that the worker of the one replica had.
    """

    versions: dict[str, str]
    docs: int
    batch: int
    ready_s: float
    plain_ms: float
    flow_ms: float
    two_ms: float
    memory_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """The command, see above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--environments", help="their folders, with {} for the group")
    parser.add_argument("--measure", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--plain", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if unknown := set(given.groups) - set(GROUPS):
        parser.error(f"{', '.join(sorted(unknown))}: the groups are {', '.join(GROUPS)}")
    if given.plain:
        _be_plain_python(*given.plain)
    elif given.measure:
        print(json.dumps(asdict(measured(subject_of(given.measure)))))
    else:
        if given.environments:
            for group in given.groups or GROUPS:
                _measure_group(group, Path(given.environments.format(group)))
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def subject_of(name: str) -> Subject:
    """The Executor of that name."""
    return next(subject for subject in SUBJECTS if subject.name == name)


# The table


def with_table(page: str) -> str:
    """A page with the table of all that has been measured between its two marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table()}{_END}{after}"


def table() -> str:
    """The table in Markdown, from the files in `measured/`."""
    results: dict[str, Any] = {}
    for file in sorted(MEASURED.glob("*.json")):
        results.update(json.loads(file.read_text(encoding="utf-8")))
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    found = [subject.name for subject in SUBJECTS if subject.name in results]
    lines += [_row(name, Measured(**results[name])) for name in found]
    return "".join(f"{line}\n" for line in lines)


def _row(name: str, one: Measured) -> str:
    versions = ", ".join(f"{package} {number}" for package, number in one.versions.items())
    overhead = one.flow_ms - one.plain_ms
    share = f"{overhead / one.plain_ms:+.0%}" if one.plain_ms >= CHEAP_MS else ""
    cells = [
        f"[{name}](../executors/{name})",
        versions,
        f"{one.ready_s:.1f} s",
        _ms(one.plain_ms),
        _ms(one.flow_ms),
        share or _ms(overhead),
        _ms(one.two_ms),
        f"{one.memory_mb:.0f} MB",
    ]
    return f"| {' | '.join(cells)} |"


def _ms(value: float) -> str:
    return f"{value:.3g} ms"


# A group, in its own environment


def _measure_group(group: str, environment: Path) -> None:
    """Measure the Executors of a group, each in a process of its own, and write its file."""
    python = environment / "bin" / "python"
    if not python.exists():
        print(f"{group}: there is no {python}; its figures stay as they are", file=sys.stderr)
        return
    file = MEASURED / f"{group}.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name in [subject.name for subject in SUBJECTS if subject.group == group]:
        began = time.monotonic()
        done = subprocess.run(
            [python, "-m", "tests.frameworks.page", "--measure", name],
            cwd=support.ROOT,
            env={"JINA_TEST_WAIT_S": "240", **os.environ, "PYTHONPATH": str(support.ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"{name}: failed; its figures stay as they are", file=sys.stderr)
            continue
        found[name] = json.loads(done.stdout)
        print(f"{name}, in {time.monotonic() - began:.0f} s: {found[name]}", file=sys.stderr)
        MEASURED.mkdir(exist_ok=True)
        file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measured(subject: Subject) -> Measured:
    """Measure one Executor with the libraries of this interpreter."""
    with tempfile.TemporaryDirectory(prefix="jina-") as name:
        folder = Path(name)
        shell = Shell(folder, folder / "run")
        first = _written(subject, folder, subject.batch)
        with _flow(shell, subject, first, replicas=1) as ready_s:
            with _plain(subject, first) as plain:
                docs = _docs_of_a_round(subject, min(plain.round(first) for _ in range(WARM_UP)))
                inputs = _written(subject, folder, docs)
                rounds = [
                    (plain.round(inputs), _post(shell, subject, inputs)) for _ in range(ROUNDS)
                ]
            memory = peak_bytes(shell.workers()["encoder/0"])
        with _flow(shell, subject, first, replicas=2):
            two = [_post(shell, subject, inputs) for _ in range(ROUNDS)]
    plain_s, flow_s = (min(each) for each in zip(*rounds, strict=True))
    return Measured(
        versions=_versions(subject),
        docs=docs,
        batch=subject.batch,
        ready_s=ready_s,
        plain_ms=plain_s / docs * 1000,
        flow_ms=flow_s / docs * 1000,
        two_ms=min(two) / docs * 1000,
        memory_mb=memory / 1e6,
    )


def _docs_of_a_round(subject: Subject, batch_s: float) -> int:
    """How many Documents, in whole requests, take about as long as a round should."""
    requests = max(2, round(ROUND_S / batch_s))
    # Both of two replicas have as much to do.
    most = MAX_DOCS // subject.batch
    return subject.batch * min(requests + requests % 2, most - most % 2)


@contextmanager
def _flow(shell: Shell, subject: Subject, inputs: Path, replicas: int) -> Iterator[float]:
    """Run a Flow with the Executor, after a request for each replica; give the time to ready."""
    settings = {"uses_with": {subject.with_inputs: str(inputs)}} if subject.with_inputs else {}
    flow = support.flow_of(shell, subject.name, replicas=replicas, **settings)
    before = time.perf_counter()
    with shell.up(flow):
        ready_s = time.perf_counter() - before
        for _ in range(2 * replicas):
            _post(shell, subject, inputs)
        yield ready_s


def _post(shell: Shell, subject: Subject, inputs: Path) -> float:
    """Post a file; return the seconds that it took, by what the command says."""
    command = ("post", "/encode", "--inputs", inputs, "--request-size", str(subject.batch))
    results = ("--select", "id,embedding", "--tensors", "base64")
    with shell.start(*command, *results, stdout=subprocess.DEVNULL) as post:
        done = post.end()
    said = _SUM.search(done.err)
    if done.code or said is None:
        raise RuntimeError(f"{subject.name}: jina post ended with {done.code}: {done.err}")
    return float(said[1])


def _versions(subject: Subject) -> dict[str, str]:
    """The libraries that the Executor's requirement files name, as they are installed."""
    folder = support.EXECUTORS / subject.name
    names = [
        line.partition("==")[0]
        for file in ("requirements.txt", "requirements-no-deps.txt")
        if (folder / file).exists()
        for line in (folder / file).read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    ]
    return {name: version(name) for name in names if name not in HELPERS}


# Inputs


def _written(subject: Subject, folder: Path, count: int) -> Path:
    """A file with so many Documents: JSON lines, or tensors as NumPy writes them."""
    if subject.is_tensors:
        file = folder / f"{count}.npy"
        np.save(file, np.random.default_rng(0).standard_normal((count, *IMAGE), np.float32))
        return file
    file = folder / f"{count}.jsonl"
    lines = cycle(support.lines_of(subject.like or subject.name))
    with file.open("w", encoding="utf-8") as out:
        for number, line in enumerate(islice(lines, count)):
            own = {"text": f"{line['text']} {number}"} if "text" in line else {}
            out.write(f"{json.dumps({**line, **own, 'id': f'd{number}'})}\n")
    return file


# Plain Python, in a process of its own


class Plain:
    """The process of plain Python; it does a round for each file that it is told."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders = orders
        self._answers = answers

    def round(self, inputs: Path) -> float:
        """Let it encode the Documents of a file; return the seconds that its calls took."""
        self._orders.write(f"{inputs}\n")
        self._orders.flush()
        return float(self._answers.readline())


@contextmanager
def _plain(subject: Subject, first: Path) -> Iterator[Plain]:
    """Start plain Python, with as many threads as the only worker of a Flow has."""
    threads = dict.fromkeys(VARIABLES, str(usable_cores()))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.frameworks.page", "--plain", subject.name, first],
        cwd=support.ROOT,
        env={**threads, **os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield Plain(process.stdin, process.stdout)
        process.stdin.close()


def _be_plain_python(name: str, first: str) -> None:
    """Load an Executor, and call it with all Documents of each file that standard input names."""
    subject = subject_of(name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    settings = {subject.with_inputs: first} if subject.with_inputs else {}
    config = support.EXECUTORS / name / "config.yml"
    with Executor.load_config(str(config), uses_with=settings) as executor:
        for line in sys.stdin:
            seconds = 0.0
            for batch in _batches(Path(line.strip()), subject.batch):
                before = time.perf_counter()
                executor.encode(docs=batch)
                seconds += time.perf_counter() - before
            print(seconds, file=answers, flush=True)


def _batches(inputs: Path, size: int) -> Iterator[DocumentArray]:
    docs = _documents(inputs)
    while batch := DocumentArray(islice(docs, size)):
        for doc in batch:  # decoded, as in a program that has them
            _ = doc.blob
        yield batch


def _documents(inputs: Path) -> Iterator[Document]:
    if inputs.suffix == ".npy":
        return (Document(blob=np.array(blob)) for blob in np.load(inputs, mmap_mode="r"))
    return (Document(line) for line in inputs.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    main()
