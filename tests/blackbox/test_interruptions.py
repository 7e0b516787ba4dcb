"""Ctrl-C, SIGTERM and a terminal that vanishes, wherever a command just is.

Whatever comes: the exit code says it, nobody is shown a traceback, and nothing is left.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.test_signals import is_pending
from tests.polling import poll, wait_until
from tests.shell import WAIT_S, Running, Shell, json_lines
from tests.terminal import Terminal

EXECUTORS = """
import threading
from pathlib import Path
from jina import Executor, requests

class Loads(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        Path("reached").touch()
        threading.Event().wait()

class Works(Executor):
    def __init__(self, talks=False, **kwargs):
        super().__init__(**kwargs)
        self.talks = talks

    @requests
    def work(self, docs, **kwargs):
        if docs and docs[0].text == "typed":
            return
        Path("reached").touch()
        while not Path("go").exists():
            if self.talks:
                print("still at work", flush=True)
            threading.Event().wait(0.01)

    def close(self):
        Path("closed").touch()
"""
OWN = {
    *("executors.py", "loads.yml", "works.yml", "many.jsonl"),
    *("up.yml", "loading.yml", "serving.yml"),
}


@dataclass(frozen=True)
class Phase:
    """Where a command is when it is interrupted: once the file "reached" exists.

    Attributes:
        words: of the command line.
        codes: the exit codes after one Ctrl-C, after SIGTERM and after the terminal has vanished.
        typed: at its terminal, to get there.
        shows: is seen once it is there, instead of the file.
    """

    words: str
    codes: tuple[int, int, int] = (130, 143, 143)
    typed: bytes = b""
    shows: str = ""


TYPED = b'{"text": "typed"}\n'
ANSWERED = '"text":"typed"}\n'
FROM_TERMINAL = "works.yml / -i - --output-format jsonl --request-size 1"
PHASES = {
    "up, a model loads": Phase("flow up loading.yml", (130, 0, 0)),
    "up, reading the YAML": Phase("flow up -", (130, 143, 129), typed=b"jtype: Flow\n"),
    "post, its Flow loads a model": Phase("post / -t x -f loading.yml"),
    "post, reading": Phase("post / -i - --output-format jsonl", typed=TYPED, shows=ANSWERED),
    "post, streaming": Phase("post / -i many.jsonl -o out.jsonl"),
    "run, a model loads": Phase("executor run loads.yml / -t x"),
    "run, reading": Phase(f"executor run {FROM_TERMINAL}", typed=TYPED, shows=ANSWERED),
    "run, streaming": Phase("executor run works.yml / -i many.jsonl -o out.jsonl"),
    "check --run": Phase("executor check works.yml --run / -i many.jsonl"),
}
WORKING = [name for name, phase in PHASES.items() if not phase.typed]


@pytest.fixture(scope="module")
def room(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow of an Executor that works until a file exists."""
    shell = shared_shell
    temporary = shell.folder.parent / f"{shell.folder.name}-tmp"
    temporary.mkdir()
    shell.environment |= {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    shell.write("executors.py", EXECUTORS)
    for name in ("Loads", "Works"):
        shell.write(f"{name.lower()}.yml", f"jtype: {name}\nmetas: {{py_modules: executors.py}}\n")
    for name, talks in (("up.yml", "false"), ("serving.yml", "true")):
        entry = f"{{name: works, uses: works.yml, uses_with: {{talks: {talks}}}}}"
        shell.write(name, f"executors: [{entry}]\n")
    shell.write("loading.yml", "executors: [{name: loads, uses: loads.yml}]\n")
    shell.write("many.jsonl", json_lines(1000))
    with shell.up("up.yml"):
        yield shell


@pytest.fixture
def clean(room: Shell) -> Iterator[Shell]:
    """The same; whatever is left behind by a test fails it."""
    before = len(room.processes())
    yield room
    (room.folder / "go").touch()
    # Also what was given up is at work until its Executor has seen the file.
    wait_until(lambda: [worker["outstanding"] for worker in room.ps()[0]["workers"]] == [0])
    for name in ("go", "reached", "closed", "out.jsonl", "out.jsonl.progress"):
        (room.folder / name).unlink(missing_ok=True)
    poll(lambda: len(room.processes()) == before)
    assert len(room.processes()) == before
    assert len(room.directories()) == 1
    assert {path.name for path in room.folder.iterdir()} == OWN
    assert list(Path(room.environment["TMPDIR"]).iterdir()) == []


def begun(shell: Shell, phase: Phase) -> Terminal:
    """A command at a terminal, which has come to the phase."""
    terminal = Terminal(shell, *phase.words.split(), owns=True)
    terminal.type(phase.typed)
    if phase.shows:
        terminal.wait_for(phase.shows)
    elif phase.typed:
        wait_until(lambda: is_reading(terminal.process.pid), what="it reads its terminal")
    else:
        wait_until((shell.folder / "reached").exists, what=f"it is there, but {terminal.shown}")
    return terminal


def is_reading(pid: int) -> bool:
    """Whether a process waits for its standard input: its system call is read(0, ...)."""
    words = Path(f"/proc/{pid}/syscall").read_text().split()
    return words[0] in ("0", "63") and words[1] == "0x0"


def end_of(terminal: Terminal) -> int:
    """Wait for its end; its exit code as a shell would say it."""
    code = terminal.process.wait(WAIT_S)
    assert "Traceback" not in terminal.shown, terminal.shown
    assert "Exception" not in terminal.shown, terminal.shown
    return 128 - code if code < 0 else code


@pytest.mark.parametrize("name", PHASES)
def test_ctrl_c(clean: Shell, name: str) -> None:
    phase = PHASES[name]
    with begun(clean, phase) as terminal:
        terminal.type(b"\x03")
        assert end_of(terminal) == phase.codes[0], terminal.shown
        last = terminal.screen.lines[-1]
    # The terminal shows ^C wherever the cursor was.
    assert last.endswith("interrupted") if phase.codes[0] == 130 else "Ctrl-C again" in last


@pytest.mark.parametrize("name", WORKING)
def test_ctrl_c_twice(clean: Shell, name: str) -> None:
    phase = PHASES[name]
    with begun(clean, phase) as terminal:
        terminal.type(b"\x03\x03")
        assert end_of(terminal) in (phase.codes[0], 130), terminal.shown


@pytest.mark.parametrize("name", WORKING)
def test_sigterm(clean: Shell, name: str) -> None:
    phase = PHASES[name]
    with begun(clean, phase) as terminal:
        terminal.process.terminate()
        assert end_of(terminal) == phase.codes[1], terminal.shown


@pytest.mark.parametrize("name", PHASES)
def test_a_terminal_that_vanishes(clean: Shell, name: str) -> None:
    phase = PHASES[name]
    with begun(clean, phase) as terminal:
        terminal.close()
        code = end_of(terminal)
    # Whoever reads may see that its input has ended before it is told of the terminal.
    assert phase.typed or code == phase.codes[2]


@pytest.fixture
def serving(clean: Shell) -> Iterator[tuple[Terminal, Running]]:
    """A Flow at a terminal of its own, and a post whose request it has begun."""
    with Terminal(clean, "flow", "up", "serving.yml", owns=True) as terminal:
        terminal.wait_for("is up")
        with clean.start("post", "/", "-t", "x", "-f", "serving.yml") as post:
            wait_until((clean.folder / "reached").exists)
            yield terminal, post


def go_on(shell: Shell) -> None:
    """Let the Executor finish."""
    (shell.folder / "go").touch()


def test_a_flow_whose_terminal_vanishes_answers_first(
    clean: Shell, serving: tuple[Terminal, Running]
) -> None:
    """Its Executor has something to say to the end, and nobody can read it."""
    terminal, post = serving
    terminal.close()
    wait_until(lambda: "stopping" in states(clean))
    go_on(clean)
    assert post.end().code == 0
    assert end_of(terminal) == 0
    assert (clean.folder / "closed").exists()


def test_sigterm_ends_a_flow_at_once_whose_terminal_has_vanished(
    clean: Shell, serving: tuple[Terminal, Running]
) -> None:
    terminal, post = serving
    terminal.close()
    wait_until(lambda: "stopping" in states(clean))
    terminal.process.terminate()
    assert end_of(terminal) == 143
    assert post.end().code in (3, 4)


def test_a_terminal_that_vanishes_after_ctrl_c_hurries_nobody(
    clean: Shell, serving: tuple[Terminal, Running]
) -> None:
    terminal, post = serving
    terminal.type(b"\x03")
    terminal.wait_for("Stopping")
    terminal.close()
    wait_until(lambda: not is_pending(terminal.process.pid, signal.SIGHUP))
    go_on(clean)
    assert post.end().code == 0
    assert end_of(terminal) == 0


def test_ctrl_c_and_once_more_ends_a_flow_at_once(
    clean: Shell, serving: tuple[Terminal, Running]
) -> None:
    terminal, post = serving
    terminal.type(b"\x03")
    terminal.wait_for("Stopping")
    terminal.type(b"\x03")
    assert end_of(terminal) == 130
    assert terminal.screen.lines[-1] == "interrupted"
    assert post.end().code in (3, 4)


def states(shell: Shell) -> set[str]:
    return {flow["state"] for flow in shell.ps()}
