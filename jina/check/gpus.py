"""The GPUs that a node's processes take turns on."""

from __future__ import annotations

from collections.abc import Iterator

from jina.config.devices import TOTAL, chosen, gpus, in_turns
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.excepts import ConfigError
from jina.graph.plan import with_device
from jina.names import DEVICES


def node_gpus(node: NodeConfig) -> Iterator[Problem]:
    """A choice of GPUs that leaves none on this machine."""
    if node.origin is None or not node.origin.overlays or DEVICES not in node.env:
        return
    value = node.env[DEVICES]
    try:
        is_without = chosen(value, gpus) == []
    except ValueError:  # reported already
        return
    if is_without:
        tree, at = node.origin.overlays[0]
        path = (*at, "env", DEVICES)
        yield tree.problem(
            path if path in tree.values else ("with", "env", DEVICES),
            "no-gpu",
            f"`{value}` selects none of the {gpus()} GPUs on this machine: its processes see no "
            "GPU",
            hint=f"set {TOTAL} to the number of GPUs if nvidia-smi cannot find them",
            severity="warning",
        )


def with_first_gpu(env: dict[str, str]) -> dict[str, str]:
    """The environment of the first process of a node.

    Args:
        env: of the node; CUDA_VISIBLE_DEVICES may say that its processes take turns.
    """
    try:
        return with_device(env, in_turns(env, gpus), 0)
    except ConfigError:  # reported already, if it is the Flow's
        return env
