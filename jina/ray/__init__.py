"""Ray as the engine that starts what a Flow needs on other machines.

`connect` finds a cluster, `place*` starts agents of a Flow as actors, `lane*` whole Flows. Ray is
imported by the processes that are its drivers and actors alone, never by a supervisor, a gateway or
a worker. `Mapper` is for pipelines of Ray Data, and needs no Ray itself.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jina.ray.mapper import Mapper as Mapper

__all__ = ["Mapper"]


def __getattr__(name: str) -> Any:
    """Import Mapper at its first use: the others here load no YAML."""
    if name != "Mapper":
        raise AttributeError(f"module 'jina.ray' has no attribute {name!r}")
    return _import_module("jina.ray.mapper").Mapper
