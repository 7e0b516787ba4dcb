"""Try the interpreters that a Flow's YAML names before anything is started, as `check` does.

A program that is no Python may end without a word, or never.
"""

from __future__ import annotations

from jina.executors.pythons import is_other
from jina.graph.plan import Plan
from jina.launch.interpreters import misfit
from jinacli.exits import Found
from jinacli.flow.given import Given


def refuse_misfits(given: Given, plan: Plan) -> None:
    """Run each other interpreter of a Flow once.

    Args:
        given: the Flow's YAML, and what is laid over it.
        plan: that was made of it.

    Raises:
        Found: some cannot run Executors for us, each at its place in the YAML.
    """
    pythons = {worker.python for worker in plan.workers if is_other(worker.python)}
    faults = {python: fault for python in pythons if (fault := misfit(python))}
    if not faults:
        return
    # Late: only such a mistake needs it.
    from jina.check import read_for_flow

    parts = read_for_flow(given.source, options=given.options).parts
    found = [part.unfit(*faults[part.python]) for part in parts if part.python in faults]
    raise Found(problems=[problem for each in found for problem in each.problems])
