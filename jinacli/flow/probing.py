"""Try what a Flow's YAML names to run its Executors before anything is started, as `check` does.

A program that is no Python may end without a word, or never; an image may not be there.
"""

from __future__ import annotations

from jina.executors.pythons import is_other
from jina.graph.plan import Plan
from jina.launch import engines
from jina.launch.interpreters import misfit
from jinacli.exits import Found
from jinacli.flow.given import Given


def refuse_misfits(given: Given, plan: Plan) -> None:
    """Run each other interpreter of a Flow once, and look for the images of its containers.

    Args:
        given: the Flow's YAML, and what is laid over it.
        plan: that was made of it.

    Raises:
        Found: some cannot run Executors for us, each at its place in the YAML.
    """
    faults: dict[str, tuple[str, str]] = {}
    for python in {worker.python for worker in plan.workers if is_other(worker.python)}:
        if (unfit := misfit(python)) is not None:
            faults[python] = unfit
    for image in {worker.container.image for worker in plan.workers if worker.container}:
        if (fault := engines.fault_of(image)) is not None:
            faults[image] = (str(fault), fault.hint)
    if not faults:
        return
    # Late: only such a mistake needs it.
    from jina.check import read_for_flow

    parts = read_for_flow(given.source, options=given.options).parts
    found = [
        part.unfit(*faults[runs_in])
        for part in parts
        if (runs_in := part.image or part.python) in faults
    ]
    raise Found(problems=[problem for each in found for problem in each.problems])
