"""The Flows that run, as completion sees them: it looks, and cleans nothing up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from jina.launch.rundir import base_directories


class RunningFlow(NamedTuple):
    """A Flow of this user.

    Attributes:
        name: of the Flow.
        file: absolute path of its YAML, or "".
        endpoints: Executor -> the endpoints that it serves.
    """

    name: str
    file: str
    endpoints: dict[str, list[str]]


def running_flows() -> list[RunningFlow]:
    """Those that are ready, without those that were started for one command."""
    found = []
    for base in base_directories():
        for path in sorted(base.glob("*-*/flow.json")):
            record = _read(path)
            if record.get("is_ready") and not record.get("is_one_shot") and _is_alive(record):
                flow = (record.get("name", ""), record.get("file", ""))
                found.append(RunningFlow(*flow, record.get("endpoints", {})))
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_alive(record: dict[str, Any]) -> bool:
    pid = record.get("pid", 0)
    return isinstance(pid, int) and pid > 0 and os.path.exists(f"/proc/{pid}")
