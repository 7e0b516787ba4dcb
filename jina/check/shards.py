"""What a Flow says, or leaves unsaid, of the shards of its nodes."""

from __future__ import annotations

from collections.abc import Iterator

from jina.config.nodes import NodeConfig
from jina.config.problems import Problem


def shard_hints(node: NodeConfig) -> Iterator[Problem]:
    """Shards without `polling`, of which other versions ask others; and polling without shards."""
    if node.origin is None or not node.origin.overlays:
        return
    tree, at = node.origin.overlays[0]
    if node.shards > 1 and not node.polling and (*at, "polling") not in tree.values:
        key = "shards" if (*at, "shards") in tree.values else "parallel"
        yield tree.problem(
            (*at, key),
            "unsaid-polling",
            f"{node.name!r} has {node.shards} shards and no `polling`: each request goes to one of "
            "them, as in Jina 2.0; Jina 2.6 and 3 send /search to all",
            at="key",
            hint="write `polling: {/search: ALL}` for that, or `polling: ANY` if one is meant",
            severity="warning",
        )
    if node.shards == 1 and "ALL" in node.polling.values():
        yield tree.problem(
            (*at, "polling"),
            "polling-without-shards",
            f"`polling` says which shards get a request, and {node.name!r} has one; its replicas "
            "take turns",
            at="key",
            hint="set `shards`, or remove `polling`",
            severity="warning",
        )
