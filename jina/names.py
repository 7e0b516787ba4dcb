"""Names within a Flow: which are allowed, which are reserved, how an endpoint is written.

Plain values. The code that finds a wrong name chooses the words.
"""

from __future__ import annotations

import re

#: The name of a Flow or an Executor: it becomes a folder, a log prefix and part of an address.
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
NAME_HINT = "use up to 64 letters, digits, `_`, `-` and `.`, and do not start with `-` or `.`"

GATEWAY = "gateway"  # in `needs`: where requests enter the graph
DEVICES = "CUDA_VISIBLE_DEVICES"  # the variable that says which GPUs a process sees
LEDGER = ".jina-lanes"  # the file in a folder of results of `jina post --on ray`
DEFAULT_ENDPOINT = "/default"  # where a bare `@requests` binds: it serves what nobody else does
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""


def worker_name(node: str, replica: int, shard: int | None = None) -> str:
    """How people see a worker: `indexer/0`, of a sharded node `indexer/shard-2/0`.

    Args:
        node: its name; a head or a tail, whose name has a slash, is one process: `indexer/tail`.
        replica: which of the processes that share requests.
        shard: None where the node has no shards.
    """
    if "/" in node:
        return node
    return f"{node}/{replica}" if shard is None else f"{node}/shard-{shard}/{replica}"


def node_name(worker: str) -> str:
    """The node of a worker: what `worker_name` was given."""
    head, _, last = worker.rpartition("/")
    return worker.partition("/")[0] if head and last.isdigit() else worker


def with_slash(endpoint: str) -> str:
    """The endpoint with its leading slash, which may be left out where one is named."""
    return endpoint if endpoint.startswith("/") else f"/{endpoint}"


def endpoint_name(text: str) -> str:
    """The endpoint that a binding names; an empty text means the default handler."""
    return with_slash(text) if text else DEFAULT_ENDPOINT


def tcp_address(host: str, port: int) -> str:
    """An address to listen on.

    Args:
        host: its name or address.
        port: 0 for a free one.
    """
    name = "127.0.0.1" if host == "localhost" else f"[{host}]" if ":" in host else host
    return f"tcp://{name}:{port or '*'}"
