"""Count what comes back of a post."""

from __future__ import annotations

import time

import msgspec

from jina.client.exchange import Reply
from jina.client.outcomes import Outcomes
from jina.client.resume import Place


class Tally:
    """Counts outcomes.

    Args:
        earlier: how far an earlier run came that this one resumes.
    """

    def __init__(self, earlier: Place) -> None:
        self.earlier = earlier
        self.outcomes = earlier.outcomes
        self.failed = earlier.failed
        self.has_unserved = False
        """Whether there was nobody bound to the endpoint."""
        self.is_broken = False
        """Whether an input broke off before its end."""
        self.first_error = ""
        """The message of this run's first failure."""
        self.first_traceback = ""
        self._began = time.monotonic()

    def add(self, outcomes: Outcomes, reply: Reply) -> None:
        """Count one reply."""
        self.outcomes += outcomes.total
        self.failed += outcomes.failed
        self.has_unserved |= reply.served == 0 and reply.error is None
        if outcomes.failed and not self.first_error:
            self.first_error = _first_error(outcomes)
            self.first_traceback = reply.error.traceback.rstrip() if reply.error else ""

    def seconds(self) -> float:
        """How long this run has taken so far."""
        return time.monotonic() - self._began


def _first_error(outcomes: Outcomes) -> str:
    """The message of the first failed line."""
    for line in bytes(outcomes.lines).splitlines():
        if b'"error"' in line:
            error = msgspec.json.decode(line).get("error")
            if isinstance(error, dict):
                where = f" in {error['executor']}" if error.get("executor") else ""
                kind = str(error.get("type", "")).rpartition(".")[2]
                message = error.get("message", "")
                return f"{kind}{where}: {message}" if message else f"{kind}{where}"
    return ""
