"""The library that Executors import. Here is only a table of the public names.

Importing jina loads neither ZeroMQ nor numpy: each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from jina.async_flow import AsyncFlow as AsyncFlow
    from jina.client.post import Client as Client
    from jina.executors import BaseExecutor as Executor
    from jina.executors.batching import dynamic_batching as dynamic_batching
    from jina.executors.decorators import requests as requests
    from jina.flow import Flow as Flow
    from jina.types.arrays.document import DocumentArray as DocumentArray
    from jina.types.arrays.memmap import DocumentArrayMemmap as DocumentArrayMemmap
    from jina.types.document import Document as Document

_HOMES = {
    "AsyncFlow": "jina.async_flow:AsyncFlow",
    "Client": "jina.client.post:Client",
    "Document": "jina.types.document:Document",
    "DocumentArray": "jina.types.arrays.document:DocumentArray",
    "DocumentArrayMemmap": "jina.types.arrays.memmap:DocumentArrayMemmap",
    "Executor": "jina.executors:BaseExecutor",
    "Flow": "jina.flow:Flow",
    "dynamic_batching": "jina.executors.batching:dynamic_batching",
    "requests": "jina.executors.decorators:requests",
}

__all__ = [
    "AsyncFlow",
    "Client",
    "Document",
    "DocumentArray",
    "DocumentArrayMemmap",
    "Executor",
    "Flow",
    "__version__",
    "dynamic_batching",
    "requests",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home at its first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'jina' has no attribute {name!r}")
    module, _, attribute = home.partition(":")
    value = getattr(_import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
