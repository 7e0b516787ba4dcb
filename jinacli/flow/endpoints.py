"""`jina flow endpoints`: who serves what, and where that is written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

from jina.check import Report, read_for_flow
from jina.client.session import Session
from jina.defaults import TIMEOUT_CONNECT_S
from jina.launch.asking import directory_of, runs_its_file
from jina.launch.find import find_flow, shortest
from jina.launch.rundir import FlowRecord
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.check.apart import checked_apart
from jinacli.flow.given import Given
from jinacli.screens.columns import in_columns
from jinacli.screens.errors import say

#: Of the JSON form; a field that changes its meaning makes it v2, a new field does not.
SCHEMA = "jina/endpoints/v1"


class _Row(NamedTuple):
    endpoint: str
    executor: str
    method: str = ""
    place: str = ""


def show_file_endpoints(given: Given, *, as_json: bool) -> int:
    """Print what the Executors of a Flow's YAML serve; their modules are imported for that."""
    report = _report(given)
    for problem in report.errors:
        say(str(problem))
    if report.endpoints or not report.errors:
        _show(_rows(report), report.source, as_json=as_json)
    return exits.USAGE if report.errors else exits.OK


def show_running_endpoints(wanted: str, *, as_json: bool) -> int:
    """Print what the Executors of a running Flow serve.

    Raises:
        FlowNotFound: there is no such Flow.
    """
    record = find_flow(wanted, as_in="jina flow endpoints")
    with Session(record.addresses[0], timeout_connect_s=TIMEOUT_CONNECT_S) as session:
        bound = session.welcome.endpoints
    rows = [_Row(endpoint, name) for name, served in bound.items() for endpoint in served]
    known = {(row.endpoint, row.executor): row for row in _written(record)}
    found = [known.get((row.endpoint, row.executor), row) for row in rows]
    _show(found, record.name, as_json=as_json)
    return exits.OK


def _written(record: FlowRecord) -> list[_Row]:
    """What the YAML of a running Flow says of methods; nothing where it has none."""
    if not record.file or not runs_its_file(directory_of(record), record):
        return []
    return _rows(_report(Given.of_running(Path(shortest(record.file)), record.origins)))


def _report(given: Given) -> Report:
    return checked_apart([read_for_flow(given.source, options=given.options)])[0]


def _rows(report: Report) -> list[_Row]:
    return [_Row(row.endpoint, row.executor, row.method, row.place) for row in report.endpoints]


def _show(rows: list[_Row], flow: str, *, as_json: bool) -> None:
    ordered = sorted(rows, key=lambda row: row.endpoint)
    if as_json:
        listed = [row._asdict() for row in ordered]
        print(json.dumps({"schema": SCHEMA, "flow": flow, "endpoints": listed}, indent=2))
    elif not ordered:
        say("no endpoints: Documents pass through unchanged")
    else:
        head = _Row("ENDPOINT", "EXECUTOR", "METHOD", "WRITTEN AT")
        print(in_columns([head, *(_Row(*map(escaped, row)) for row in ordered)]))
    sys.stdout.flush()
