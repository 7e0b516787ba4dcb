"""What the command line says of itself, and of commands that it does not know."""

from __future__ import annotations

import re
import sys

import pytest

from tests.shell import Shell

COMMANDS = (
    "post",
    "flow up",
    "flow down",
    "flow ps",
    "flow check",
    "flow plot",
    "executor check",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_of_itself(shell: Shell, command: str) -> None:
    done = shell.run(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    _, found, examples = done.out.partition("Examples:")
    assert found
    assert f"jina {command}" in examples


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands_and_the_exit_codes(shell: Shell, option: str) -> None:
    done = shell.run(option)
    assert (done.code, done.err) == (0, "")
    assert re.findall(r"│ (post|flow|executor) ", done.out) == ["post", "flow", "executor"]
    codes = re.findall(r"^ +(\d+)  (\S.*?) *$", done.out, re.MULTILINE)
    assert codes == [
        ("0", "done; also a Flow stopped by a signal, or stdout closed by its reader"),
        ("1", "failed, or check found something"),
        ("2", "wrong usage, or YAML that cannot be used"),
        ("3", "done, but some Documents failed"),
        ("4", "cannot connect, or not authorised"),
        ("124", "timeout"),
        ("130", "interrupted"),
        ("143", "terminated"),
    ]


def test_version_names_what_matters_in_a_report(shell: Shell) -> None:
    done = shell.run("--version")
    assert (done.code, done.err) == (0, "")
    parts = "pyzmq {0}, numpy {0}, msgspec {0}, pydantic {0}, typer {0}".format(r"[\d.]+")
    assert re.fullmatch(rf"jina [\d.]+ \(Python [\d.]+, {parts}\)\n", done.out)


@pytest.mark.parametrize("group", ["", "flow", "executor"])
def test_without_a_command_the_help_is_shown_and_it_is_wrong_usage(
    shell: Shell, group: str
) -> None:
    done = shell.run(*group.split())
    assert (done.code, done.err.strip()) == (2, "")
    assert f"Usage: jina {group}".strip() in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "pots",
            "Usage: jina [OPTIONS] COMMAND [ARGS]...\nTry 'jina -h' for help.\n\n"
            "Error: No such command 'pots'. Did you mean 'post'?\n",
        ),
        (
            "flow upp",
            "Usage: jina flow [OPTIONS] COMMAND [ARGS]...\nTry 'jina flow -h' for help.\n\n"
            "Error: No such command 'upp'. Did you mean 'up'?\n",
        ),
        (
            "post / --inpts x",
            "Usage: jina post [OPTIONS] {endpoint}\nTry 'jina post -h' for help.\n\n"
            "Error: No such option: --inpts (Possible options: --inputs)\n",
        ),
        (
            "post",
            "Usage: jina post [OPTIONS] {endpoint}\nTry 'jina post -h' for help.\n\n"
            "Error: Missing argument 'endpoint'.\n",
        ),
        (
            "post / --request-size -1",
            "Usage: jina post [OPTIONS] {endpoint}\nTry 'jina post -h' for help.\n\n"
            "Error: Invalid value for '--request-size': "
            "Input should be greater than or equal to 0\n",
        ),
    ],
)
def test_wrong_usage_names_the_near_miss(shell: Shell, words: str, message: str) -> None:
    done = shell.run(*words.split())
    assert (done.code, done.out, done.err) == (2, "", message)


def test_python_runs_the_package_as_the_command(shell: Shell) -> None:
    with shell.start("-m", "jinacli", "--version", program=(sys.executable,)) as running:
        done = running.end()
    assert done == shell.run("--version")
    assert done.code == 0
