"""Who has files of a Flow on other machines: kept for its next gateway, and for its next start.

$JINA_STATE_DIR/agents/ (see `jina.runtime.pastruns`) has a file for each Flow whose agents may be
alive. Without it, the next gateway would not know of an agent that was cut off before, and let
another one write the same files.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import msgspec

from jina.graph.plan import Plan
from jina.launch.rundir import directory_name
from jina.runtime.control import Holder
from jina.runtime.pastruns import state_directory
from jina.runtime.structs import decode_json, encode_json


class _Kept(msgspec.Struct, kw_only=True):
    """What stands in the file.

    Attributes:
        holders: see `control.Holders`.
        lease_s: theirs.
        ended_at: when the Flow ended, in seconds since 1970; 0 while it runs, or if it was killed.
    """

    holders: list[Holder]
    lease_s: float
    ended_at: float = 0.0


_DECODER = msgspec.json.Decoder(_Kept)


class KeptHolders:
    """Those of one Flow. A Flow without a file has no next start: nothing is written for it.

    Args:
        plan: of the Flow.
    """

    def __init__(self, plan: Plan) -> None:
        self.holders: list[Holder] = []
        """Who may be alive."""
        self.seconds = 0.0
        """For how long, where nothing is heard of them."""
        self._lease_s = plan.lease_s
        self._path: Path | None = None
        if plan.file and any(node.is_external for node in plan.nodes):
            with contextlib.suppress(OSError, RuntimeError):  # nobody has a home
                name = directory_name(plan.name, plan.file)
                self._path = state_directory() / "agents" / f"{name}.json"
                self._recall()

    def take(self, holders: list[Holder]) -> None:
        """The gateway says who they are now."""
        self.holders, self.seconds = holders, 2 * self._lease_s
        self._write()

    def end(self) -> None:
        """The Flow has ended: they hear nothing of it from now on."""
        if self.seconds and self.holders:
            self._write(time.time())

    def _recall(self) -> None:
        assert self._path is not None
        try:
            kept = decode_json(self._path.read_bytes(), _DECODER)
        except (OSError, msgspec.DecodeError):
            return
        since_s = max(0.0, time.time() - kept.ended_at) if kept.ended_at else 0.0
        seconds = 2 * kept.lease_s - since_s
        if seconds > 0:
            self.holders, self.seconds = kept.holders, seconds
            self._lease_s = max(self._lease_s, kept.lease_s)

    def _write(self, ended_at: float = 0.0) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):  # a full or read-only disk
            if not self.holders:
                self._path.unlink(missing_ok=True)
                return
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            kept = _Kept(holders=self.holders, lease_s=self._lease_s, ended_at=ended_at)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(encode_json(kept))
            os.replace(new, self._path)
