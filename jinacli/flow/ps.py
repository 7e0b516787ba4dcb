"""`jina flow ps`: find the Flows that run, and ask each supervisor for its workers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jina.defaults import TIMEOUT_CONNECT_S
from jina.excepts import ConnectError, FlowNotFound
from jina.launch import rundir
from jina.launch.find import uptime_s
from jina.launch.looking import Looker
from jina.launch.rundir import FlowRecord
from jina.runtime.descendants import end_orphans
from jina.runtime.facts import Report, WorkerReport
from jinacli.flow.here import say_stale
from jinacli.screens.errors import say

# In this list a worker that is at work is ready too; `jina flow status` tells more.
_IN_WORDS = {"loading": "starting", "busy": "ready"}
_AWAY = ("stopped", "silent")
_PATIENCE_S = 2.0  # for a supervisor's answer, which usually takes some milliseconds


def list_flows(*, as_json: bool, names_only: bool, is_verbose: bool = False) -> None:
    """List the Flows that run, with their workers; verbosely, with threads and interpreters."""
    found = find_flows()
    flows = [flow for flow, _ in found]
    if names_only:
        for flow in flows:
            print(flow["name"])
    elif as_json:
        print(json.dumps({"schema": "jina/ps/v1", "flows": flows}, indent=2))
    else:
        # Late: only people need screens.
        from jinacli.screens.columns import screen_width
        from jinacli.screens.flows import flow_lines

        if flows:
            sys.stdout.write(
                "\n".join(flow_lines(flows, screen_width(), is_verbose=is_verbose)) + "\n"
            )
            sys.stdout.flush()
            for _, record in found:
                say_stale(record)
        else:
            say("no Flow is running")


def find_flows() -> list[tuple[dict[str, Any], FlowRecord]]:
    """Return the Flows that run, each as `--json` shows it, with its record."""
    end_orphans()
    return [(_described(directory, record), record) for directory, record in rundir.running()]


def _described(directory: Path, record: FlowRecord) -> dict[str, Any]:
    flow: dict[str, Any] = {
        "name": record.name,
        "state": "ready" if record.is_ready else "starting",
        "pid": record.pid,
        "uptime_s": round(uptime_s(record), 1),
        "file": record.file,
        "one_shot": record.is_one_shot,
        "addresses": record.addresses,
        "http": record.http,
        "fronts": [],
        "workers": [],
        "changed_files": record.origins.changed() if record.origins else [],
    }
    try:
        with Looker(directory, record) as looker:
            _add(flow, looker.look(_PATIENCE_S), is_ready=record.is_ready)
    except (FlowNotFound, ConnectError):
        if record.is_ready:
            _add_from_gateway(flow, record)
    return flow


def _add_from_gateway(flow: dict[str, Any], record: FlowRecord) -> None:
    """Add what the gateway says of a Flow whose supervisor does not answer."""
    # Late: a client is rarely needed here.
    from jina.client.session import Session

    try:
        with Session(record.addresses[0], timeout_connect_s=TIMEOUT_CONNECT_S) as session:
            status = session.status()
    except ConnectError:
        flow["state"] = "not answering"
        return
    unknown = {"threads": None, "python": None, "busy_s": None, "failures": 0, "restarts": 0}
    flow["workers"] = [{**worker, **unknown} for worker in status["workers"]]
    for name in ("endpoints", "failed", "requests_held", "requests_done", "requests_failed"):
        flow[name] = status[name]
    if status["draining"]:
        flow["state"] = "stopping"
    elif status["failed"]:
        flow["state"] = "degraded"


def _add(flow: dict[str, Any], report: Report, *, is_ready: bool) -> None:
    """Add what its supervisor says."""
    gateway = report.gateway
    flow["workers"] = [_worker(worker) for worker in report.workers if worker.pid]
    flow["fronts"] = [
        {"name": front.name, "pid": front.pid, "state": _IN_WORDS.get(front.state, front.state)}
        for front in report.fronts
    ]
    flow["endpoints"] = {node.name: node.endpoints for node in report.nodes if node.endpoints}
    flow["failed"] = report.failed
    flow["requests_held"] = gateway.requests_held
    flow["requests_done"] = gateway.requests_done
    flow["requests_failed"] = gateway.failures
    flow["last_error"] = gateway.last_error
    if gateway.state != "ready":
        flow["state"] = "not answering"
    elif report.state == "stopping":
        flow["state"] = "stopping"
    elif is_ready and (report.failed or any(each.state in _AWAY for each in report.workers)):
        flow["state"] = "degraded"


def _worker(worker: WorkerReport) -> dict[str, Any]:
    return {
        "node": worker.node,
        "shard": worker.shard,
        "replica": worker.replica,
        "pid": worker.pid,
        "state": _IN_WORDS.get(worker.state, worker.state),
        "outstanding": worker.outstanding,
        "devices": worker.devices,
        "machine": worker.machine,
        "agent": worker.agent,
        "threads": worker.threads or None,
        "python": worker.python or None,
        "busy_s": round(worker.since_s, 1) if worker.state == "busy" else None,
        "failures": worker.failures,
        "restarts": worker.restarts,
    }
