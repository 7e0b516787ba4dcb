"""What a Flow's YAML says of a node's shards: which of them get a request, and their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jina.config.drafts import ExecutorDraft
from jina.config.problems import Problem
from jina.config.scalars import kind
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors.spec import ExecutorSpec
from jina.names import with_slash
from jina.suggest import near_name

EVERY_ENDPOINT = "*"  # in a map: whatever is not named
#: As it is written -> what it means. The original's ALL_ASYNC is ALL: nothing here waits in turn.
_MEANING = {"ANY": "ANY", "ALL": "ALL", "ALL_ASYNC": "ALL"}


@dataclass(frozen=True)
class Neighbour:
    """An Executor in front of a node's shards, or behind them.

    Args:
        executor: what its worker builds.
        origin: where it is written, for messages about it; None where nobody has looked for it.
    """

    executor: ExecutorSpec
    origin: ExecutorDraft | None


def polling_of(value: str | Mapping[str, str] | None) -> dict[str, str]:
    """Endpoint -> "ANY" or "ALL", with `EVERY_ENDPOINT` for the others; empty: nothing is said.

    Args:
        value: as written; what is wrong with it counts as ANY, see `polling_problems`.
    """
    if value is None:
        return {}
    if isinstance(value, str):
        return {EVERY_ENDPOINT: _MEANING.get(value.upper(), "ANY")}
    return {
        endpoint if endpoint == EVERY_ENDPOINT else with_slash(endpoint): _MEANING.get(
            str(word).upper(), "ANY"
        )
        for endpoint, word in value.items()
    }


def two_numbers(tree: Tree, at: DataPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    """`shards` and `parallel`, its older spelling, that do not agree.

    Args:
        tree: where they are written.
        at: path of the entry.
        entry: as written; the model reports values that are not numbers.
    """
    found = {key: entry[key] for key in entry if key in ("shards", "parallel")}
    if len(found) < 2 or any(type(value) is not int for value in found.values()):
        return
    (first, one), (later, other) = found.items()
    if one != other:
        yield tree.problem(
            (*at, later),
            "two-numbers",
            f"`{later}` is {other}, and `{first}`, which means the same, is {one}",
            hint="keep only `shards`",
            notes=[tree.note((*at, first), f"`{first}` is here")],
        )


def polling_problems(tree: Tree, at: DataPath, value: Any) -> Iterator[Problem]:
    """The words in a `polling` that mean nothing.

    Args:
        tree: where it is written.
        at: path of the value.
        value: as written; other types than text and maps are reported by the model.
    """
    if isinstance(value, Mapping):
        for endpoint, word in value.items():
            yield from polling_problems(tree, (*at, endpoint), word)
        return
    if not isinstance(value, str) or isinstance(value, Unresolved) or value.upper() in _MEANING:
        return
    close = near_name(value.upper(), list(_MEANING))
    yield tree.problem(
        at,
        "bad-value",
        f"`polling` is {kind(value)}; expected ANY, ALL or ALL_ASYNC",
        hint=f"did you mean {close}?"
        if close
        else "ANY sends a request to one shard, ALL sends it to every shard",
    )
