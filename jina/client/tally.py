"""Count what comes back of a post."""

from __future__ import annotations

import time

from jina.client.exchange import Reply
from jina.client.outcomes import Outcomes
from jina.client.reasons import MAX_REASONS, in_words, note_reasons
from jina.client.resume import Place
from jina.excepts import BadLine


class Tally:
    """Counts outcomes.

    Args:
        earlier: how far an earlier run came that this one resumes.
    """

    def __init__(self, earlier: Place) -> None:
        self.earlier = earlier
        self.outcomes = earlier.outcomes
        self.failed = earlier.failed
        self.went_on = earlier.went_on
        """Outcomes, none of them an error, of requests that went on after an error."""
        self.is_answered = False
        """Whether a request of this run was answered, be it with no results."""
        self.has_unserved = False
        """Whether there was nobody bound to the endpoint."""
        self.is_broken = False
        """Whether an input broke off before its end."""
        self.reasons: dict[str, str] = {}
        """The first distinct reasons of this run's failures; two that differ in numbers are one."""
        self.misread = ""
        """The input of the first request, if none of its lines is a Document; as JSON lines."""
        self._is_begun = bool(earlier.outcomes)
        self.first_traceback = ""
        self.first_passed = ""
        """The first error after which a request of this run went on."""
        self.passed_traceback = ""
        self._began = time.monotonic()

    def add(self, outcomes: Outcomes, reply: Reply) -> None:
        """Count one reply."""
        self.is_answered = True
        self.outcomes += outcomes.total
        self.failed += outcomes.failed
        self.has_unserved |= reply.served == 0 and reply.error is None
        errors = reply.way.errors
        if errors and reply.error is None:
            self.went_on += outcomes.total - outcomes.failed
            if not self.first_passed:
                self.first_passed = in_words(errors[0])
                self.passed_traceback = errors[0].traceback.rstrip()
        if outcomes.failed and len(self.reasons) < MAX_REASONS:
            if not self.reasons:
                cause = reply.error or reply.way.blamed
                self.first_traceback = cause.traceback.rstrip() if cause else ""
            note_reasons(self.reasons, bytes(outcomes.lines))
        if not self._is_begun and outcomes.total:
            self._is_begun = True
            chunk = reply.request.chunk
            bad_line = next(iter(self.reasons), "").startswith(BadLine.__name__)
            if chunk is not None and bad_line and outcomes.failed == outcomes.total:
                self.misread = chunk.source

    def seconds(self) -> float:
        """How long this run has taken so far."""
        return time.monotonic() - self._began
