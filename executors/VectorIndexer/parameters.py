"""What a request to VectorIndexer may ask for, and the checks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from filters import Condition, condition_of
from vectors import METRICS

MODES = ("vector", "text", "hybrid")


class Search(NamedTuple):
    """How a search is done: by default as the Executor was told, or as the request asks.

    Args:
        mode: "vector", "text" or "hybrid".
        metric: of vectors.
        top_k: most matches.
        condition: that matches must fulfil; None for none.
    """

    mode: str
    metric: str
    top_k: int
    condition: Condition | None = None

    def asked(self, parameters: Mapping[str, Any]) -> Self:
        """The same with the parameters of a request.

        Raises:
            ValueError: naming the parameter and what it may be.
        """
        top_k = parameters.get("top_k", parameters.get("limit", self.top_k))
        return self._replace(
            mode=one_of("mode", parameters.get("mode", self.mode), MODES),
            metric=one_of("metric", parameters.get("metric", self.metric), METRICS),
            top_k=count("limit" if "top_k" not in parameters else "top_k", top_k),
            condition=condition_of(parameters.get("filter")),
        )


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Check a word.

    Raises:
        ValueError: it is not one of those that are allowed.
    """
    if value not in allowed:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
    return str(value)


def count(name: str, value: Any) -> int:
    """Check a number of matches; "3" and 3.0 will do, as clients may send them.

    Raises:
        ValueError: it is not a whole number of at least 1.
    """
    if isinstance(value, str | float | int) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if number.is_integer() and number >= 1:
            return int(number)
    raise ValueError(f"{name}: {value!r} is not a whole number of at least 1")
