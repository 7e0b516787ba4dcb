"""Where a Flow is reached by those who serve its external executors: `worker_port` and the like."""

from __future__ import annotations

from collections.abc import Iterator

from jina.config.problems import Problem
from jina.config.schema import FlowOptions
from jina.config.tree import DataPath, Tree
from jina.names import LOCAL_HOSTS, tcp_address

_HOST: DataPath = ("with", "worker_host")


def worker_port_problems(tree: Tree, options: FlowOptions) -> Iterator[Problem]:
    """What is unsafe about it, and what has no effect.

    Args:
        tree: of the Flow.
        options: its `with`, checked.
    """
    host = options.worker_host
    if host is None:
        return
    if options.worker_port is None:
        yield tree.problem(
            _HOST,
            "ignored-key",
            "`worker_host` has no effect without `worker_port`",
            at="key",
            hint="add `worker_port: 0` for a free port",
            severity="warning",
        )
    elif host not in LOCAL_HOSTS and not options.keys:
        yield tree.problem(
            _HOST,
            "open-host",
            f"{host} can be reached from other machines, and anyone there could take Documents",
            hint="make keys with `jina keys new`, and name their folder in `keys`",
        )


def worker_address(options: FlowOptions) -> str:
    """The tcp address for agents and workers; "" for none."""
    if options.worker_port is None:
        return ""
    return tcp_address(options.worker_host or "127.0.0.1", options.worker_port)
