"""docs/conventions.md: what its table names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup, TyperOption

from jinacli.commands.root import commands
from jinacli.twins import SHARED, name_twins

DOCS = Path(__file__).parents[1] / "docs"
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in (DOCS / "conventions.md").read_text().splitlines()
    if re.match(r"\| \d", line)
]
KNOWN = {"NO_COLOR", *SHARED.values()}
COMMANDS = sorted({code for row in ROWS for code in re.findall(r"`([^`]*\bjina [^`]*)`", row[2])})


def test_there_is_a_row_for_each_of_the_47() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 48)]
    assert all(len(row) == 4 and row[1] and "`" in row[2] for row in ROWS)


@pytest.mark.parametrize("text", COMMANDS)
def test_the_command_and_its_options_exist(text: str) -> None:
    words = shlex.split(text)
    variables = []
    while words[0] != "jina":
        variables.append(words.pop(0).partition("=")[0])
    command = commands()
    ctx = typer.Context(command, info_name="jina")
    path: list[str] = []
    rest = words[1:]
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        found = command.get_command(ctx, rest[0])
        assert found is not None, rest[0]
        path.append(rest.pop(0))
        command = found
        ctx = typer.Context(command, parent=ctx, info_name=path[-1])
    name_twins(command.params, path)
    options = [param for param in command.get_params(ctx) if isinstance(param, TyperOption)]
    known = {name for param in options for name in param.opts} | {"--color", "--help"}
    missing = [word for word in rest if word.startswith("-") and word != "-" and word not in known]
    assert not missing
    twins = {name for param in command.params for name in param.envvar or ()}
    assert set(variables) <= KNOWN | twins


def test_what_it_links_to_exists() -> None:
    text = (DOCS / "conventions.md").read_text()
    for file, anchor in re.findall(r"\]\((\w+\.md)#([\w-]+)\)", text):
        headings = re.findall(r"^#+ (.*)$", (DOCS / file).read_text(), re.MULTILINE)
        assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
