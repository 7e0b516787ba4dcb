"""Let the processes of a test run share the work of compiling the test files.

pytest compiles each test file with its assertions rewritten, and keeps the result. All processes
import all files, at the same time and in the same order, so in a fresh copy each would compile all
of them. Here each begins with another part of the files, and finds the other parts compiled.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
_TOOLS = ("bench", "editor")  # folders whose tests run when they are named


def import_in_turn(config: pytest.Config) -> None:
    """Import all test files, in an order of this process's own.

    Whatever is wrong with one of them is told when it is collected.
    """
    worker: dict[str, str | int] = getattr(config, "workerinput", {})
    if not worker or sys.dont_write_bytecode or not is_everything(config.args):
        return
    paths = sorted(path for path in TESTS.rglob("test_*.py") if path.parent.name not in _TOOLS)
    names = [name_of(path) for path in paths]
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(worker["workercount"])
    start = number * len(names) // count
    for name in names[start:] + names[:start]:
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def is_everything(arguments: list[str]) -> bool:
    return [Path(each).resolve() for each in arguments] == [TESTS]


def name_of(path: Path) -> str:
    return ".".join((TESTS.name, *path.relative_to(TESTS).with_suffix("").parts))
