"""What a Flow says, or leaves unsaid, of the shards of its nodes."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.config.shards import EVERY_ENDPOINT
from jina.config.tree import path_text
from jina.names import DEFAULT_ENDPOINT, with_slash
from jina.suggest import near_name


def shard_hints(node: NodeConfig, wrong: Container[str]) -> Iterator[Problem]:
    """Shards without `polling`, of which other versions ask others; and what needs shards.

    Args:
        node: of the Flow.
        wrong: paths of values that are reported already.
    """
    if node.origin is None or not node.origin.overlays:
        return
    tree, at = node.origin.overlays[0]
    if any(path_text((*at, key)) in wrong for key in ("shards", "parallel")):
        return  # nobody knows how many there are to be
    if node.shards > 1 and not node.polling and (*at, "polling") not in tree.values:
        key = "shards" if (*at, "shards") in tree.values else "parallel"
        yield tree.problem(
            (*at, key),
            "unsaid-polling",
            f"{node.name!r} has {node.shards} shards and no `polling`: each request goes to one of "
            "them, as in Jina 2.0; Jina 2.6 and 3 send /search to all",
            at="key",
            hint="set `polling: {/search: ALL}` to do that, `polling: ALL` for every endpoint (as "
            "VectorIndexer needs), or `polling: ANY` to keep sending to one shard",
            severity="warning",
        )
    if node.shards > 1:
        return
    if "ALL" in node.polling.values():
        yield tree.problem(
            (*at, "polling"),
            "polling-without-shards",
            f"`polling` only matters with several shards, and {node.name!r} has one; its replicas "
            "take turns",
            at="key",
            hint="set `shards`, or remove `polling`",
            severity="warning",
        )
    key = "disable_reduce" if (*at, "disable_reduce") in tree.values else "no_reduce"
    if node.disable_reduce:
        yield tree.problem(
            (*at, key),
            "reduce-without-shards",
            f"`{key}` only matters with several shards, and {node.name!r} has one",
            at="key",
            hint=f"set `shards`, or remove `{key}`",
            severity="warning",
        )


def unserved_endpoints(node: NodeConfig, key: str, bound: Sequence[str]) -> Iterator[Problem]:
    """Endpoints in a map of a node that it does not serve: they may be misspelt.

    Args:
        node: of the Flow.
        key: of the map: "polling", "timeout".
        bound: the endpoints that it serves; empty when they are not known.
    """
    if node.origin is None or not node.origin.overlays or not bound or DEFAULT_ENDPOINT in bound:
        return
    tree, at = node.origin.overlays[0]
    if (*at, key) not in tree.values:
        return
    for path in [path for path in tree.values if path[:-1] == (*at, key)]:
        endpoint = path[-1]
        if not isinstance(endpoint, str):
            return  # the item of a list, which is reported already
        if endpoint == EVERY_ENDPOINT or with_slash(endpoint) in bound:
            continue
        close = near_name(with_slash(endpoint), bound)
        yield tree.problem(
            path,
            f"unserved-{key}",
            f"`{key}` lists {endpoint}, which {node.name!r} does not serve",
            at="key",
            hint=f"did you mean {close}?" if close else f"it serves {', '.join(bound)}",
            severity="warning",
        )
