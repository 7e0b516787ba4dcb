"""`jina flow up --on ray`: what would be placed on the cluster, and what travels there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jina.check.placing import placing_findings
from jina.config.flows import FlowConfig
from jina.config.problems import errors_in
from jina.excepts import ConfigError
from jina.graph.plan import Placing, Plan
from jina.launch.bundle import bundle_of, shown_size
from jina.launch.placing import places_of
from jina.ray.place_plan import is_placed, placed
from jina.ray.place_room import told
from jinacli.screens.columns import in_columns


def project_of(config: FlowConfig) -> Path:
    """The folder that everything which is sent along must be in: that of the Flow's YAML."""
    return config.file.resolve().parent if config.file else Path.cwd()


def placed_plan(config: FlowConfig, plan: Plan, address: str) -> Plan:
    """The plan of a Flow whose Executors run on a cluster.

    Raises:
        ConfigError: with everything that cannot be placed, each thing at its place.
    """
    project = project_of(config)
    found = placing_findings((node for node in config.executors if is_placed(node)), project)
    if errors := errors_in(list(found)):
        raise ConfigError(errors[0].message, where=errors[0].place, problems=errors)
    return placed(config, plan, address, project)


def described(placing: Placing) -> dict[str, Any]:
    """What would be placed, as data."""
    nodes: dict[str, dict[str, Any]] = {}
    for place in places_of(placing):
        node = nodes.setdefault(place.node, {"name": place.node, "actors": 0})
        node["actors"] += 1
        if "asks" in node:
            continue
        bundle = bundle_of(place.workers[0], Path(placing.project))
        node["asks"] = place.ask.amounts
        node["env"] = sorted(place.workers[0].env)  # names alone: a value may be a secret
        node["bytes"] = bundle.size
        node["files"] = [{"name": str(each.source), "bytes": each.size} for each in bundle.files]
    return {"engine": "ray", "address": placing.address, "nodes": list(nodes.values())}


def as_text(placing: Placing) -> str:
    """The same for people."""
    found = described(placing)
    where = "of this machine" if placing.address == "auto" else f"at {placing.address}"
    rows = [("PLACED", "ACTORS", "EACH ASKS FOR", "FILES", "SIZE")]
    rows += [
        (
            node["name"],
            str(node["actors"]),
            told(node["asks"]),
            str(len(node["files"])),
            shown_size(node["bytes"]),
        )
        for node in found["nodes"]
    ]
    users: dict[tuple[str, int], list[str]] = {}
    for node in found["nodes"]:
        for file in node["files"]:
            users.setdefault((file["name"], file["bytes"]), []).append(node["name"])
    files = [
        (f"  {name}", shown_size(size), f"for {', '.join(names)}")
        for (name, size), names in users.items()
    ]
    travels = f"These files travel:\n{in_columns(files)}\n" if files else "No files travel.\n"
    return f"On the cluster of Ray {where}:\n{in_columns(rows)}\n\n{travels}"
