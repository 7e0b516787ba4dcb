"""Load the YAML of Flows and Executors as checked models.

The names here are imported at their first use: the worker and the gateway need plain data of this
room, and never load yaml or pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jina.config.executors import ExecutorConfig as ExecutorConfig
    from jina.config.executors import load_executor as load_executor
    from jina.config.flows import FlowConfig as FlowConfig
    from jina.config.flows import flow_name as flow_name
    from jina.config.flows import load_flow as load_flow
    from jina.config.nodes import NodeConfig as NodeConfig
    from jina.config.problems import Problem as Problem

_MODULES = {
    "ExecutorConfig": "jina.config.executors",
    "FlowConfig": "jina.config.flows",
    "NodeConfig": "jina.config.nodes",
    "Problem": "jina.config.problems",
    "flow_name": "jina.config.flows",
    "load_executor": "jina.config.executors",
    "load_flow": "jina.config.flows",
}

__all__ = [
    "ExecutorConfig",
    "FlowConfig",
    "NodeConfig",
    "Problem",
    "flow_name",
    "load_executor",
    "load_flow",
]


def __getattr__(name: str) -> Any:
    """Import a name at its first use."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'jina.config' has no attribute {name!r}")
    return getattr(import_module(module), name)
