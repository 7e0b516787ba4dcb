"""What has come back of a post: counted, and summed up at its end."""

from __future__ import annotations

import time

import msgspec

from jina.client.outcomes import Outcomes
from jina.client.session import Reply
from jinacli import exits
from jinacli.screens.errors import say


class Tally:
    """Counts outcomes.

    Args:
        outcomes: of an earlier run that this one goes on with.
        failed: of those.
    """

    def __init__(self, outcomes: int = 0, failed: int = 0) -> None:
        self.outcomes = outcomes
        self.failed = failed
        self.has_unserved = False
        """Nobody was bound to the endpoint."""
        self.is_broken = False
        """The input ended before its end."""
        self._first_error = ""
        self._first_traceback = ""
        self._earlier, self._earlier_failed = outcomes, failed
        self._began = time.monotonic()

    def add(self, outcomes: Outcomes, reply: Reply) -> None:
        """Count one reply."""
        self.outcomes += outcomes.total
        self.failed += outcomes.failed
        self.has_unserved |= reply.served == 0 and reply.error is None
        if outcomes.failed and not self._first_error:
            self._first_error = _first_error(outcomes)
            self._first_traceback = reply.error.traceback.rstrip() if reply.error else ""

    def say_summary(self, output: str, *, quiet: bool) -> int:
        """Say what is worth saying at the end, and return the exit code.

        Args:
            output: file that was written to, "-" for standard output.
            quiet: only errors.
        """
        if output != "-" and not quiet:
            seconds = time.monotonic() - self._began
            new = self.outcomes - self._earlier
            in_all = f", with the earlier ones {self.outcomes}" if self._earlier else ""
            say(f"{counted(new)} in {seconds:.2f} s, written to {output}{in_all}")
        if self.failed:
            text = f"{self.failed} of {self.outcomes} failed"
            which = "the first"
            if self._earlier_failed:
                text += f", {self._earlier_failed} of them in an earlier run"
                which = "the first of this run"
            say(f"{text}; {which}: {self._first_error}" if self._first_error else text)
            if self._first_traceback and not quiet:
                say(self._first_traceback)
        if self.is_broken:
            return exits.FAILED
        return exits.SOME_FAILED if self.failed else exits.OK


def counted(outcomes: int) -> str:
    """So many outcomes, in words."""
    return "1 outcome" if outcomes == 1 else f"{outcomes} outcomes"


def written(outcomes: int) -> str:
    """That so many were written."""
    return f"{counted(outcomes)} {'was' if outcomes == 1 else 'were'} written"


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
