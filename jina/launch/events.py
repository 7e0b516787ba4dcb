"""What a supervisor reports about its Flow, as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from jina.excepts import FlowError
from jina.launch.rundir import FlowRecord
from jina.runtime import control
from jina.runtime.start_error import StartError
from jina.wire.doubts import Doubt


class _Event(msgspec.Struct, tag=True, kw_only=True):
    pass


class Output(_Event):
    """A worker's Executor printed a line."""

    worker: str
    text: str

    @property
    def line(self) -> str:
        """The line without the worker's name."""
        # Of a progress bar that is drawn over and over, only its last state.
        return self.text.rpartition("\r")[2]

    def as_text(self) -> str:
        """The line that people read."""
        return f"{self.worker} | {self.line}"


class WorkerUp(_Event):
    """A worker is ready."""

    worker: str
    endpoints: list[str]
    pid: int = 0


class Doubtful(_Event):
    """What is suspicious about the Executor of a node, though it runs; each thing is told once.

    `where` is the place at which the user wrote it, as file:line:column; "" from Python.
    """

    node: str
    where: str
    doubts: list[Doubt]

    def as_text(self) -> str:
        """The lines that people read, where nobody can tell their places in the YAML."""
        where = f"{self.where}: " if self.where else ""
        return "\n".join(f"warning: {self.node}: {where}{doubt.text}" for doubt in self.doubts)


class Loading(_Event):
    """The Flow is starting, and these workers are not ready yet; told about once a second."""

    workers: list[str]
    seconds: float


class Up(_Event):
    """Every worker is ready and the gateway answers."""

    flow: str
    addresses: list[str]
    directory: str
    seconds: float
    log: str = ""  # what it says, as JSON lines
    http: str = ""  # URL of its front

    @classmethod
    def of(cls, directory: Path, record: FlowRecord, seconds: float) -> Up:
        """Of the Flow in a run directory."""
        return cls(
            flow=record.name,
            addresses=record.addresses,
            directory=str(directory),
            seconds=seconds,
            log=record.log,
            http=record.http,
        )


class StartFailed(_Event):
    """A process did not come up; the Flow is being stopped.

    `output` holds the last lines that it printed, at most some 64 KiB; `is_shown` says that they
    were reported before. `error` is what its Executor has raised, if it has.
    `is_unfit` says that a check of the Flow's YAML finds why, see `jina.runtime.control.UNFIT`.
    `is_up_already` says that nothing was started, because the same file is up.
    `hint` says what to do; then `reason` is a whole sentence.
    """

    worker: str
    where: str
    reason: str
    output: list[str]
    is_unfit: bool = False
    is_up_already: bool = False
    hint: str = ""
    is_shown: bool = False
    error: StartError | None = None

    @classmethod
    def of(cls, error: FlowError) -> StartFailed:
        """Of what no single process is to blame for."""
        return cls(worker="", where=error.where, reason=error.what, output=[], hint=error.hint)


class WorkerDied(_Event):
    """A worker's process is gone; `restart_in_s` is None when it will not be started again."""

    worker: str
    reason: str
    restart_in_s: float | None

    def as_text(self) -> str:
        """The line that people read."""
        if self.restart_in_s is None:
            return f"error: {self.worker} {self.reason}, too often: it will not be restarted"
        when = f"in {self.restart_in_s:g} s" if self.restart_in_s else "immediately"
        return f"{self.worker} {self.reason}; restarting {when}"


class Overdue(_Event):
    """A worker has been at one request for `seconds`, too long: it is ended."""

    worker: str
    seconds: float

    def as_text(self) -> str:
        """The line that people read."""
        return (
            f"{self.worker} exceeded its timeout of {self.seconds:g} s and is being killed; "
            "this is what it was doing:"
        )


class Unreachable(_Event):
    """A worker has lost its connection to the gateway: it is ended."""

    worker: str

    def as_text(self) -> str:
        """The line that people read."""
        return (
            f"{self.worker} lost its connection, which happens if its Executor closes file "
            "descriptors that it does not own; killing it"
        )


class RequestFailed(_Event):
    """A request failed, or one of its Documents did; see `control.RequestFailed`."""

    worker: str
    text: str
    left_out: int = 0
    client: str = ""

    @classmethod
    def of(cls, message: control.RequestFailed) -> RequestFailed:
        """What the gateway has said."""
        return cls(
            worker=message.worker,
            text=message.text,
            left_out=message.left_out,
            client=message.client,
        )

    def as_text(self) -> str:
        """The line that people read."""
        many = "1 more failure" if self.left_out == 1 else f"{self.left_out} more failures"
        if not self.text:
            return f"error: {many} not shown"
        who = f"{self.worker}: " if self.worker else ""
        more = f"; {many} before it not shown" if self.left_out else ""
        return f"error: {who}{self.text}{more}"


class Changing(_Event):
    """The Flow is being changed: what has just happened, in words.

    `whole` is what the log has instead, if that is more.
    """

    text: str
    whole: str = ""


class Outside(_Event):
    """Who serves an external Executor has come or gone, or nobody does: in words."""

    text: str

    def as_text(self) -> str:
        """The line that people read."""
        return self.text


class Stopping(_Event):
    """The Flow is draining; with `at_once`, it was told to stop again and kills everything."""

    reason: str
    at_once: bool = False


class NotClosed(_Event):
    """A worker was told to end and did not end in time, or failed at it.

    `reason` is how it ended; empty for one that did not, and is killed after `waited_s`.
    """

    worker: str
    waited_s: float = 0.0
    reason: str = ""

    def as_text(self) -> str:
        """The line that people read."""
        if self.reason:
            return f"error: {self.worker} {self.reason} while closing"
        return (
            f"error: {self.worker} did not end within {self.waited_s:g} s: its close(), or the"
            " method before it, has not returned; killing it"
        )


class GivenUp(_Event):
    """The Flow stops, and so many requests were not done within `waited_s`."""

    requests: int
    waited_s: float

    def as_text(self) -> str:
        """The line that people read."""
        what = "1 request that was" if self.requests == 1 else f"{self.requests} requests that were"
        return f"error: gave up {what} not done within {self.waited_s:g} s"


class Released(_Event):
    """Whoever started the Flow leaves it running: nobody is shown what it says any more.

    `log` is the file that has it; "" if there is none.
    """

    log: str


class Stopped(_Event):
    """Every process is gone."""

    clean: bool


#: Those that are lines for people wherever a Flow's log goes.
LINES = (Output, WorkerDied, Overdue, Unreachable, RequestFailed, NotClosed, GivenUp)

#: Those that an owner may be told of while its Flow starts.
OF_START = (Output, WorkerUp, Doubtful, Loading, Outside)

Event: TypeAlias = (
    Output
    | WorkerUp
    | Doubtful
    | Loading
    | Up
    | StartFailed
    | WorkerDied
    | Overdue
    | Unreachable
    | RequestFailed
    | Changing
    | Outside
    | Stopping
    | NotClosed
    | GivenUp
    | Released
    | Stopped
)


class Reporter(Protocol):
    """Who is told about a Flow, on the supervisor's thread."""

    @property
    def is_behind(self) -> bool:
        """Whether to read nothing that the processes print for a moment."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
