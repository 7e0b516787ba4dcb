"""GET /status and /dry_run: what the front is, and whether the Flow takes requests."""

from __future__ import annotations

import os
import platform
import resource
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import msgspec

import jina
from jina.http.answers import Answered, told
from jina.http.front import Front

_VARIABLES = ("JINA_LOG_LEVEL", "JINA_RUN_DIR", "JINA_STATE_DIR")
_UNSET = "(unset)"


def status(front: Front) -> Answered:
    """What GET /status says, in the three parts that it has in Jina."""
    facts = {
        "jina": about(front),
        "envs": {name: "(set)" if os.environ.get(name) else _UNSET for name in _VARIABLES},
        "usedMemory": _in_words(_used_bytes()),
    }
    return Answered(200, [], msgspec.json.encode(facts))


def about(front: Front) -> dict[str, Any]:
    """Versions, the machine, and since when this process has run."""
    return {
        "jina": jina.__version__,
        "flow": front.flow,
        "pyzmq": version("pyzmq"),
        "msgspec": msgspec.__version__,
        "python": platform.python_version(),
        "platform": platform.system(),
        "platform-release": platform.release(),
        "architecture": platform.machine(),
        "uptime": datetime.fromtimestamp(front.started_at, UTC).isoformat(),
    }


def dry_run(front: Front) -> Answered:
    """What GET /dry_run says: that the Flow takes requests, in the words of Jina 3."""
    if front.is_stopping or not front.hub.is_up:
        return told(503, "unavailable", "the Flow takes no requests now")
    return Answered(200, [], b'{"code":0,"description":"","exception":null}')


def _used_bytes() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _in_words(size: float) -> str:
    for unit in ("Bytes", "KB", "MB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"
