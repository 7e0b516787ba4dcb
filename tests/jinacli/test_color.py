"""Whether output has colors: who wins, and that every screen obeys."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jinacli.color import asked, decided, settle
from tests.shell import Shell, json_lines
from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("arguments", "variables", "on_terminal", "in_pipe"),
    [
        # Nobody says anything: a terminal has colors if it can.
        ("", {}, True, False),
        ("", {"TERM": "dumb"}, False, False),
        ("", {"TERM": "unknown"}, False, False),
        # Each variable alone; an empty one says nothing.
        ("", {"NO_COLOR": "1"}, False, False),
        ("", {"NO_COLOR": "0"}, False, False),
        ("", {"NO_COLOR": ""}, True, False),
        ("", {"CLICOLOR": "0"}, False, False),
        ("", {"CLICOLOR": "1"}, True, False),
        ("", {"CLICOLOR_FORCE": "1"}, True, True),
        ("", {"CLICOLOR_FORCE": "0"}, True, False),
        ("", {"FORCE_COLOR": "1"}, True, True),
        ("", {"FORCE_COLOR": ""}, True, False),
        ("", {"FORCE_COLOR": "0"}, False, False),
        ("", {"JINA_COLOR": "always"}, True, True),
        ("", {"JINA_COLOR": "never"}, False, False),
        ("", {"JINA_COLOR": "auto"}, True, False),
        ("--color always", {}, True, True),
        ("--color=never", {}, False, False),
        # Two of them: the stronger first.
        ("", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ("", {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
        ("", {"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True, True),
        ("", {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, True),
        ("", {"JINA_COLOR": "always", "NO_COLOR": "1"}, True, True),
        ("", {"JINA_COLOR": "never", "FORCE_COLOR": "1"}, False, False),
        ("", {"JINA_COLOR": "auto", "NO_COLOR": "1"}, False, False),
        ("--color always", {"JINA_COLOR": "never", "NO_COLOR": "1"}, True, True),
        ("--color never", {"JINA_COLOR": "always", "CLICOLOR_FORCE": "1"}, False, False),
        ("--color auto", {"JINA_COLOR": "always"}, True, False),
        ("--color auto", {"NO_COLOR": "1"}, False, False),
    ],
)
def test_who_decides(
    arguments: str, variables: dict[str, str], on_terminal: bool, in_pipe: bool
) -> None:
    environment = {"TERM": "xterm", **variables}
    settle(arguments.split(), environment)
    assert decided(environment, is_terminal=True) is on_terminal
    assert decided(environment, is_terminal=False) is in_pipe


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("post /index", None),
        ("--color never post /index", "never"),
        ("post /index --color=always", "always"),
        ("--color never post /index --color always", "always"),
        ("post /index --color", None),
        ("post /index --color blue", None),
        ("post /index --colors never", None),
        ("flow check -- --color never", None),
    ],
)
def test_the_option_is_found_wherever_it_is_typed(words: str, found: str | None) -> None:
    assert asked(words.split()) == found


def test_what_is_decided_is_handed_on_to_child_processes() -> None:
    environment = {"FORCE_COLOR": "1", "CLICOLOR": "1"}
    settle(["--color", "never"], environment)
    assert environment == {"NO_COLOR": "1"}
    settle(["--color", "always"], environment)
    assert environment == {"FORCE_COLOR": "1"}


COMMANDS = (
    ["--help"],
    ["flow", "up", "--help"],
    ["executor", "run", "catalogue://UpperCase", "/upper", "--text=a", "--output-format=table"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_terminal_has_colors_unless_they_are_unwanted(shell: Shell, command: list[str]) -> None:
    for options, has_colors in (([], True), (["--color", "never"], False)):
        with Terminal(shell, *command, *options) as terminal:
            assert terminal.process.wait(60) == 0
            assert (ESCAPE in terminal.shown) is has_colors


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_pipe_has_no_colors_unless_they_are_wanted(shell: Shell, command: list[str]) -> None:
    assert ESCAPE not in shell.run(*command).out
    assert ESCAPE in shell.run(*command, "--color", "always").out


def test_json_lines_never_have_colors(shell: Shell) -> None:
    words = ("executor", "run", "catalogue://UpperCase", "/upper", "--color", "always")
    done = shell.run(*words, stdin=json_lines(2))
    assert done.code == 0, done.err
    assert ESCAPE not in done.out


def test_another_value_is_wrong_usage(shell: Shell) -> None:
    for done in (shell.call("flow", "ps", "--color", "blue"), shell.run("--color", "blue", "flow")):
        assert done.code == 2
        assert done.err.startswith('error: --color: must be auto, always or never, not "blue"\n')


def test_no_screen_decides_for_itself() -> None:
    own = []
    for path in (ROOT / "jinacli").rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if type(node) is ast.Call)
        if any(isinstance(call.func, ast.Name) and call.func.id == "Console" for call in calls):
            own.append(path.relative_to(ROOT).as_posix())
    assert own == ["jinacli/color.py"]
