"""Arrays of Documents: the list (`document`), the children of a Document, the array on disk.

The arrays can be imported from here too, as in Jina 2. Each is loaded when it is asked for;
otherwise importing any module of this folder would load them all.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULE_OF = {
    "DocumentArray": "document",
    "DocumentArrayMemmap": "memmap",
    "ChunkArray": "children",
    "MatchArray": "children",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
