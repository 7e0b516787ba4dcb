"""What became of the lines that an Executor was run on, in this process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from jina.client.reasons import note_reasons
from jina.executors.user_errors import HELP
from jina.trial import Outcome
from jinacli.screens.errors import say
from jinacli.screens.numbers import number
from jinacli.screens.post import failures, results_in


@dataclass
class Tally:
    """What became of the lines.

    Attributes:
        total: how many outcomes there are.
        failed: how many of them are errors.
        reasons: the first distinct ones.
        said: the first traceback, if it was shown.
        began: when counting began, on the monotonic clock.
    """

    total: int = 0
    failed: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    said: str = ""
    began: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome, *, quiet: bool = False) -> None:
        """Count a request, and say the first traceback unless it is quiet."""
        self.total += outcome.total
        self.failed += outcome.failed
        if outcome.failed:
            note_reasons(self.reasons, outcome.lines)
        if outcome.traceback and not self.said and not quiet:
            self.said = outcome.traceback
            say(outcome.traceback)

    def sum(self, output: str) -> str:
        """How many results a file has, and how quickly they came."""
        text = results_in(self.total, time.monotonic() - self.began)
        return f"{text}; {output} now holds {number(self.total)}"

    def broken_off(self) -> str:
        """What is in the file of a run that was interrupted."""
        one = "result was" if self.total == 1 else "results were"
        return f"{number(self.total)} {one} written before the interruption"

    def in_words(self) -> str:
        """How many failed, and why, without the help that was shown with the traceback."""
        shown = {line.strip() for line in self.said.splitlines() if line.startswith(HELP)}
        lines = failures(self.failed, self.total, self.reasons).splitlines()
        return "\n".join(line for line in lines if line.strip() not in shown)
