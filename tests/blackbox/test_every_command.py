"""Every command at a terminal and in pipes: what is promised of all of them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator

import pytest
from rich.cells import cell_len

from tests.blackbox.commands import CASES, SERVES, Case, every_command
from tests.blackbox.conftest import STRANGE
from tests.blackbox.preloaded import Preloaded, Result
from tests.screen import colours
from tests.shell import WAIT_S
from tests.terminal import Terminal

FULL = b"error: <stdout>: cannot be written: No space left on device\n"
# In a help; these are for copying, so they are not broken.
EXAMPLE = re.compile(r"  (\w+ \S+ \| )?jina |  # ")
CHEAP = [name for name, case in CASES.items() if not case.starts]
MISTAKES = [(name, words, code) for name, case in CASES.items() for words, code in case.mistakes]

every_case = pytest.mark.parametrize("name", CASES)
every_cheap_case = pytest.mark.parametrize("name", CHEAP)


@pytest.fixture(autouse=True)
def _made(folder: Preloaded, request: pytest.FixtureRequest) -> Iterator[None]:
    """Take away what a command was told to make or start."""
    yield
    shell = folder.shell
    for case in CASES.values():
        if case.makes and (shell.folder / case.makes).exists():
            shutil.rmtree(shell.folder / case.makes)
    if len(shell.directories()) > 1:
        assert folder.piped("flow", "down", "other.yml", "-q").code == 0


def run(folder: Preloaded, name: str, **given: object) -> Result:
    case = CASES[name]
    words = (*name.split(), *case.good.split())
    return folder.piped(*words, stdin=case.stdin, **given)  # type: ignore[arg-type]


def assert_polite(result: Result, *codes: int) -> None:
    """It ended as it should, and nobody is shown where in jina."""
    assert b"Traceback" not in result.out + result.err, result
    assert b"fault of jina" not in result.out + result.err, result
    assert result.code in codes, result


def assert_only_data(case: Case, out: bytes) -> None:
    assert b"\x1b" not in out
    if case.prints == "nothing":
        assert out == b""
        return
    assert out.endswith(b"\n")
    if case.prints == "json":
        json.loads(out)
    if case.prints == "lines":
        assert [json.loads(line) for line in out.splitlines()]


def test_every_command_has_a_case() -> None:
    """Add what is missing to tests/blackbox/commands.py."""
    assert sorted([*CASES, *SERVES]) == every_command()


@every_case
def test_in_a_pipe_there_is_data_and_nothing_else(folder: Preloaded, name: str) -> None:
    result = run(folder, name, is_whole=True)
    assert_polite(result, 0)
    assert_only_data(CASES[name], result.out)
    assert b"\x1b" not in result.err
    assert b"Exception ignored" not in result.err


@pytest.mark.parametrize("name", [name for name in CHEAP if not CASES[name].stays])
def test_on_a_terminal(folder: Preloaded, name: str) -> None:
    """Of 40 and of 200 columns, and without colours where these are not wanted."""
    case = CASES[name]
    words = (*name.split(), *(case.shown or case.good).split())
    for columns in (40, 200):
        _made_away(folder, case)
        colourless = {"NO_COLOR": "1"} if columns == 200 else {}
        result = folder.on_terminal(*words, columns=columns, **colourless)
        assert_polite(result, 0)
        assert not (colourless and colours(result.out))
        screen = result.screen
        assert not screen.is_cursor_hidden
        if columns >= case.narrowest:
            assert screen.width <= columns, screen.text


def _made_away(folder: Preloaded, case: Case) -> None:
    if case.makes:
        shutil.rmtree(folder.shell.folder / case.makes, ignore_errors=True)


@pytest.mark.parametrize("name", [name for name in CHEAP if CASES[name].stays])
def test_what_stays_on_a_terminal(folder: Preloaded, name: str) -> None:
    with Terminal(folder.shell, *name.split(), owns=True, columns=40) as terminal:
        terminal.wait_for("quit")
        terminal.type(b"q")
        assert terminal.process.wait(WAIT_S) == 0, terminal.shown
        screen = terminal.screen
    assert screen.width <= 40, screen.text
    assert not screen.is_cursor_hidden


@pytest.mark.parametrize("name", ["", "flow", "executor", *every_command()])
def test_help_fits_the_terminal(folder: Preloaded, name: str) -> None:
    for columns in (40, 200):
        result = folder.on_terminal(*name.split(), "--help", columns=columns, NO_COLOR="1")
        assert_polite(result, 0)
        assert not colours(result.out)
        lines = result.screen.lines
        assert any(f"jina {name}".strip() in line for line in lines)
        # A line of one word is as short as it can be.
        told = [line for line in lines if " " in line.strip() and not EXAMPLE.match(line)]
        assert max(map(cell_len, told)) <= columns, result.screen.text


@every_case
def test_wrong_usage_is_told_on_standard_error_alone(folder: Preloaded, name: str) -> None:
    result = folder.piped(*name.split(), "one", "two", "--nonsense")
    assert_polite(result, 2)
    assert result.out == b""
    assert "--nonsense" in result.words


@pytest.mark.parametrize(("name", "words", "code"), MISTAKES)
def test_a_mistake_has_an_error_and_an_exit_code(
    folder: Preloaded, name: str, words: str, code: int
) -> None:
    given = (*name.split(), *words.split())
    result = folder.piped(*given)
    assert_polite(result, code)
    assert result.out == b""
    assert result.err
    assert_polite(folder.on_terminal(*given, columns=40), code)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.file])
@pytest.mark.parametrize("file", ["empty.yml", f"{STRANGE}.yml", "."])
def test_any_file(folder: Preloaded, name: str, file: str) -> None:
    """An empty one, one whose name is not UTF-8, and what is none."""
    words = [file if word == "FILE" else word for word in CASES[name].file.split()]
    result = folder.piped(*name.split(), *words)
    assert_polite(result, 0, 1, 2, 3, 4)
    assert result.code == 0 or result.err
    assert b"\x1b" not in result.out + result.err
    if CASES[name].prints == "lines":
        assert all(map(json.loads, result.out.splitlines()))


@every_cheap_case
def test_a_full_disk_behind_standard_output(folder: Preloaded, name: str) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        result = run(folder, name, stdout=descriptor)
    finally:
        os.close(descriptor)
    prints = CASES[name].prints != "nothing"
    assert_polite(result, int(prints))
    assert (FULL in result.err) == prints


@every_cheap_case
def test_a_reader_that_has_left(folder: Preloaded, name: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = run(folder, name, stdout=writer)
    finally:
        os.close(writer)
    assert_polite(result, 0)
    assert b"error" not in result.err


@every_cheap_case
@pytest.mark.parametrize("closed", [(1,), (0, 2)])
def test_closed_streams(folder: Preloaded, name: str, closed: tuple[int, ...]) -> None:
    result = run(folder, name, closed=closed)
    is_needed = 1 in closed and CASES[name].prints != "nothing"
    assert_polite(result, 0, *([1] if is_needed else []))
    if not (1 in closed or CASES[name].stdin):
        assert_only_data(CASES[name], result.out)
