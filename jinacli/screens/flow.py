"""What `jina flow` shows: a Flow coming up, going down, and the list of those that run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from typing import Any

from jina.client.session import Session
from jina.defaults import TIMEOUT_CONNECT_S
from jina.excepts import ConnectError, FlowError, FlowNotFound, RuntimeFailToStart, SeveralFlows
from jina.graph.plan import Plan
from jina.launch import events, rundir
from jina.launch.find import find_flow, shortest
from jina.launch.local import LocalFlow, start_failure
from jina.launch.rundir import FlowRecord
from jina.launch.speaker import Speaker
from jina.launch.supervisor import Supervisor
from jina.runtime.descendants import end_orphans
from jina.runtime.lastlog import last_log_of
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.screens.errors import say, text_of
from jinacli.screens.unfit import first_words

_LOOK_S = 0.05  # between looks at a Flow that is stopping
_AT_ONCE_S = 5.0  # how long an end "at once" may take
_WIDEST = 100_000  # columns; more than any row has
_FILE_WIDTH = 20  # columns that a file's name has at least, if it needs them; it may be broken


class UpScreen:
    """Tells what happens to a Flow: on standard error, and its readiness as JSON if wanted."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self.unfit: RuntimeFailToStart | None = None
        """Why it did not start, where a check of its YAML finds that."""
        self._speaker = Speaker()
        self._say = self._speaker.say if sys.stderr else _say_nothing

    @property
    def is_behind(self) -> bool:
        """See Reporter."""
        return self._speaker.is_behind

    def __call__(self, event: events.Event) -> None:
        """Show one event."""
        if isinstance(event, (events.Output, events.WorkerDied, events.NotClosed)):
            self._say(event.as_text())
        elif isinstance(event, events.StartFailed):
            self._failed(start_failure(event))
        elif isinstance(event, events.Up):
            self.up(event)
        elif isinstance(event, events.Stopping) and not self._quiet:
            if event.at_once:
                self._say(f"ending at once ({event.reason})")
            else:
                self._say(f"stopping ({event.reason}); once more to end at once")
        elif isinstance(event, events.WorkerUp) and not self._quiet:
            self._say(f"{event.worker} is ready: {', '.join(event.endpoints) or 'no endpoint'}")

    def _failed(self, failure: FlowError) -> None:
        if isinstance(failure, RuntimeFailToStart) and failure.is_unfit:
            self.unfit = failure
            self._say(first_words(failure))
        else:
            self._say(text_of(failure))

    def up(self, event: events.Up) -> None:
        """Show that everything is ready."""
        if not self._quiet:
            where = " and ".join(event.addresses)
            self._say(f'Flow "{event.flow}" is up after {event.seconds:.2f} s, at {where}')
        if self._as_json:
            answer = {
                "schema": "jina/up/v1",
                "flow": event.flow,
                "addresses": event.addresses,
                "seconds": round(event.seconds, 3),
            }
            print(json.dumps(answer), flush=True)

    def detached(self, event: events.Up) -> None:
        """Show where what it says goes from now on."""
        if not self._quiet:
            self._say(
                f"in the background: `jina flow down` stops it; it writes to {event.directory}/log"
            )

    def close(self) -> None:
        """Give people a moment to read the last lines."""
        self._speaker.close()


def _say_nothing(text: str) -> None:
    """Where standard error is closed."""


def run_here(plan: Plan, key: str, screen: UpScreen) -> int:
    """Supervise the Flow in this process until it is stopped.

    Returns:
        The exit code: 0 when it was stopped in order, 1 when it failed or an Executor did not
        close.

    Raises:
        RuntimeFailToStart: an Executor does not fit its YAML; its first words were said.
        KeyboardInterrupt: the second signal, which ended what was under way, was Ctrl-C.
        Terminated: it was another one.
    """
    directory = rundir.claim(plan.name, plan.file, key)
    supervisor = Supervisor(plan, directory, screen)
    clean = supervisor.run()
    screen.close()
    if screen.unfit:
        raise screen.unfit
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)  # all is gone: one more signal ends nothing
    if not clean:
        return exits.FAILED
    if supervisor.ended_by:
        raise KeyboardInterrupt if supervisor.ended_by == signal.SIGINT else exits.Terminated
    return exits.OK


