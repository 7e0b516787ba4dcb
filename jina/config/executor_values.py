"""What the map of an Executor says, with what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jina.config.batching import laid_over, settings_in
from jina.config.environment import environment_of
from jina.config.executor_schema import ExecutorModel
from jina.config.plain_executors import ExecutorValues
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.config.validation import usable, validated


def checked_values(
    tree: Tree, data: Mapping[str, Any], at: DataPath
) -> tuple[ExecutorValues | None, list[DataPath], list[Problem]]:
    """Check the map of an Executor.

    Args:
        tree: where it is written.
        data: the map, without keys that are ignored.
        at: its path within the tree.

    Returns:
        what is right, None when nothing can be made of it; the paths of the wrong keys; and what is
        wrong with them.
    """
    problems = validated(ExecutorModel, tree, data, at)[1]
    model, wrong = usable(ExecutorModel, data)
    if model is None:
        return None, wrong, problems
    assert isinstance(model, ExecutorModel)
    values = model.model_dump()
    batching = laid_over(
        settings_in(model.dynamic_batching), settings_in(model.uses_dynamic_batching)
    )
    found = ExecutorValues(
        model.jtype,
        values["with_"],
        values["metas"],
        values["requests"],
        batching,
        environment_of(model.env),
    )
    return found, wrong, problems
