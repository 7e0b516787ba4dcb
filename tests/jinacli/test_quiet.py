"""`--quiet` on all commands that have it."""

from __future__ import annotations

import typer

from tests.jinacli.test_twins import commands
from tests.shell import Shell


def test_it_may_be_given_twice_wherever_it_may_be_given_once() -> None:
    takers = []
    for path, command in commands():
        if any("-q" in param.opts for param in command.params):
            ctx = typer.Context(command)
            values, rest, _ = command.make_parser(ctx).parse_args(["-qq"])
            given = [value for value in values.values() if value is not None]
            assert (given, rest) == ([True], []), path
            takers.append(" ".join(path))
    assert {"post", "flow up", "flow down", "flow ps", "executor run"} <= set(takers)
    assert {"flow check", "executor check"} <= set(takers)


def test_quieter_than_quiet_is_quiet(shell: Shell) -> None:
    words = ("executor", "run", "catalogue://UpperCase", "/upper", "-t", "a")
    assert shell.run(*words, "-qq").err == ""
    assert shell.run(*words, "-qq", "--request-size", "-1").err.startswith("error: ")
