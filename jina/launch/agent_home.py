"""What an agent has instead of a run directory: nothing of it is left when it is killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from jina.launch.rundir import FlowRecord
from jina.runtime.board import create_board


class AgentHome:
    """Where an agent's workers are started.

    Args:
        back: address of the gateway for workers.
    """

    def __init__(self, back: str) -> None:
        self.back = back
        self.record = FlowRecord(name="", pid=os.getpid())
        self._folder = Path(tempfile.mkdtemp(prefix="jina-agent-"))
        self.board = self._folder / "board"
        create_board(self.board)
        self._file = os.open(self.board, os.O_RDWR | os.O_CLOEXEC)
        own = Path(f"/proc/{os.getpid()}/fd/{self._file}")
        if own.exists():  # the file needs no name then: workers open it by way of our descriptor
            self._remove()
            self.board = own

    def save(self) -> None:
        """Nobody reads the record: the workers end with this process."""

    def close(self) -> None:
        """Let go of the board."""
        os.close(self._file)
        self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            (self._folder / "board").unlink()
            self._folder.rmdir()
