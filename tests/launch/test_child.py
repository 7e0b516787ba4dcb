"""One process as its supervisor sees it: its lines, its end, its group."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jina.launch.child import Child
from tests.polling import wait_until

Start = Callable[[str], Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program as a child."""
    children = []

    def spawn(program: str) -> Child:
        child = Child(
            "a/0",
            subprocess.Popen(
                [sys.executable, "-c", "import os, sys, time, subprocess, signal\n" + program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ),
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.signal_group(signal.SIGKILL)
        assert child.wait(30)
        child.close()


def next_lines(child: Child) -> list[str] | None:
    """What it says next, once there is a whole line of it."""
    lines: list[str] | None = []
    while lines == []:
        assert select.select([child.output], [], [], 30)[0], "it says nothing"
        lines = child.read_output()
    return lines


def all_lines(child: Child) -> list[str]:
    lines: list[str] = []
    while (read := next_lines(child)) is not None:
        lines += read
    return lines


def test_both_outputs_come_as_lines_in_their_order(start: Start) -> None:
    child = start(
        "for n in range(3):\n"
        "    print('out', n, flush=True)\n"
        "    print('err', n, file=sys.stderr, flush=True)"
    )
    assert all_lines(child) == [f"{name} {n}" for n in range(3) for name in ("out", "err")]


def test_a_partial_line_waits_for_its_end_and_the_last_one_needs_none(start: Start) -> None:
    child = start(
        "os.write(1, b'one\\ntwo'); os.kill(os.getpid(), signal.SIGSTOP);"
        "os.write(1, b' and a half\\nthree')"
    )
    assert next_lines(child) == ["one"]
    assert child.read_output() == []
    wait_until(lambda: " T " in Path(f"/proc/{child.pid}/stat").read_text(), what="it stops")
    child.signal_group(signal.SIGCONT)
    assert all_lines(child) == ["two and a half", "three"]


def test_nothing_is_read_when_nothing_was_said(start: Start) -> None:
    child = start("time.sleep(100)")
    assert child.read_output() == []


def test_empty_lines_and_carriage_returns_and_broken_text(start: Start) -> None:
    child = start("os.write(1, b'\\n\\none\\r\\n\\xff\\xfe two\\n\\n')")
    assert all_lines(child) == ["one", "\ufffd\ufffd two"]


def test_a_very_long_line_comes_in_pieces(start: Start) -> None:
    child = start("os.write(1, b'start\\n'); print('x' * 1_000_000); print('end')")
    lines = all_lines(child)
    assert lines[0] == "start"
    assert lines[-1] == "end"
    assert "".join(lines[1:-1]) == "x" * 1_000_000
    assert max(map(len, lines)) <= 2 * 64 * 1024


def test_who_talks_without_end_is_read_a_mebibyte_at_a_time(start: Start) -> None:
    child = start("while True: os.write(1, b'y\\n' * 30000)")
    for _ in range(5):
        lines = next_lines(child)
        assert lines
        assert len(lines) <= 1024 * 1024 / len("y\n")
    child.signal_group(signal.SIGKILL)


def test_the_last_200_lines_are_kept(start: Start) -> None:
    child = start("for n in range(1000): print(n)")
    all_lines(child)
    assert list(child.last_lines.lines) == [str(n) for n in range(800, 1000)]


def test_a_grandchild_that_keeps_the_output_open_keeps_no_line_back(start: Start) -> None:
    child = start(
        "subprocess.Popen(['sleep', '1000']); os.write(1, b'dying\\nlast words'); os._exit(3)"
    )
    wait_until(child.has_ended)
    assert child.read_output() == ["dying", "last words"]
    assert child.last_words() == (
        "ended with exit code 3; its last lines were:\n    dying\n    last words"
    )


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("", "ended with exit code 0"),
        ("sys.exit(7)", "ended with exit code 7"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("os.kill(os.getpid(), 40)", "was killed by signal 40"),
    ],
)
def test_how_it_ended_in_words(start: Start, program: str, ending: str) -> None:
    child = start(program)
    assert child.ending == "is still running"
    wait_until(child.has_ended)
    assert child.ending == ending
    assert child.last_words() == ending


def test_last_words_hold_the_last_ten_lines(start: Start) -> None:
    child = start("for n in range(20): print('line', n)\nsys.exit(1)")
    all_lines(child)
    wait_until(child.has_ended)
    assert child.last_words().splitlines() == [
        "ended with exit code 1; its last lines were:",
        *[f"    line {n}" for n in range(10, 20)],
    ]


def test_last_words_are_short(start: Start) -> None:
    """Each line of a failed request carries them."""
    child = start("for n in range(20): print('y' * 60_000)")
    all_lines(child)
    wait_until(child.has_ended)
    assert len(child.last_words()) < 6000


def test_a_signal_reaches_what_it_started_too(start: Start) -> None:
    child = start("p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True); p.wait()")
    lines = next_lines(child)
    assert lines
    # A process that has ended and waits to be reaped has no command line.
    path = f"/proc/{lines[0]}/cmdline"
    assert os.path.exists(path)
    child.signal_group(signal.SIGKILL)
    assert child.wait(30)

    def is_gone() -> bool:
        try:
            with open(path, "rb") as file:
                return not file.read()
        except OSError:
            return True

    wait_until(is_gone)
    child.signal_group(signal.SIGKILL)  # nobody is left, and that is no error


def test_waiting_for_an_end_has_an_end(start: Start) -> None:
    child = start("time.sleep(100)")
    assert not child.wait(0.05)


def test_the_output_must_be_piped() -> None:
    with (
        subprocess.Popen(["true"]) as process,
        pytest.raises(ValueError, match="the output must be piped"),
    ):
        Child("a/0", process)