def run_detached(plan: Plan, key: str, screen: UpScreen) -> int:
    """Start the Flow and leave it running."""
    flow = LocalFlow(plan, key)
    flow.release()
    screen.up(flow.up)
    screen.detached(flow.up)
    screen.close()
    return exits.OK


def stop_flows(wanted: str, *, every: bool, timeout_s: float, quiet: bool) -> int:
    """Stop one Flow, or all, and wait until they are gone.

    Args:
        wanted: name or file of the one; empty for the only one that runs.
        every: stop all.
        timeout_s: after which they are ended at once.
        quiet: say nothing of what was asked for, that they are gone.
    """
    end_orphans()  # of a Flow that was killed, with all who would have cleaned up
    if every:
        records = [record for _, record in rundir.running()]
    else:
        try:
            records = [find_flow(wanted, one_shots=True, as_in="jina flow down")]
        except SeveralFlows:
            raise
        except FlowNotFound as error:
            if not quiet:
                say(str(error) if wanted else error.what)
            return exits.OK
    for record in records:
        _signal(record, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    for record in records:
        # Killed as the last resort: its gateway ends the workers then.
        stronger = [signal.SIGTERM, signal.SIGKILL]
        while _is_running(record):
            if stronger and time.monotonic() > deadline:
                if len(stronger) > 1:
                    say(f'"{record.name}" is not gone after {timeout_s:g} s: ending it at once')
                _signal(record, stronger.pop(0))
                deadline = time.monotonic() + _AT_ONCE_S
            time.sleep(_LOOK_S)
        if not quiet:
            say(f'Flow "{record.name}" is down')
    return exits.OK


def _signal(record: FlowRecord, signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(record.pid, signum)


def list_flows(*, as_json: bool, names_only: bool) -> None:
    """List the Flows that run, with their workers."""
    end_orphans()
    flows = [_described(record) for _, record in rundir.running()]
    if names_only:
        for flow in flows:
            print(flow["name"])
    elif as_json:
        print(json.dumps({"schema": "jina/ps/v1", "flows": flows}, indent=2))
    elif not flows:
        say("no Flow is running")
        _say_logs()
    else:
        _table(flows)
        _say_logs()


def _say_logs() -> None:
    """Say where the logs of Flows that ended by themselves are kept, if there are any."""
    for base in rundir.base_directories():
        if any(base.glob(last_log_of("*").name)):
            say(f"logs of Flows that ended by themselves: {base / last_log_of('*').name}")


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


def _table(flows: list[dict[str, Any]]) -> None:
    # Late: only a list for people needs it.
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = ("flow", "state", "up", "worker", "pid", "state", "outstanding", "file")
    table = Table(box=None)
    for column in columns:
        # Files tell apart what has one name: they are never shortened.
        table.add_column(column, no_wrap=column != "file", overflow="fold")
    for flow in flows:
        up = _duration(flow["uptime_s"])
        state = f"{flow['state']}, for a post" if flow["one_shot"] else flow["state"]
        first, last = (flow["name"], state, up), shortest(flow["file"])
        for row in _rows(flow) or [("", "", "", "")]:
            # As text: a name in brackets is no mark-up.
            table.add_row(*(Text(escaped(cell)) for cell in (*first, *row, last)))
            first, last = ("", "", ""), ""
    console = Console(width=None if sys.stdout.isatty() else _WIDEST, highlight=False)
    # A terminal too narrow for the other columns breaks the lines; rich would cut all cells.
    whole = Console(width=_WIDEST).measure(table).maximum
    files = max(cell_len(shortest(flow["file"])) for flow in flows)
    console.width = max(console.width, whole - files + min(files, _FILE_WIDTH))
    console.print(table)


def _rows(flow: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """A row for each worker, then one for each node that has none left."""
    workers = [
        (
            f"{worker['node']}/{worker['replica']}",
            str(worker["pid"]),
            worker["state"],
            str(worker["outstanding"]),
        )
        for worker in flow["workers"]
    ]
    failed = flow.get("failed", {})
    return workers + [
        (node, "", f"failed: {reason.splitlines()[0]}", "") for node, reason in failed.items()
    ]


def _duration(seconds: float) -> str:
    whole = int(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def _is_running(record: FlowRecord) -> bool:
    return any(other.pid == record.pid for _, other in rundir.running())
