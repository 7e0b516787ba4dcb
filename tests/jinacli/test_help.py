"""What the command line says of itself, and of commands that it does not know."""

from __future__ import annotations

import io
import re
import sys
from typing import Any

import pytest

from jinacli.commands.building import Group
from jinacli.commands.root import commands
from jinacli.screens.help import page
from tests.shell import Shell
from tests.terminal import Terminal


def pages(columns: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The help page of every command, by what is typed; drawn here, since a start takes longer."""
    monkeypatch.setenv("COLUMNS", str(columns))
    top = commands()
    found = {}
    ahead: list[tuple[Any, Any, Any]] = [("jina", top, None)]
    for name, command, parent in ahead:
        ctx = command.make_context(name, [], parent, resilient_parsing=True)
        found[ctx.command_path] = page(command, ctx, io.StringIO())
        for each in command.summaries() if isinstance(command, Group) else ():
            ahead.append((each, command.get_command(ctx, each), ctx))
    return found


def is_group(text: str) -> bool:
    return "\nCommands:\n" in text


def test_a_page_begins_with_usage_a_sentence_and_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in pages(80, monkeypatch).items():
        usage, summary, examples, *rest = text.split("\n\n")
        assert usage.startswith(f"Usage: {path} [OPTIONS]")
        assert re.fullmatch(r"[A-Z].*[\w`]", summary, re.DOTALL), path
        assert not re.search(r"<\w+>|\{\w+\}|required\]", text), path
        if not is_group(text):
            title, *lines = examples.splitlines()
            assert title == "Examples:", path
            assert all(line.startswith("  ") and path in line for line in lines), path
            assert re.match(r"(Options|Messages):", rest[-1]), path


def test_options_of_a_long_page_stand_under_headings(shell: Shell) -> None:
    out = shell.call("post", "--help").out
    headings = re.findall(r"^(\w+):$", out, re.MULTILINE)
    assert headings[:5] == ["Examples", "Arguments", "Inputs", "Flow", "Requests"]
    sections = dict(re.findall(r"^(\w+):\n((?:  .*\n)+)", out, re.MULTILINE))
    assert "  -i, --inputs " in sections["Inputs"]
    assert "  -o, --output " in sections["Output"]
    assert "--address ADDRESS Address of a Flow's gateway [env: " in " ".join(out.split())
    assert "[0 to 10,000" in " ".join(out.split())
    assert re.search(r"--tensors FORM .*\[default: list", " ".join(out.split()))


def test_choices_are_named(shell: Shell) -> None:
    out = " ".join(shell.call("executor", "run", "--help").out.split())
    assert "--tensors FORM How tensors are written [list, typed or base64; default: list; " in out


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_page_fits_its_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in pages(columns, monkeypatch).items():
        # What is there to be copied stays whole, and so does a word.
        is_whole = re.compile(r"  (?=# |.*jina )| *\S+$").match
        lines = [line for line in text.splitlines() if not is_whole(line)]
        assert max(map(len, lines)) <= min(columns, 100), path


def test_headings_are_bold_on_a_terminal_unless_no_colours_are_wanted(shell: Shell) -> None:
    with Terminal(shell, "--help") as terminal:
        terminal.wait_for("terminated")
        assert terminal.shown.startswith("\x1b[1mUsage:\x1b[0m jina [OPTIONS] COMMAND\n")
    shell.environment["NO_COLOR"] = "1"
    with Terminal(shell, "--help") as terminal:
        terminal.wait_for("terminated")
        assert "\x1b" not in terminal.shown


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands_and_the_exit_codes(shell: Shell, option: str) -> None:
    shell.environment["COLUMNS"] = "100"
    done = shell.run(option)
    assert (done.code, done.err) == (0, "")
    for command in ("flow", "executor", "post", "schema"):
        assert re.search(rf"^  {command} +[A-Z]", done.out, re.MULTILINE)
    codes = re.findall(r"^ +(\d+)  (\S.*)$", done.out, re.MULTILINE)
    assert codes == [
        ("0", "success; also a Flow stopped by a signal, or a closed stdout"),
        ("1", "failed, or check found something"),
        ("2", "usage error, or invalid YAML"),
        ("3", "done, but some Documents failed"),
        ("4", "cannot connect, or not authorized"),
        ("124", "timeout"),
        ("130", "interrupted"),
        ("143", "terminated"),
    ]


def test_version_names_what_matters_in_a_report(shell: Shell) -> None:
    done = shell.call("--version")
    assert (done.code, done.err) == (0, "")
    parts = "pyzmq {0}, numpy {0}, msgspec {0}, pydantic {0}, typer {0}".format(r"[\d.]+")
    assert re.fullmatch(rf"jina [\d.]+ \(Python [\d.]+, {parts}\)\n", done.out)


@pytest.mark.parametrize("group", ["", "flow", "executor"])
def test_without_a_command_the_help_is_shown_and_it_is_wrong_usage(
    shell: Shell, group: str
) -> None:
    done = shell.call(*group.split())
    assert (done.code, done.out) == (2, "")
    assert done.err == shell.call(*group.split(), "--help").out


SEE = "help: see `jina post --help`\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("pots", 'error: "pots" is not a command\nhelp: did you mean `jina post`?\n'),
        ("up", 'error: "up" is not a command\nhelp: did you mean `jina flow up`?\n'),
        (
            "flow upp",
            'error: "upp" is not a command of "jina flow"\nhelp: did you mean `jina flow up`?\n',
        ),
        (
            "flow post",
            'error: "post" is not a command of "jina flow"\nhelp: did you mean `jina post`?\n',
        ),
        (
            "flow start",
            'error: "start" is not a command of "jina flow"\nhelp: did you mean `jina flow up`?\n',
        ),
        ("stop", 'error: "stop" is not a command\nhelp: did you mean `jina flow down`?\n'),
        ("zzz", 'error: "zzz" is not a command\nhelp: see `jina --help`\n'),
        ("post / --inpts x", "error: unknown option --inpts\nhelp: did you mean --inputs?\n"),
        (
            "post / --request 5",
            "error: unknown option --request\n"
            "help: did you mean --request-size or --request-timeout?\n",
        ),
        (
            "post / --detach",
            "error: unknown option --detach\nhelp: --detach is an option of `jina flow up`\n",
        ),
        ("post / --retrs 3", "error: unknown option --retrs\nhelp: did you mean --retries?\n"),
        (
            "executor run a.yml / --retries 3",
            "error: unknown option --retries\nhelp: --retries is an option of `jina post`\n",
        ),
        ("post / --zebra 3", f"error: unknown option --zebra\n{SEE}"),
        ("post / -z", f"error: unknown option -z\n{SEE}"),
        ("post", "error: ENDPOINT is missing\nhelp: usage: jina post [OPTIONS] ENDPOINT\n"),
        ("post / x", f'error: unexpected argument "x"\n{SEE}'),
        ("post / --limit", "error: --limit: needs a value\n"),
        ("post / --quiet=1", "error: --quiet: takes no value\n"),
        (
            "post / --request-size -1",
            f"error: --request-size: must be from 0 to 10,000, not -1\n{SEE}",
        ),
        ("post / --limit -1", f"error: --limit: must be 0 or more, not -1\n{SEE}"),
        ("post / --limit 1.5", f'error: --limit: must be a whole number, not "1.5"\n{SEE}'),
        (
            "flow down --timeout x",
            "error: --timeout: 'x' is not a duration, such as 30s, 500ms, 2m or 1h\n"
            "help: see `jina flow down --help`\n",
        ),
        (
            "schema x",
            'error: WHAT: must be flow or executor, not "x"\nhelp: see `jina schema --help`\n',
        ),
    ],
)
def test_wrong_usage_names_the_near_miss(shell: Shell, words: str, message: str) -> None:
    done = shell.call(*words.split())
    assert (done.code, done.out, done.err) == (2, "", message)


def test_a_variable_with_a_wrong_value_is_named(shell: Shell) -> None:
    shell.environment["JINA_NO_PROGRESS"] = "perhaps"
    done = shell.call("post", "/")
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == f'error: JINA_NO_PROGRESS (--no-progress): must be 1 or 0, not "perhaps"\n{SEE}'
    )


def test_python_runs_the_package_as_the_command(shell: Shell) -> None:
    with shell.start("-m", "jinacli", "--version", program=(sys.executable,)) as running:
        done = running.end()
    assert done == shell.call("--version")
    assert done.code == 0
