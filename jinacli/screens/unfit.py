"""A Flow that cannot be started because something in its YAML, or an Executor, does not fit.

What is found first is said at once: by the loader, which imports nothing, or by the first worker
that fails, which knows neither the others' mistakes nor the lines of its own. Once every process is
gone, a check of the whole Flow says the rest, each mistake at its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from jina.excepts import ConfigError, RuntimeFailToStart
from jinacli import exits
from jinacli.screens.errors import say, text_of

_USER_FRAME = '  File "'  # of a traceback


def checked_if_unfit(source: str | Path, start: Callable[[], int], *, is_told: bool = False) -> int:
    """Start a Flow; where that fails for what a check finds, say everything that it finds.

    Args:
        source: the YAML's path, or its text.
        start: does it; returns the exit code.
        is_told: whether `start` says the `first_words` of a worker that fails.

    Raises:
        ConfigError: it failed for something else than YAML.
        RuntimeFailToStart: it failed for another reason.
    """
    try:
        return start()
    except ConfigError as error:
        if not error.problems:
            raise
        first: ConfigError | RuntimeFailToStart = error
    except RuntimeFailToStart as error:
        if not error.is_unfit:
            raise
        first = error
    if isinstance(first, ConfigError) or not is_told:
        say(first_words(first))
    return _check(source, first)


def first_words(first: ConfigError | RuntimeFailToStart) -> str:
    """What is said at once: of a worker that failed, the traceback of the user's code, if any."""
    first.hint = ""  # to check the Flow: that is what follows
    text = text_of(first)
    if isinstance(first, ConfigError) or _USER_FRAME in text:
        return text
    return text.partition("\n")[0]


def _check(source: str | Path, first: ConfigError | RuntimeFailToStart) -> int:
    # Late: only a start that failed needs it.
    from jina.check import check_flow
    from jinacli.screens.watched import Begin, watched

    words = first_words(first)
    code = exits.exit_code_of(first)
    told = first.problems if isinstance(first, ConfigError) else []

    def work(begin: Begin) -> int:
        _hide_data()
        found = check_flow(source, begin=begin).errors
        new = [p for p in found if p not in told and not _is_shown(p.detail, words)]
        if new:
            say(f"\n{ConfigError(problems=new)}")
        elif words != text_of(first):  # a check finds less than a worker
            say(text_of(first).removeprefix(words).lstrip())
        return code

    return watched(work, failed=code)


def _hide_data() -> None:
    """What modules read and write, by descriptors too, is no data of the command that failed."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)


def _is_shown(traceback: str, words: str) -> bool:
    """Whether the worker that failed has shown this: the same exception, from the same line."""
    # A name that is no UTF-8 has crossed from the worker as Python prints it.
    printed = traceback.encode(errors="backslashreplace").decode()
    lines = [line.strip() for line in printed.splitlines()]
    frames = [line for line in lines if line.startswith(_USER_FRAME.strip())]
    shown = {line.strip() for line in words.splitlines()}
    return bool(lines) and shown.issuperset([*frames[-1:], lines[-1]])
