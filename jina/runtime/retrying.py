"""Which errors of an Executor are tried again, and when."""

from __future__ import annotations

from collections.abc import Sequence

from jina.graph.plan import Retries
from jina.wire.maps import ErrorInfo

_LONGEST_S = 60.0


def delay_s(retries: Retries | None, before: int, error: ErrorInfo) -> float | None:
    """How long to wait before a call that raised is tried again; None for never.

    Args:
        retries: of its node.
        before: how often it has been tried again already.
        error: that was raised. One without classes is not an error of the Executor.
    """
    if retries is None or before >= retries.times or not error.classes:
        return None
    if retries.on and not any(_is_meant(name, error.classes) for name in retries.on):
        return None
    # The exponent is bounded before the product: 2 ** 1000 is no float.
    return min(_LONGEST_S, retries.backoff_s * 2.0 ** min(before, 64))


def _is_meant(name: str, classes: Sequence[str]) -> bool:
    """Whether a name, dotted or not, is that of one of the classes."""
    ending = f".{name}"
    return any(each == name or each.endswith(ending) for each in classes)
