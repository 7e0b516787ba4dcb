"""Every option has a twin in the environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup, TyperOption

from jinacli.commands.root import commands as built
from jinacli.twins import NO_TWIN, SHARED, twins_of
from tests.shell import Shell

#: What has these names already means something else.
OTHERS = {"JINA_RUN_DIR", "JINA_RUN_ID", "JINA_LOG_LEVEL", "JINA_TEST_ROOM"}
PRINTS_ENVIRONMENT = """
import os
from jina import Document, DocumentArray, Executor, requests

class Names(Executor):
    @requests(on="/names")
    def names(self, **kwargs):
        names = sorted(name for name in os.environ if name.startswith("JINA_"))
        return DocumentArray([Document(text=" ".join(names))])
"""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command and group, after the words that call it."""
    todo: list[Any] = [((), built())]
    while todo:
        path, command = todo.pop()
        yield path, command
        if isinstance(command, TyperGroup):
            names = command.list_commands(typer.Context(command))
            todo += [((*path, name), command.get_command(None, name)) for name in names]


def test_every_option_has_one_that_no_other_has() -> None:
    seen: dict[str, str] = {}
    for path, command in commands():
        for param in command.params:
            if not isinstance(param, TyperOption) or NO_TWIN.intersection(param.opts):
                continue
            if param.hidden:  # another name of an argument that has one
                continue
            own, *shared = twins_of(param, path)
            place = f"jina {' '.join(path)} {param.opts[0]}"
            assert own.startswith("JINA_"), place
            assert own not in seen, (place, seen.get(own))
            assert own not in OTHERS, place
            assert own not in SHARED.values(), place
            assert set(shared) <= set(SHARED.values()), place
            seen[own] = place
    assert seen["JINA_POST_TIMEOUT"] == "jina post --timeout"
    assert seen["JINA_FLOW_UP_INSECURE_NO_AUTH"] == "jina flow up --insecure-no-auth"


def test_a_shared_one_means_the_same_everywhere() -> None:
    """The `--quiet` of `flow ps` prints names, that of `flow config` nothing."""
    takers: dict[str, set[str]] = {name: set() for name in SHARED.values()}
    for path, command in commands():
        for param in command.params:
            for name in twins_of(param, path):
                if name in takers:
                    takers[name].add(" ".join(path))
    assert {"post", "flow scale", "flow restart", "flow down"} <= takers["JINA_FLOW"]
    assert takers["JINA_ADDRESS"] == {"http", "post"}
    assert {"post", "flow up", "flow down", "executor run"} <= takers["JINA_QUIET"]
    assert not {"flow ps", "flow config", "executor list"} & takers["JINA_QUIET"]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("post", ["JINA_POST_FLOW", "JINA_FLOW", "JINA_POST_REQUEST_SIZE", "JINA_COLOR"]),
        ("flow up", ["JINA_FLOW_UP_DETACH", "JINA_FLOW_UP_QUIET", "JINA_QUIET"]),
        ("flow down", ["JINA_FLOW_DOWN_TIMEOUT", "JINA_FLOW"]),
        ("", ["JINA_COLOR"]),
    ],
)
def test_the_help_shows_them(shell: Shell, command: str, names: list[str]) -> None:
    shown = shell.call(*command.split(), "--help", COLUMNS="200").out
    assert [name for name in names if name not in shown] == []


PLOT = ("flow", "plot", "flow.yml")


def test_what_is_typed_wins_over_its_twin_and_its_own_over_the_shared_one(shell: Shell) -> None:
    shell.flow("Upper")
    assert shell.call(*PLOT).out.startswith("●")
    assert shell.call(*PLOT, JINA_FLOW_PLOT_FORMAT="mermaid").out.startswith("flowchart")
    done = shell.call(*PLOT, "--format", "text", JINA_FLOW_PLOT_FORMAT="mermaid")
    assert done.out.startswith("●")
    assert shell.call(*PLOT, JINA_FLOW_PLOT_FORMAT="").out.startswith("●")
    done = shell.call("post", "/x", JINA_POST_FLOW="mine", JINA_FLOW="shared")
    assert done.err.startswith('error: no running Flow is named "mine"\n')
    assert done.err.endswith("note: from the environment: JINA_POST_FLOW=mine\n")


@pytest.mark.parametrize(
    ("words", "variables", "message"),
    [
        (
            "post /x",
            {"JINA_POST_REQUEST_SIZE": "-1"},
            "error: JINA_POST_REQUEST_SIZE (--request-size): ",
        ),
        (
            "post /x",
            {"JINA_POST_TIMEOUT": "soon"},
            "error: JINA_POST_TIMEOUT (--timeout): 'soon' is ",
        ),
        ("flow up x.yml", {"JINA_QUIET": "very"}, "error: JINA_QUIET (--quiet): "),
        ("flow ps", {"JINA_COLOR": "blue"}, "error: JINA_COLOR (--color): "),
        (
            "post /x",
            {"JINA_FLOW": "a", "JINA_ADDRESS": "b"},
            "error: JINA_FLOW (--flow): use --flow or --address, not both",
        ),
    ],
)
def test_an_error_names_the_variable(
    shell: Shell, words: str, variables: dict[str, str], message: str
) -> None:
    done = shell.call(*words.split(), COLUMNS="200", **variables)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_an_error_of_what_is_typed_names_no_variable(shell: Shell) -> None:
    done = shell.call("post", "/x", "--timeout", "soon", JINA_POST_TIMEOUT="3s", JINA_QUIET="1")
    assert done.code == 2
    assert "--timeout" in done.err
    assert "JINA_" not in done.err


def test_what_is_typed_silences_the_variable_of_its_rival(shell: Shell) -> None:
    done = shell.fork("post", "/x", "--flow", "mine", JINA_ADDRESS="ipc:///nowhere")
    assert done.err.startswith('error: no running Flow is named "mine"\n')
    assert "JINA_ADDRESS" not in done.err
    words = ("executor", "run", "catalogue://UpperCase", "/upper", "--text", "a")
    assert shell.fork(*words, JINA_EXECUTOR_RUN_INPUTS="missing.jsonl").lines[0]["text"] == "A"


def test_one_that_may_be_repeated_has_a_value_per_line(shell: Shell) -> None:
    words = ("executor", "run", "catalogue://UpperCase", "/upper")
    done = shell.fork(*words, JINA_EXECUTOR_RUN_TEXT="to be\nor not\n")
    assert [doc["text"] for doc in done.lines] == ["TO BE", "OR NOT"]


def test_executors_do_not_see_them(shell: Shell) -> None:
    shell.write("names.py", PRINTS_ENVIRONMENT)
    shell.write(
        "flow.yml",
        "jtype: Flow\nexecutors:\n  - uses: {jtype: Names, py_modules: [names.py]}\n"
        "    env: {JINA_ADDRESS: own}\n",
    )
    variables = {"JINA_POST_TIMEOUT": "30s", "JINA_QUIET": "1", "JINA_MINE": "1"}
    done = shell.fork("post", "/names", JINA_FLOW="flow.yml", **variables)
    assert done.code == 0, done.err
    names = set(done.lines[0]["text"].split())
    assert {"JINA_MINE", "JINA_ADDRESS"} <= names  # what the YAML says is for them
    assert names & {"JINA_POST_TIMEOUT", "JINA_QUIET", "JINA_FLOW"} == set()
