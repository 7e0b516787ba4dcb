"""Start a Flow; if its YAML or an Executor is wrong, check the whole Flow and say everything.

The first mistake is said at once: by the loader, which imports nothing, or by the first worker that
fails, which knows neither the others' mistakes nor the lines of its own. Once every process is
gone, a check of the whole Flow says the rest, each mistake at its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jina.excepts import ConfigError, RuntimeFailToStart
from jinacli import exits
from jinacli.screens.errors import USER_FRAME, first_words, say, text_of

if TYPE_CHECKING:
    from jinacli.flow.given import Given


def checked_if_unfit(
    given: Given | Callable[[], Given] | None, start: Callable[[], int], *, is_told: bool = False
) -> int:
    """Start a Flow; if it fails because of what a check can find, say everything the check finds.

    Args:
        given: its YAML, and what is laid over it, or what makes that; None where none is started.
        start: does it; returns the exit code.
        is_told: whether `start` says the `first_words` of a worker that fails.

    Raises:
        ConfigError: it failed because of something other than YAML.
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
    if given is None:
        raise first
    if isinstance(first, ConfigError) or not is_told:
        say(first_words(first))
    return _check(given, first)


def _check(source: Given | Callable[[], Given], first: ConfigError | RuntimeFailToStart) -> int:
    # Late: only a start that failed needs it.
    from jina.check import read_for_flow
    from jinacli.check.apart import checked_apart

    given = source() if callable(source) else source
    words = first_words(first)
    told = first.problems if isinstance(first, ConfigError) else []
    found = checked_apart([read_for_flow(given.source, options=given.options)])[0].errors
    new = [p for p in found if p not in told and not _is_shown(p.detail, words)]
    if new:
        say(f"\n{ConfigError(problems=new)}")
    elif words != text_of(first):  # a check finds less than a worker
        say(text_of(first).removeprefix(words).lstrip())
    return exits.exit_code_of(first)


def _is_shown(traceback: str, words: str) -> bool:
    """Whether the worker that failed has shown this: the same exception, from the same line."""
    # A name that is no UTF-8 has crossed from the worker as Python prints it.
    printed = traceback.encode(errors="backslashreplace").decode()
    lines = [line.strip() for line in printed.splitlines()]
    frames = [line for line in lines if line.startswith(USER_FRAME.strip())]
    shown = {line.strip() for line in words.splitlines()}
    return bool(lines) and shown.issuperset([*frames[-1:], lines[-1]])
