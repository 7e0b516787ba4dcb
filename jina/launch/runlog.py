"""The log of a Flow: what is reported of it, as JSON lines in a file, wherever else it is shown."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path

import msgspec

from jina.graph.plan import Plan
from jina.launch import events
from jina.launch.local import start_failure, whole_failure
from jina.launch.rundir import FlowRecord, RunDirectory, started_at_ticks
from jina.launch.speaker import LogFile, Speaker
from jina.runtime.pastruns import PastRun, begin_run, save_run

#: What a line of the log is: a worker's own words, what happened, what failed.
OUTPUT, EVENT, FAILURE = "output", "event", "failure"

_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class LogLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line of the log.

    Attributes:
        at: when it was written, in seconds since 1970.
        worker: whom it is about; empty for the Flow.
        kind: output, event or failure.
        text: without the worker's name.
    """

    at: float
    worker: str = ""
    kind: str = OUTPUT
    text: str = ""


class RunLog:
    """Writes what is reported to the log, and passes it on.

    Args:
        report: who is told, too.
        directory: of the Flow.
        plan: what runs.
    """

    def __init__(self, report: events.Reporter, directory: RunDirectory, plan: Plan) -> None:
        self._report = report
        self._run = _run_of(directory, plan)
        self._is_up = False
        self._folder: Path | None = None
        self._speaker: Speaker | None = None
        self._file: LogFile | None = None
        if directory.record.is_one_shot:  # whoever started it shows what it says
            return
        self._folder = begin_run(self._run)
        if self._folder is None:
            return
        try:
            self._file = LogFile(self._folder / "log", descriptors=())
            directory.record.log = str(self._folder / "log")
            directory.save()
        except OSError:
            return
        self._speaker = Speaker(self._file)

    @property
    def is_behind(self) -> bool:
        """See Reporter."""
        return self._report.is_behind or (self._speaker is not None and self._speaker.is_behind)

    def __call__(self, event: events.Event) -> None:
        """Take one event."""
        if self._speaker is not None:
            line = line_of(event)
            if line is not None:
                self._speaker.say(_as_json(line))
        self._note(event)
        self._report(event)
        if isinstance(event, events.Released) and self._file is not None:
            self._file.take_stderr()  # of the supervisor itself, which hardly says anything
        if isinstance(event, events.Stopped):
            self._end()

    def _note(self, event: events.Event) -> None:
        """Remember how the run ends."""
        run = self._run
        if isinstance(event, events.StartFailed):
            run.ending, run.reason = "failed", _first_line(str(start_failure(event)))
        elif isinstance(event, events.Stopping):
            run.reason = run.reason or event.reason
        elif isinstance(event, events.Up):
            self._is_up = True
        elif isinstance(event, events.NotClosed):
            if not event.reason:
                run.killed.append(event.worker)
        elif isinstance(event, events.Stopped):
            if not (run.reason or self._is_up):
                run.reason = "the command that started it gave up before it was ready"
            if not run.ending:
                run.ending = "stopped" if event.clean else "failed"
            run.ended_at = time.time()

    def _end(self) -> None:
        if self._folder is None:
            return
        if self._speaker is not None:
            self._speaker.close()
        with contextlib.suppress(OSError):  # a full disk: it counts as killed
            save_run(self._folder, self._run)
        if self._file is not None:
            self._file.close()


def _run_of(directory: RunDirectory, plan: Plan) -> PastRun:
    record: FlowRecord = directory.record
    return PastRun(
        name=record.name,
        file=record.file,
        directory=str(directory.path),
        pid=record.pid,
        ticks=started_at_ticks(os.getpid()),
        workers=[spec.name for spec in plan.workers],
        started_at=record.started_at,
    )


def line_of(event: events.Event) -> LogLine | None:
    """The line that an event is in the log; None for none."""
    worker = getattr(event, "worker", "")
    kind = EVENT
    if isinstance(event, events.Output):
        kind, text = OUTPUT, event.line
    elif isinstance(event, events.RequestFailed):
        kind, text = FAILURE, event.as_text()
    elif isinstance(event, events.WorkerUp):
        text = f"is ready: {', '.join(event.endpoints) or 'no endpoint'}"
    elif isinstance(event, events.Up):
        text = f"the Flow is up after {event.seconds:.2f} s, at {' and '.join(event.addresses)}"
    elif isinstance(event, events.StartFailed):
        text = whole_failure(event)
    elif isinstance(event, events.Stopping):
        text = f"{'Stopping immediately' if event.at_once else 'Stopping'} ({event.reason})"
    elif isinstance(event, events.Changing):
        text = event.whole or event.text
    elif isinstance(event, events.Stopped):
        text = "the Flow has stopped" if event.clean else "the Flow has failed"
    elif isinstance(event, events.Doubtful):
        worker, text = event.node, event.as_text()
    elif isinstance(event, (*events.LINES, events.Outside)):
        text = event.as_text()
    else:
        return None
    if kind != OUTPUT and worker:
        text = _without_name(text, worker)
    return LogLine(at=time.time(), worker=worker, kind=kind, text=text)


def _without_name(text: str, worker: str) -> str:
    """The prefix says it."""
    for before in ("", "error: "):
        for after in (": ", " "):
            if text.startswith(f"{before}{worker}{after}"):
                return before + text[len(before) + len(worker) + len(after) :]
    return text


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _as_json(line: LogLine) -> str:
    fields = {name: value for name, value in msgspec.structs.asdict(line).items() if value}
    fields["at"] = round(line.at, 3)
    text = json.dumps(fields, ensure_ascii=False)
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    """What could control a terminal, as JSON writes it; what is no character cannot be written."""
    number = ord(found[0])
    return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= number <= 0xDFFF else f"\\u{number:04x}"
