"""`jina flow up --dry-run`: the processes, their order and the addresses; nothing is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jina.graph.plan import Plan, WorkerSpec
from jina.launch.find import shortest
from jina.launch.rundir import planned_directory
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.flow.doubts import Doubts
from jinacli.flow.given import Given, refuse_findings
from jinacli.flow.placed import as_text, described
from jinacli.screens.columns import in_columns
from jinacli.screens.errors import say

if TYPE_CHECKING:
    from jinacli.flow.up import Up

#: Of the JSON form; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/plan/v1"


def show_plan(given: Given, how: Up) -> int:
    """Print what `jina flow up` would start.

    Args:
        given: the Flow.
        how: the options of the command.

    Raises:
        ConfigError: with everything that is wrong.
    """
    config, plan = how.load(given)
    if how.is_strict and (code := refuse_findings(given)):
        return code
    if not how.quiet:
        for finding in Doubts(config, plan.http, plan.placing).of_yaml():
            say(finding)
    found = _described(plan, plan.file if isinstance(given.source, Path) else "")
    if how.as_json:
        print(json.dumps(found, indent=2), flush=True)
    else:
        print(escaped(_as_text(plan, found)), flush=True)
    return exits.OK


def _described(plan: Plan, key: str) -> dict[str, Any]:
    # Of a Flow without a file the directory gets its name when it starts.
    local = f"ipc://{planned_directory(plan.name, key)}/front.ipc" if key else "ipc (a new folder)"
    return {
        "schema": SCHEMA,
        "flow": plan.name,
        "file": plan.file,
        "addresses": [local, *filter(None, [plan.listen])],
        "worker_address": plan.worker_listen,
        "external": [node.name for node in plan.nodes if node.is_external],
        "http": _http(plan),
        "placed": described(plan.placing) if plan.placing else None,
        "processes": [
            _other("gateway"),
            *(_other(f"http/{n}") for n in range(plan.http.workers if plan.http else 0)),
            *(_worker(plan, spec) for spec in plan.workers),
        ],
    }


def _order(plan: Plan) -> str:
    if plan.http is None:
        return "The gateway starts"
    return "The gateway starts, and what serves HTTP,"


def _http(plan: Plan) -> str:
    """The URL of the front; a free port is not known yet."""
    if plan.http is None:
        return ""
    url = plan.http.url(plan.http.port)
    return url if plan.http.port else f"{url.removesuffix('0')}(a free port)"


def _other(name: str) -> dict[str, Any]:
    """A process that runs no Executor."""
    return {"name": name, "node": "", "needs": [], "executor": "", "env": []}


def _worker(plan: Plan, spec: WorkerSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "node": spec.node,
        "needs": plan.by_name[spec.node].needs,
        "executor": spec.executor.jtype or "BaseExecutor",
        # Names alone: a value may be a secret.
        "env": sorted(spec.env),
        "where": spec.where,
    }


def _as_text(plan: Plan, found: dict[str, Any]) -> str:
    file = f" from {shortest(plan.file)}" if plan.file else ""
    rows = [("", "PROCESS", "EXECUTOR", "NEEDS", "WRITTEN AT")]
    for process in found["processes"]:
        needs, where = ", ".join(process["needs"]), process.get("where", "")
        turn = "2" if process["node"] else "1"
        rows.append((turn, process["name"], process["executor"], needs, where))
    count = len(plan.workers)
    head = f'Flow "{plan.name}"{file}: {count} worker{"" if count == 1 else "s"} and a gateway'
    every = [*found["addresses"], *filter(None, [found["http"]])]
    if found["worker_address"]:
        every.append(f"{found['worker_address']} (for workers on other machines)")
    addresses = "\n".join(f"  {address}" for address in every)
    on_ray = f"{as_text(plan.placing)}\n" if plan.placing else ""
    external = [] if plan.placing else found["external"]
    waits = f"It waits until these are served: {', '.join(external)}.\n" if external else ""
    return (
        f"{head}\n\n{in_columns(rows)}\n\n"
        f"{_order(plan)} first, then all workers at once.\n{waits}"
        f"{on_ray}Addresses:\n{addresses}\n"
        "Nothing was started (--dry-run)."
    )
