"""Ask an interpreter something: what it says, how it fails, and no process of it left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jina.launch import elsewhere
from jina.launch.elsewhere import NEEDED
from jina.launch.ending import ending

_PATIENCE_S = 60.0  # for an interpreter that only imports jina
_VERSION = "import sys; sys.stdout.write('\\njina hears %d.%d.%d\\n' % sys.version_info[:3])"
_SHOWN_CHARS = 300  # of a line that it printed


class NoAnswer(Exception):
    """It cannot be run, or does not answer; the text says why, and begins with its path."""


class Answer(NamedTuple):
    """What a process has said.

    Attributes:
        code: its exit code, or the signal that killed it, negative.
        lines: of its standard output.
        errors: lines of its standard error.
    """

    code: int
    lines: list[str]
    errors: list[str]


def ask(words: Sequence[str], env: Mapping[str, str] | None = None) -> Answer:
    """Run a command without input, and return what it says.

    Args:
        words: the command.
        env: its environment; None for ours.

    Raises:
        NoAnswer: it cannot be run, or takes too long; then all of its group is killed.
    """
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
    except OSError as error:
        raise NoAnswer(f"{words[0]} {not_run(error)}") from None
    with process:
        try:
            out, err = process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            _kill_group(process.pid)
            raise NoAnswer(f"{words[0]} did not answer within {_PATIENCE_S:g} s") from None
        except BaseException:  # Ctrl-C
            _kill_group(process.pid)
            raise
    return Answer(process.returncode, _lines(out), _lines(err))


def not_run(error: OSError) -> str:
    """Why a program could not be started, in words."""
    return f"cannot be run: {error.strerror or error}"


def version_of(python: str) -> tuple[int, int, int]:
    """The version of a Python, of any age.

    Raises:
        NoAnswer: it does not run as one.
    """
    answer = ask([python, "-c", _VERSION])
    for line in answer.lines:
        if found := re.fullmatch(r"jina hears (\d+)\.(\d+)\.(\d+)", line):
            major, minor, micro = found.groups()
            return int(major), int(minor), int(micro)
    raise NoAnswer(no_python(python, answer))


def is_too_old(answer: Answer) -> bool:
    """Whether a Python that was to run `elsewhere.py` does not even know its syntax."""
    if not answer.errors or any(line.startswith("Traceback (") for line in answer.errors):
        return False
    is_syntax = answer.errors[-1].startswith("SyntaxError")
    return is_syntax and any(elsewhere.__file__ in line for line in answer.errors)


def too_old(python: str) -> str:
    """What is said of one that is."""
    return f"{python} is too old: {NEEDED}"


def no_python(python: str, answer: Answer) -> str:
    """What is said of a program that has not answered as a Python does."""
    how = ending(answer.code).removeprefix("ended with ")
    said = [line.strip() for line in answer.errors if line.strip()]
    what = f'it said: "{said[0][:_SHOWN_CHARS]}"' if said else "it said nothing"
    return f"{python} does not run as a Python: {how}; {what}"


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="replace").strip().splitlines()
