"""Look how a running Flow is: ask its supervisor, as often as wanted, over one connection."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from types import TracebackType

from jina.defaults import TIMEOUT_CONNECT_S
from jina.excepts import ConnectError, FlowNotFound
from jina.launch.processes import is_stopped
from jina.launch.rundir import FlowRecord, control_of
from jina.runtime import control
from jina.runtime.facts import Look, Report


class Looker:
    """A connection to the supervisor of one Flow.

    Args:
        directory: the Flow's run directory.
        record: of the Flow.

    Raises:
        FlowNotFound: it has ended.
    """

    def __init__(self, directory: Path, record: FlowRecord) -> None:
        self._record = record
        self._last = 0
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            end.connect(str(control_of(directory)))
        except OSError as error:
            end.close()
            raise FlowNotFound(f'the Flow "{record.name}" has ended') from error
        self._channel = control.Channel(end, Report | control.Refused)

    def __enter__(self) -> Looker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channel.close()

    def look(self, timeout_s: float = TIMEOUT_CONNECT_S) -> Report:
        """How the Flow is now.

        Raises:
            FlowNotFound: it has ended.
            ConnectError: its supervisor does not answer in time.
        """
        if is_stopped(self._record.pid):
            raise self._silence(0)
        self._last += 1
        self._channel.send(Look(number=self._last))
        deadline = time.monotonic() + timeout_s
        while self._channel.is_open:
            left = max(0.0, deadline - time.monotonic())
            if not (self._channel.has_waiting or select.select([self._channel], [], [], left)[0]):
                raise self._silence(timeout_s)
            for message in self._channel.receive():
                if isinstance(message, control.Refused):
                    raise ConnectError(
                        f'the Flow "{self._record.name}" was started by another version of jina',
                        hint="stop it with `jina flow down` and start it again",
                    )
                if isinstance(message, Report) and message.number == self._last:
                    return message
        raise FlowNotFound(f'the Flow "{self._record.name}" has ended')

    def _silence(self, timeout_s: float) -> ConnectError:
        pid = self._record.pid
        if is_stopped(pid):
            return ConnectError(
                f'the supervisor of the Flow "{self._record.name}" (process {pid}) is stopped',
                hint=f"`kill -CONT {pid}` resumes it",
            )
        return ConnectError(
            f'the supervisor of the Flow "{self._record.name}" (process {pid}) has not answered '
            f"within {timeout_s:g} s"
        )
