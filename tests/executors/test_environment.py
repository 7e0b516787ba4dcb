"""What an Executor's YAML sets in the environment has the effect that it has at a start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, warnings
if sys.argv[1:]:
    from jina.executors.environment import set_variables
    set_variables({"PYTHONWARNINGS": sys.argv[1]})
warnings.warn("deep: old", DeprecationWarning)
warnings.warn("a (b) future", FutureWarning)
try:
    warnings.warn("user")
except UserWarning:
    print("raised")
"""


def shown(*arguments: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "value",
    [
        "ignore",
        "ignore::FutureWarning",
        "ignore:a (b)",
        "ign:user,ignore:deep",
        "ignore,default::FutureWarning",
        "error::UserWarning",
        "ignore:::__main__",
        "ignore:::other",
        "ignore::DeprecationWarning:__main__:7",
        "ignore::DeprecationWarning:__main__:8",
        " ignore , error :: UserWarning",
        "",
    ],
)
def test_filters_of_warnings_do_what_they_do_at_the_start(value: str) -> None:
    assert shown(value) == shown(PYTHONWARNINGS=value)


@pytest.mark.parametrize("value", ["nonsense", "ignore::NoSuch", "ignore::int", "ignore::a.b"])
def test_a_filter_that_is_none_is_told_and_ignored(value: str) -> None:
    found = shown(value)
    assert found.startswith("Invalid PYTHONWARNINGS ignored: ")
    assert "UserWarning: user" in found
