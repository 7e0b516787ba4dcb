"""Numbers in tags that no float64 holds, such as 1e999; the Executor that finds one did no wrong.

Tags stay in their bytes until somebody reads them, so nobody looks at them before.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from jina.http.problems import Place, Problem

_SAID = "`tags` cannot be read: Number out of range"


def far_numbers(message: str, lines: Sequence[bytes], first: int = 0) -> list[Problem]:
    """The numbers that an error is about; empty for other errors.

    Args:
        message: of the error.
        lines: the Documents as they were sent.
        first: index of the first of them in `data`.
    """
    if not message.startswith(_SAID):
        return []
    return [
        Problem(place, f"`{_named(place)}` is beyond the range of float64", "value_error")
        for index, line in enumerate(lines, first)
        for place in _places(json.loads(line), ["body", "data", index])
    ]


def _named(place: Place) -> str:
    return ".".join(map(str, place[3:]))


def _places(value: Any, place: Place) -> Iterator[Place]:
    if isinstance(value, float) and math.isinf(value):
        yield place
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _places(each, [*place, key])
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _places(each, [*place, index])
