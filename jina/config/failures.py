"""What a Flow's YAML says about calls that fail or hang: `timeout`, `retries`, `on_error`."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jina.config.failure_schema import STRATEGIES, RetriesModel
from jina.config.problems import Problem
from jina.config.schema import FlowOptions, NodeModel
from jina.config.shards import EVERY_ENDPOINT
from jina.config.tree import DataPath, Tree
from jina.names import with_slash
from jina.suggest import nearest

BACKOFF_MS = 100
"""Before the first further attempt, where nothing is said."""

UNKNOWN_ERROR = "unknown-error"
"""Code of the problem of a name that no error has."""

_CONTINUES = "IGNORE"  # of on_error_strategy; the others stop
_EXCEPTIONS = [
    name
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and issubclass(thing, BaseException)
]


@dataclass(frozen=True)
class Failures:
    """What becomes of a node's calls that fail or hang.

    Args:
        timeouts: endpoint, or "*" for all others -> seconds that a call may take.
        on_error: "stop", "split" or "continue"; "" where nobody says.
        times: attempts after the first one.
        on: names of classes of the errors that are tried again; empty for all.
        backoff_s: before the first further attempt.
    """

    timeouts: dict[str, float] = field(default_factory=dict)
    on_error: str = ""
    times: int = 0
    on: list[str] = field(default_factory=list)
    backoff_s: float = 0.0


def failures_of(model: NodeModel, options: FlowOptions) -> Failures:
    """What an entry says, and the Flow where it says nothing."""
    retries = model.retries
    if not isinstance(retries, RetriesModel):
        # The default of Jina 3, -1, is about connections, of which there are none to lose here.
        retries = RetriesModel(times=max(0, retries), backoff=BACKOFF_MS)
    return Failures(
        _timeouts(model),
        _on_error(model, options),
        retries.times,
        list(retries.on),
        retries.backoff / 1000,
    )


def failures_around(model: NodeModel, options: FlowOptions) -> Failures:
    """What holds for the head and the tail of a node: its timeout, and what the Flow says."""
    return Failures(_timeouts(model), _on_error(options))


def _timeouts(model: NodeModel) -> dict[str, float]:
    given = model.timeout
    limits = given if isinstance(given, dict) else {} if given is None else {EVERY_ENDPOINT: given}
    return {
        name if name == EVERY_ENDPOINT else with_slash(name): -1.0 if limit < 0 else limit / 1000
        for name, limit in limits.items()
    }


def _on_error(*places: NodeModel | FlowOptions) -> str:
    for where in places:
        if where.on_error is not None:
            return where.on_error
        if where.on_error_strategy is not None:
            return "continue" if where.on_error_strategy == _CONTINUES else "stop"
    return ""


def strategy_notes(tree: Tree, at: DataPath, given: Mapping[str, Any]) -> Iterator[Problem]:
    """What became of `on_error_strategy`, Jina 2's spelling of `on_error`.

    Args:
        tree: where it is written.
        at: path of the map that may have it.
        given: that map.
    """
    strategy = given.get("on_error_strategy")
    if not isinstance(strategy, str) or strategy.upper() not in STRATEGIES:
        return  # none, or reported already
    means = "continue" if strategy.upper() == _CONTINUES else "stop"
    message = f"`on_error_strategy: {strategy}` is treated as `on_error: {means}`"
    if given.get("on_error") is not None:
        message = "`on_error_strategy` is ignored because `on_error` is also set"
    yield tree.problem(
        (*at, "on_error_strategy"), "older-key", message, at="key", severity="warning"
    )


def retry_notes(tree: Tree, at: DataPath, model: NodeModel) -> Iterator[Problem]:
    """Names of errors that look like a built-in one and are none."""
    retries = model.retries
    for n, name in enumerate(retries.on if isinstance(retries, RetriesModel) else []):
        near = "" if name in _EXCEPTIONS or "." in name else nearest(name, _EXCEPTIONS)
        if near:
            path = (*at, "retries", "on")
            yield tree.problem(
                (*path, n) if (*path, n) in tree.values else path,
                UNKNOWN_ERROR,
                f"Python has no exception {name!r}; calls are retried only if you define a class "
                "with "
                "that name",
                hint=f"did you mean {near!r}?",
                severity="warning",
            )
