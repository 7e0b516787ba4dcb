"""Every command, with words that are right and words that are wrong.

A command that is missing here fails `test_every_command.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import typer

from jinacli.commands.root import app


@dataclass(frozen=True)
class Case:
    """How a command is used in the folder of the tests, see `folder` in `conftest.py`.

    Attributes:
        good: words with which it succeeds.
        prints: what it then writes to standard output.
        shown: words for somebody at a terminal; those of `good` if empty.
        mistakes: words that are wrong, and the exit code.
        file: words with FILE, in which the name of a file may stand.
        stdin: what its standard input holds.
        makes: a file or folder that it makes.
        starts: it starts processes, so it is run fewer times.
        narrowest: columns of the narrowest terminal that its output fits into; ANY for data, and
            for sentences and logs, which the terminal breaks.
        stays: at a terminal it shows what happens until it is told to quit.
    """

    good: str
    prints: Literal["nothing", "text", "json", "lines"]
    shown: str = ""
    mistakes: tuple[tuple[str, int], ...] = ()
    file: str = ""
    stdin: bytes | None = None
    makes: str = ""
    starts: bool = False
    narrowest: int = 40
    stays: bool = False


ANY = 10_000
CASES = {
    "completion show": Case("bash", "text", mistakes=(("basic", 2),), narrowest=ANY),
    "completion install": Case(
        "bash", "nothing", mistakes=(("basic", 2),), makes="home", narrowest=ANY
    ),
    "post": Case(
        "/ -i data.jsonl -q",
        "lines",
        mistakes=(
            ("/ -i none.jsonl", 2),
            ("/ --limit x", 2),
            ("/ -t a --address x", 4),
            ("/ -i data.jsonl --on x", 2),
            ("/ -i data.jsonl --lanes 2", 2),
            ("/ -i data.jsonl --on ray", 2),
        ),
        file="/ -i FILE",
    ),
    "schema": Case("flow", "json", mistakes=(("flows", 2),), narrowest=ANY),
    "flow up": Case(
        "other.yml --detach --json",
        "json",
        mistakes=(("none.yml", 2), ("other.yml --port 99999", 2), ("other.yml --on rya", 2)),
        file="FILE",
        starts=True,
    ),
    "flow down": Case("nobody", "nothing", mistakes=(("--timeout nan", 2),)),
    "flow ps": Case("--json", "json", shown=" ", mistakes=(("x", 2),)),
    "flow list": Case("--json", "json", shown=" ", mistakes=(("x", 2),)),
    "flow status": Case("--json", "json", shown=" ", mistakes=(("flwo", 4),)),
    "flow logs": Case(
        "--json", "lines", shown=" ", mistakes=(("uper", 2), ("--since x", 2)), narrowest=ANY
    ),
    "flow top": Case("", "text", mistakes=(("flwo", 4), ("--interval x", 2)), stays=True),
    "flow scale": Case("upper=1", "nothing", mistakes=(("upper=x", 2), ("uper=1", 2))),
    "flow restart": Case("upper -q", "nothing", mistakes=(("uper", 2),), starts=True),
    "flow config": Case("flow.yml", "text", mistakes=(("--set x", 2),), file="FILE", narrowest=ANY),
    # It names files by their paths, as long as they are.
    "flow endpoints": Case("flow.yml --json", "json", shown="flow.yml", file="FILE", narrowest=200),
    "flow diff": Case("flow.yml", "nothing", mistakes=(("--set x", 2),), file="FILE"),
    "flow check": Case("checked.yml", "text", mistakes=(("--output-format x", 2),), file="FILE"),
    "flow plot": Case("flow.yml", "text", mistakes=(("none.yml", 2),), file="FILE"),
    "flow new": Case(
        "demo", "nothing", mistakes=(("a/b", 1), ("x.yml", 2)), makes="demo", narrowest=80
    ),
    "executor check": Case("my.yml", "text", mistakes=(("my.yml -i x", 2),), file="FILE"),
    "executor run": Case(
        "my.yml / -q",
        "lines",
        mistakes=(("none.yml /", 2), ("my.yml / -i none.jsonl", 2)),
        file="my.yml / -i FILE",
        stdin=b'{"id": "a", "text": "x"}\n',
    ),
    # The environment of the tests has all that it needs.
    "executor install": Case(
        f"--venv {sys.prefix} -q",
        "text",
        mistakes=(("my.yml", 2), (f"none.yml --venv {sys.prefix}", 2), ("--venv .", 2)),
        file=f"FILE --venv {sys.prefix}",
        narrowest=ANY,
    ),
    "keys new": Case(
        "demo", "nothing", mistakes=(("a/b", 2), ("demo --role x", 2)), makes="keys", narrowest=80
    ),
    "keys list": Case(
        "--keys pairs --json",
        "json",
        shown="--keys pairs",
        mistakes=(("--keys none", 2),),
        narrowest=ANY,
    ),
    "flow export kubernetes": Case(
        "checked.yml -o deploy --image i:1 -q",
        "nothing",
        mistakes=(("checked.yml -o deploy", 2), ("none.yml -o deploy --image i:1", 2)),
        file="FILE -o deploy --image i:1",
        makes="deploy",
        narrowest=ANY,
    ),
    "flow export compose": Case(
        "checked.yml -o deploy --image i:1 -q",
        "nothing",
        mistakes=(("checked.yml -o deploy", 2),),
        makes="deploy",
        narrowest=ANY,
    ),
    "flow export dockerfile": Case(
        "checked.yml -o deploy -q",
        "nothing",
        mistakes=(("none.yml -o deploy", 2),),
        makes="deploy",
        narrowest=ANY,
    ),
    "executor export dockerfile": Case(
        "my.yml -o deploy -q",
        "nothing",
        mistakes=(("none.yml -o deploy", 2),),
        makes="deploy",
        narrowest=ANY,
    ),
    "executor list": Case("--json", "json", shown=" ", mistakes=(("x", 2),)),
    "executor new": Case(
        "Demo", "nothing", mistakes=(("a/b", 1), ("1x", 2)), makes="Demo", narrowest=80
    ),
}


SERVES = {
    "http": "tests/jinacli/flow/test_http.py",
    "executor serve": "tests/flow/test_external.py",
}
"""Commands that do nothing but serve until they are ended, and where their tests are."""


def every_command() -> list[str]:
    """The commands that there are, as somebody types them."""
    return sorted(_below(typer.main.get_command(app)))


def _below(group: object, *path: str) -> Iterator[str]:
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if getattr(command, "hidden", False):
            continue
        if hasattr(command, "commands"):
            yield from _below(command, *path, name)
        else:
            yield " ".join([*path, name])
