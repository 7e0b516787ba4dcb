"""Which nodes a target means, where anybody may send one.

An expression can take for ever to match, and all requests of a front share one thread. So the
expressions that are taken here are the simple ones, whose cost is bounded.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jina.client.exchange import targets_of
from jina.excepts import BadClientInput
from jina.wire.maps import Welcome

_MAX_CHARS = 200
_MAX_REPEATS = 3  # each multiplies the cost by the length of a name
_MAX_CHOICES = 10  # each may double it
_REPEATED_GROUP = re.compile(r"\)\s*[*+?{]")
_PLAIN = re.compile(r"[\w./-]*").fullmatch


def named_by(target: str, welcome: Welcome | None) -> tuple[str, ...] | None:
    """The names of the nodes that a target means; None for all.

    Args:
        target: regular expression that the start of a name matches; "" for all.
        welcome: of the gateway; None if there is none yet.

    Raises:
        BadClientInput: it is not a regular expression, or not a simple one.
    """
    if not target or welcome is None:
        return None
    if len(target) > _MAX_CHARS:
        raise BadClientInput(f"the target has {len(target)} characters, more than {_MAX_CHARS}")
    return _named_by(target, tuple(welcome.endpoints))


@lru_cache(maxsize=256)
def _named_by(target: str, nodes: tuple[str, ...]) -> tuple[str, ...]:
    if not _PLAIN(target) and not _is_simple(target):
        raise BadClientInput(
            f"the target {target!r} is too complex; use names of Executors with at "
            f"most {_MAX_REPEATS} of `*`, `+`, `?` and `{{`, and repeat no group"
        )
    known = Welcome("", {node: [] for node in nodes}, 0)
    return tuple(targets_of(known, target) or ())


def _is_simple(target: str) -> bool:
    return (
        sum(map(target.count, "*+?{")) <= _MAX_REPEATS
        and target.count("|") <= _MAX_CHOICES
        and not _REPEATED_GROUP.search(target)
    )
