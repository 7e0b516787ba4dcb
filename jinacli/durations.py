"""Durations as people write them on the command line: 30s, 500ms, 2m, or seconds."""

from __future__ import annotations

import re

import typer

from jina.defaults import MAX_TIMEOUT_S

_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_WRITTEN = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)"


def seconds_of(text: str | None, option: str, *, least_s: float = 0.001) -> float | None:
    """The seconds that an option means; None where it was not given.

    Args:
        text: its value.
        option: its name, for messages.
        least_s: the shortest that makes sense.

    Raises:
        typer.BadParameter: it is not a duration, or too short or too long.
    """
    if text is None:
        return None
    found = re.fullmatch(_WRITTEN, text.strip(), re.IGNORECASE)
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise typer.BadParameter(
            f"{text!r} is not a duration, such as 30s, 500ms, 2m or 1h", param_hint=option
        )
    seconds = float(found[1]) * unit
    if not least_s <= seconds <= MAX_TIMEOUT_S:
        what = f"at least {least_s:g}" if seconds < least_s else f"at most {MAX_TIMEOUT_S:g}"
        raise typer.BadParameter(f"must be {what} s", param_hint=option)
    return seconds
