"""Commands of Jina 2 and 3 say what to type now."""

from __future__ import annotations

import pytest
import typer

from jinacli.commands.root import commands
from jinacli.older_commands import OLDER, answer
from tests.shell import Shell


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("flow --uses my.yml", "jina flow up my.yml"),
        ("flow --uses=my.yml --port-expose 8080", "jina flow up my.yml"),
        ("flow --port-expose 8080 --uses my.yml", "jina flow up my.yml"),
        ("flow --uses", "jina flow up flow.yml"),
        ("executor --uses my.yml", "jina executor run my.yml ENDPOINT"),
        ("executor --uses jinahub://Encoder", "jina executor list"),
        ("pod --uses my.yml", "jina flow up flow.yml"),
        ("hello", "jina flow new NAME"),
        ("hub new", "jina executor list"),
        ("client", "jina post ENDPOINT --inputs FILE"),
        ("ping localhost 1234", "jina flow ps"),
        ("export flowchart", "jina flow plot flow.yml"),
        ("export-api", "jina schema flow"),
        ("gateway", "jina flow up flow.yml --http 8080"),
    ],
)
def test_what_to_type_now(words: str, said: str) -> None:
    text = answer(words.split())
    assert text.startswith("error: `jina ")
    assert f"`{said}`" in text.partition("\nhelp: ")[2]


@pytest.mark.parametrize(
    "words",
    ["", "flow", "flow up --uses x", "flow --help", "executor list", "post /pod", "--version"],
)
def test_other_words_are_left_alone(words: str) -> None:
    assert answer(words.split()) == ""


def test_no_command_of_ours_is_taken_for_an_older_one() -> None:
    root = commands()
    assert not set(OLDER) & set(root.list_commands(typer.Context(root)))


def test_it_is_wrong_usage(shell: Shell) -> None:
    done = shell.fork("flow", "--uses", "my flow.yml")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: `jina flow --uses` is a command of older versions\n"
        "help: `jina flow up 'my flow.yml'`\n"
    )
