"""The socket in the run directory on which the supervisor is asked how it is, and for changes.

Whoever may enter the run directory may ask, which is its owner alone. Nothing that clients say to
the gateway comes here.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from jina.runtime import control
from jina.runtime.facts import Look


class Asker:
    """Who asked. It may have left; what it is told is lost then.

    Args:
        channel: to it. It never waits: an asker that does not read is given up.
    """

    def __init__(self, channel: control.Channel) -> None:
        self._channel = channel

    def tell(self, message: msgspec.Struct) -> None:
        """Say what has happened."""
        if self._channel.is_open:
            self._channel.send(message)


Question: TypeAlias = control.Change | Look
Hear: TypeAlias = Callable[[Question, Asker], None]


class ControlSocket:
    """Listens for questions, on the loop of one supervisor.

    Args:
        selector: of that loop; it calls what is registered as data.
        hear: called with each question and who asks.
    """

    def __init__(self, selector: selectors.BaseSelector, hear: Hear) -> None:
        self._selector = selector
        self._hear = hear
        self._listening: socket.socket | None = None
        self._channels: set[control.Channel] = set()

    def open(self, path: Path) -> None:
        """Listen there from now on.

        Raises:
            OSError: no socket can be made.
        """
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Nobody sees it before it listens; the name is no longer than that of other sockets there.
        fresh = path.with_name("new.ipc")
        self._listening.bind(str(fresh))
        os.chmod(fresh, 0o600)
        self._listening.listen()
        os.replace(fresh, path)
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Let go of everybody."""
        for channel in list(self._channels):
            self._leave(channel)
        if self._listening is not None:
            self._listening.close()

    def _accept(self) -> None:
        if self._listening is None:
            return
        try:
            end, _ = self._listening.accept()
        except OSError:  # it has left again, or no descriptor is free
            return
        end.setblocking(False)
        channel = control.Channel(end, Question)
        self._channels.add(channel)
        self._selector.register(channel, selectors.EVENT_READ, lambda: self._on_channel(channel))

    def _on_channel(self, channel: control.Channel) -> None:
        try:
            for question in channel.receive():
                self._hear(question, Asker(channel))  # type: ignore[arg-type]  # it decodes no others
        except msgspec.DecodeError as error:
            channel.send(control.Refused(what=f"that is not a change: {error}"))
            self._leave(channel)
            return
        if not channel.is_open:
            self._leave(channel)

    def _leave(self, channel: control.Channel) -> None:
        self._channels.discard(channel)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(channel)
        channel.close()
