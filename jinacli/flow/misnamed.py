"""Names that are given where an Executor is expected, and are something else."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jina.excepts import FlowTopologyError
from jina.launch.rundir import running

_FRONT = re.compile(r"http(/[0-9]+)?")


def misnamed(names: Iterable[str]) -> FlowTopologyError | None:
    """What is said where one of these is no Executor of the Flow; None if nobody knows better.

    Args:
        names: as they were given.
    """
    flows = {record.name for _, record in running() if not record.is_one_shot}
    for name in names:
        if _FRONT.fullmatch(name):
            return FlowTopologyError(
                f'"{name}" serves HTTP and is not an Executor: it cannot be restarted or scaled',
                hint="its settings and `workers` in `http` take effect when the Flow starts; one "
                "that dies is replaced",
            )
        if name in flows:
            return FlowTopologyError(
                f'"{name}" is a Flow, not an Executor', hint=f"use --flow {name}"
            )
    return None
