"""`jina flow ps`: find the Flows that run, and ask each for its workers."""

from __future__ import annotations

import json
import time
from typing import Any

from jina.client.session import Session
from jina.defaults import TIMEOUT_CONNECT_S
from jina.excepts import ConnectError
from jina.launch import rundir
from jina.launch.rundir import FlowRecord
from jina.runtime.descendants import end_orphans
from jinacli.flow.here import say_stale
from jinacli.screens.errors import say


def list_flows(*, as_json: bool, names_only: bool) -> None:
    """List the Flows that run, with their workers."""
    end_orphans()
    records = [record for _, record in rundir.running()]
    flows = [_described(record) for record in records]
    if names_only:
        for flow in flows:
            print(flow["name"])
    elif as_json:
        print(json.dumps({"schema": "jina/ps/v1", "flows": flows}, indent=2))
    else:
        # Late: only a list for people needs rich.
        from jinacli.screens.flows import say_logs, show_flows

        if flows:
            show_flows(flows)
            for record in records:
                say_stale(record)
        else:
            say("no Flow is running")
        say_logs()


def _described(record: FlowRecord) -> dict[str, Any]:
    flow: dict[str, Any] = {
        "name": record.name,
        "state": "ready" if record.is_ready else "starting",
        "pid": record.pid,
        "uptime_s": round(time.time() - record.started_at, 1),
        "file": record.file,
        "one_shot": record.is_one_shot,
        "addresses": record.addresses,
        "workers": [],
        "changed_files": record.origins.changed() if record.origins else [],
    }
    if record.is_ready:
        try:
            with Session(record.addresses[0], timeout_connect_s=TIMEOUT_CONNECT_S) as session:
                status = session.status()
        except ConnectError:
            flow["state"] = "not answering"
        else:
            flow["workers"] = status["workers"]
            flow["endpoints"] = status["endpoints"]
            flow["failed"] = status["failed"]
            flow["requests_held"] = status["requests_held"]
            flow["requests_done"] = status["requests_done"]
            if status["draining"]:
                flow["state"] = "stopping"
            elif status["failed"]:
                flow["state"] = "degraded"
    return flow
