"""Whether output has colors: the one place that decides, for every screen, error and help page.

From strongest to weakest: `--color`, JINA_COLOR, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, CLICOLOR=0,
and then whether the stream is a terminal that can show colors. This module imports nothing heavy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console

When = Literal["auto", "always", "never"]

_WHEN: tuple[When, ...] = ("auto", "always", "never")
_PLAIN_TERMINALS = ("dumb", "unknown")
_FORCING = ("CLICOLOR_FORCE", "FORCE_COLOR")


def is_colored(stream: IO[str] | None) -> bool:
    """Whether what is written to this stream has colors.

    Args:
        stream: standard output or standard error; None if it is closed.
    """
    return decided(os.environ, is_terminal=stream is not None and stream.isatty())


def decided(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to use colors; `--color` has become a variable before (see `settle`).

    Args:
        environment: whose NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, CLICOLOR and TERM count; an empty
            value is the same as none.
        is_terminal: whether a person looks.
    """
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "") not in ("", "0") for name in _FORCING):
        return True
    if "0" in (environment.get("CLICOLOR"), environment.get("FORCE_COLOR")):
        return False
    return is_terminal and environment.get("TERM") not in _PLAIN_TERMINALS


def settle(arguments: Sequence[str], environment: dict[str, str] | os._Environ[str]) -> None:
    """Turn `--color` or JINA_COLOR into NO_COLOR or FORCE_COLOR, which child processes obey too.

    It looks at the words before they are parsed, so that even wrong usage is shown as asked.

    Args:
        arguments: the words after `jina`; the last `--color` counts.
        environment: is changed if there is something to change.
    """
    when = asked(arguments) or environment.get("JINA_COLOR")
    if when not in ("always", "never"):
        return
    for name in ("NO_COLOR", *_FORCING, "CLICOLOR"):
        environment.pop(name, None)
    environment["FORCE_COLOR" if when == "always" else "NO_COLOR"] = "1"


def asked(arguments: Sequence[str]) -> When | None:
    """The last valid value of `--color`; None without one. A wrong value is found when parsed."""
    found: When | None = None
    for position, word in enumerate(arguments):
        if word == "--":
            break
        if not word.startswith("--color"):
            continue
        value = word.removeprefix("--color=")
        if word == "--color" and position + 1 < len(arguments):
            value = arguments[position + 1]
        found = next((when for when in _WHEN if when == value), found)
    return found


def console_for(stream: IO[str], **options: Any) -> Console:
    """Rich's console for a stream, with colors or without as decided here.

    Args:
        stream: that it writes to.
        options: further ones of `rich.console.Console`.
    """
    # Late: rich takes a tenth of a second to load.
    from rich.console import Console

    colored = options.pop("colored", is_colored(stream))
    if not colored:
        return Console(file=stream, color_system=None, no_color=True, **options)
    return Console(file=stream, force_terminal=True, no_color=False, **options)
