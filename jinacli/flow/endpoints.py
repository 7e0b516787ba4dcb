"""`jina flow endpoints`: who serves what, what it does, and where that is written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from jina.check import Report, read_for_flow
from jina.client.session import Session
from jina.defaults import TIMEOUT_CONNECT_S
from jina.launch.asking import directory_of, runs_its_file
from jina.launch.find import find_flow, shortest
from jina.launch.rundir import FlowRecord
from jina.wire.described import Parameter
from jinacli import exits
from jinacli.check.apart import checked_apart
from jinacli.flow.given import Given
from jinacli.screens.endpoints import Row, endpoints_table
from jinacli.screens.errors import say

#: Of the JSON form; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/endpoints/v1"
_KEYS = ("endpoint", "executor", "method", "place", "doc", "parameters", "about")


def show_file_endpoints(given: Given, *, as_json: bool) -> int:
    """Print what the Executors of a Flow's YAML serve; their modules are imported for that."""
    check = read_for_flow(given.source, options=given.options)
    report = checked_apart([check])[0]
    for problem in report.errors:
        say(str(problem))
    contained = [part.name for part in check.parts if part.image]
    if report.endpoints or (not report.errors and (as_json or not contained)):
        _show(_rows(report), report.source, as_json=as_json)
    for name in contained:
        say(f"{name} runs in a container: its endpoints are known once the Flow is up")
    return exits.USAGE if report.errors else exits.OK


def show_running_endpoints(wanted: str, *, as_json: bool) -> int:
    """Print what the Executors of a running Flow serve.

    Raises:
        FlowNotFound: there is no such Flow.
    """
    record = find_flow(wanted, as_in="jina flow endpoints")
    with Session(record.addresses[0], timeout_connect_s=TIMEOUT_CONNECT_S) as session:
        bound = session.welcome.endpoints
        nodes = session.description()["nodes"]
    said = {(row.endpoint, row.executor): row for row in map(_said, *_pairs(nodes))}
    written = {(row.endpoint, row.executor): row for row in _written(record)}
    rows = []
    for name, served in bound.items():  # those of heads and tails are among them
        for endpoint in served:
            own = said.get((endpoint, name), Row(endpoint, name))
            known = written.get((endpoint, name), own)
            rows.append(known if not own.method else own._replace(place=known.place))
    _show(rows, record.name, as_json=as_json, nodes=nodes)
    return exits.OK


def _pairs(nodes: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The nodes, and the endpoints of each, side by side."""
    pairs = [(node, endpoint) for node in nodes for endpoint in node["endpoints"]]
    return [node for node, _ in pairs], [endpoint for _, endpoint in pairs]


def _said(node: dict[str, Any], endpoint: dict[str, Any]) -> Row:
    """What a worker says of an endpoint."""
    name = endpoint["method"]
    return Row(
        endpoint["path"],
        node["name"],
        f"{node['executor']}.{name}" if name else "",
        "",
        endpoint["doc"],
        tuple(msgspec.convert(endpoint["parameters"], list[Parameter])),
        node["description"],
    )


def _written(record: FlowRecord) -> list[Row]:
    """What the YAML of a running Flow says of methods; nothing where it has none."""
    if not record.file or not runs_its_file(directory_of(record), record):
        return []
    return _rows(_report(Given.of_running(Path(shortest(record.file)), record.origins)))


def _report(given: Given) -> Report:
    return checked_apart([read_for_flow(given.source, options=given.options)])[0]


def _rows(report: Report) -> list[Row]:
    return [
        Row(
            row.endpoint,
            row.executor,
            row.method,
            row.place,
            row.doc,
            row.parameters,
            row.about,
        )
        for row in report.endpoints
    ]


def _show(
    rows: list[Row], flow: str, *, as_json: bool, nodes: list[dict[str, Any]] | None = None
) -> None:
    ordered = sorted(rows, key=lambda row: row.endpoint)
    if as_json:
        listed = [dict(zip(_KEYS, msgspec.to_builtins(row), strict=True)) for row in ordered]
        told: dict[str, Any] = {"schema": SCHEMA, "flow": flow, "endpoints": listed}
        if nodes is not None:
            told["nodes"] = nodes
        print(json.dumps(told, indent=2))
    elif not ordered:
        say("no endpoints: Documents pass through unchanged")
    else:
        print(endpoints_table(ordered))
    sys.stdout.flush()
