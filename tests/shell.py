"""Run the `jina` command as a person does: as a process in a folder, with a run directory."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from jina.names import worker_name
from jinacli.flow.ps import find_flows
from tests.calling import call
from tests.forks import Forks, fits, forks
from tests.polling import wait_until

_FORKING = {"check", "endpoints", "install", "restart", "run", "scale", "up"}
JINA = str(Path(sys.executable).with_name("jina"))
ZOO = Path(__file__).parent / "e2e" / "zoo.py"
WAIT_S = float(os.environ.get("JINA_TEST_WAIT_S", "60"))


# "2 results in 0.01 s (200/s)", the last thing that a post says unless something failed.
_SUM = re.compile(
    r"^[\d,]+ (new )?results? in [\d.]+ s( \([\d.,e+]+/s\))?(; .* now holds [\d,]+)?\n", re.M
)

_LOADING = re.compile(r"^loading .+ \([0-9]+ s\)\n", re.M)


_forks: list[Forks] = []  # while tests run that use a Shell, the process that forks for them


class Done(NamedTuple):
    """What a command left: its exit code, and what it printed but for "loading" on a busy machine.

    What was printed while it ran is seen with `Running.err`.
    """

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Standard error without the sum of a post, which has times in it."""
        return _SUM.sub("", self.err, count=1)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output, which must be JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class Running:
    """A command that was started; its standard error goes to a file, so that it never blocks."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.process = process
        self._log = log
        self._read = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def err(self) -> str:
        """What it has printed on standard error so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode()

    def tell(self, data: bytes) -> None:
        """Write to its standard input, which must be a pipe."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read_line(self) -> bytes:
        """Return the next line of its standard output; empty at the end."""
        assert self.process.stdout
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + WAIT_S
        while b"\n" not in self._read:
            left = max(0.0, deadline - time.monotonic())
            assert select.select([descriptor], [], [], left)[0], f"no line, but: {self.err}"
            if not (block := os.read(descriptor, 1 << 20)):
                break
            self._read += block
        line, newline, self._read = self._read.partition(b"\n")
        return line + newline

    def wait_for(self, words: str) -> None:
        """Wait until it has printed these words on standard error."""
        wait_until(lambda: words in self.err, WAIT_S, f"{words!r}, but: {self.err}")

    def end(self, signum: int = 0) -> Done:
        """Send it a signal, if one is given, and wait until it ends."""
        stdin = self.process.stdin
        if signum:
            self.process.send_signal(signum)
            self.process.stdin = None  # open until it has ended: else that may be what ends it
        out, _ = self.process.communicate(timeout=WAIT_S)
        if signum and stdin is not None:
            stdin.close()
        return Done(
            self.process.returncode, (self._read + (out or b"")).decode(), without_loading(self.err)
        )


class Shell:
    """A folder to run commands in, and their environment.

    Args:
        folder: the current directory of every command.
        run_dir: the run directory of its Flows.
    """

    def __init__(self, folder: Path, run_dir: Path) -> None:
        self.folder = folder
        self.run_dir = run_dir
        self.environment = {
            **os.environ,
            "JINA_RUN_DIR": str(run_dir),
            "JINA_STATE_DIR": str(run_dir.parent / "state"),
            "COLUMNS": "80",
        }

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file in the folder, and return its path."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def flow(self, *executors: str, name: str = "flow.yml") -> Path:
        """Write a Flow with Executors from the zoo, and return its path.

        Args:
            *executors: the name of a class, then further keys, as in "Upper, replicas: 2".
            name: the name of the file.
        """
        entries = []
        for text in executors:
            jtype, _, rest = text.partition(",")
            uses = f"uses: {{jtype: {jtype}, py_modules: [{ZOO}]}}"
            named = "" if "name:" in rest else f"name: {jtype.lower()}, "
            entries.append(f"  - {{{named}{uses}{',' + rest if rest else ''}}}\n")
        return self.write(name, "jtype: Flow\nexecutors:\n" + "".join(entries))

    def run(
        self, *arguments: str | Path, stdin: str | bytes | int | None = None, **environment: str
    ) -> Done:
        """Run `jina` until it ends; without `stdin`, standard input is /dev/null."""
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL}
        if isinstance(stdin, int):
            given = {"stdin": stdin}
        elif stdin is not None:
            given = {"input": stdin.encode() if isinstance(stdin, str) else stdin}
        done = subprocess.run(
            [JINA, *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            timeout=WAIT_S,
            check=False,
            **given,
        )
        return Done(done.returncode, done.stdout.decode(), without_loading(done.stderr.decode()))

    def call(
        self, *arguments: str | Path, stdin: str | bytes | None = None, **environment: str
    ) -> Done:
        """Do in this process what `jina` does, for a tenth of what `run` takes; see `calling`.

        What imports users' code does it in a fork. A fork of this process would have its threads'
        locks, but not the threads: that is left to `fork`.
        """
        if _FORKING.intersection(map(str, arguments[:2])):
            return self.fork(*arguments, stdin=stdin, **environment)
        words = [JINA, *map(str, arguments)]
        code, out, err = call(
            words, self.folder, {**self.environment, **environment}, _as_bytes(stdin)
        )
        return Done(code, out, without_loading(err))

    def fork(
        self, *arguments: str | Path, stdin: str | bytes | None = None, **environment: str
    ) -> Done:
        """Run `jina` until it ends, without the time that its start takes; see `forks`.

        It is started all the same if what Python does at a start matters, or much is read.
        """
        given = _as_bytes(stdin)
        of_python = "PYTHON" in "".join(environment)
        if not _forks or _forks[0].is_busy or not fits(given) or of_python:
            return self.run(*arguments, stdin=stdin, **environment)
        request = {
            "words": [JINA, *map(str, arguments)],
            "folder": str(self.folder),
            "environment": {**self.environment, **environment},
        }
        code, out, err = _forks[0].piped(request, given)
        return Done(code, out.decode(), without_loading(err.decode()))

    @contextlib.contextmanager
    def start(
        self,
        *arguments: str | Path,
        stdin: int | None = subprocess.DEVNULL,
        program: tuple[str, ...] = (JINA,),
        stdout: int | IO[bytes] = subprocess.PIPE,
    ) -> Iterator[Running]:
        """Start `jina`, or another program, and make sure that it ends."""
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [*program, *map(str, arguments)],
                cwd=self.folder,
                env=self.environment,
                stdin=stdin,
                stdout=stdout,
                stderr=log,
                bufsize=0,
            )
            try:
                with process:
                    try:
                        yield Running(process, log)
                    finally:
                        if process.poll() is None:
                            process.kill()
            except BrokenPipeError:  # nobody reads what was left to write
                pass

    @contextlib.contextmanager
    def up(
        self, file: str | Path, *options: str, program: tuple[str, ...] = (JINA,)
    ) -> Iterator[Running]:
        """Run `jina flow up FILE --json` until it is ready; stop it at the end if it still runs."""
        with self.start("flow", "up", file, "--json", *options, program=program) as flow:
            ready = flow.read_line()
            assert ready, flow.err
            yield flow
            if flow.process.poll() is None:
                done = flow.end(signal.SIGTERM)
                assert done.code == 0, done.err
            wait_until(lambda: not self.directories(), what="the run directory is gone")

    def ps(self) -> list[dict[str, Any]]:
        """Return the running Flows, as `jina flow ps --json` lists them.

        The command's own function is called: tests ask so often that starts would cost too much.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JINA_RUN_DIR", self.environment["JINA_RUN_DIR"])
            flows = [flow for flow, _ in find_flows()]
        found: list[dict[str, Any]] = json.loads(json.dumps(flows))
        return found

    def ps_table(self) -> list[str]:
        """Return the lines of `jina flow ps`."""
        return self.call("flow", "ps").out.splitlines()

    def workers(self) -> dict[str, int]:
        """Return the process ids of the only Flow's workers, by their names."""
        (flow,) = self.ps()
        return {
            worker_name(each["node"], each["replica"], each["shard"]): each["pid"]
            for each in flow["workers"]
        }

    def directories(self) -> list[str]:
        """Return the names of the run directories that exist."""
        return sorted(path.name for path in self.run_dir.glob("*/"))

    def gateway(self) -> int:
        """Return the process id of the only gateway."""
        (pid,) = self.processes("jina.runtime.gateway")
        return pid

    def processes(self, words: str = "") -> list[int]:
        """Return the processes of this shell's run directory with these words in their command."""
        mark = f"JINA_RUN_DIR={self.run_dir}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes() + b"\0":
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if words in line and int(entry.name) != os.getpid():
                        found.append(int(entry.name))
        return found


@contextlib.contextmanager
def forks_for_shells() -> Iterator[None]:
    """Let `Shell.call` and `Shell.fork` have the process that forks."""
    with forks(WAIT_S) as started:
        _forks.append(started)
        try:
            yield
        finally:
            _forks.clear()


def _as_bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


def without_loading(text: str) -> str:
    """Standard error without the lines that say what takes longer than a second to load."""
    return _LOADING.sub("", text)


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process has had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def resident_bytes(pid: int) -> int:
    """Return the memory that a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors_of(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads_of(pid: int) -> int:
    """Return how many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def is_alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def json_lines(count: int, start: int = 0) -> str:
    """Return JSON lines, each with an id and a text of its own."""
    return "".join(
        json.dumps({"id": f"d{n}", "text": f"line {n}"}) + "\n" for n in range(start, start + count)
    )
