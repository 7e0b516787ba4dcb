"""Connections of the event loop to a gateway: messages go out, and what comes is called back.

Two kinds do the same. To a gateway on this machine, whose socket is a file, the loop speaks
ZeroMQ's protocol itself, which halves what a small request costs the front. To another machine, and
wherever keys are needed, libzmq does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from jina.defaults import KIB, MIB
from jina.excepts import WireError
from jina.transport import sockets, zmtp
from jina.transport.curve import Credentials

_IPC = "ipc://"
_RETRY_S, _RETRY_MAX_S = 0.02, 2.0  # between attempts to connect
_HANDSHAKE_S = 2.0
_JOINED_BYTES = 64 * KIB  # up to which putting pieces together is cheaper than naming them
_BEHIND_BYTES = 1 * MIB  # that wait to be written: what comes then had better wait elsewhere
_UNHEARD_BYTES = 64 * MIB  # likewise, that were sent since a gateway far away was last heard
_GOODBYE_S = 0.2  # that the last message may take to leave
_log = logging.getLogger("jina.http")

Heard = Callable[[bytes, Sequence[Any]], None]
"""Called with the first frame of a message, and the others."""


class Dealer(Protocol):
    """A connection that is made again whenever it breaks."""

    is_up: bool
    """Whether there is a gateway at the other end now."""

    @property
    def is_behind(self) -> bool:
        """Whether the gateway reads more slowly than it is written to.

        What has been given to `send` cannot be taken back.
        """

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to connect."""

    def close(self, goodbye: Sequence[Any]) -> None:
        """Send a last message, if there is a connection, and end it."""

    def send(self, message: Sequence[Any]) -> None:
        """Send a message, at the next `flush`; while there is no connection, nobody gets it.

        Raises:
            WireError: a frame is over the limit.
        """

    def flush(self) -> None:
        """Send in one go what has been given to `send`."""


def dealer_to(
    address: str,
    keys: str,
    context: sockets.Context,
    heard: Heard,
    changed: Callable[[], None],
    caught_up: Callable[[], None],
) -> Dealer:
    """A connection to a gateway.

    Args:
        address: of the gateway.
        keys: folder of the key that it asks for; "" if it asks for none.
        context: for libzmq.
        heard: called with each message.
        changed: called when the connection has come up or broken.
        caught_up: called when the dealer is not behind any more.
    """
    if address.startswith(_IPC) and not keys:
        return LocalDealer(address.removeprefix(_IPC), heard, changed, caught_up)
    return RemoteDealer(address, keys, context, heard, changed, caught_up)


class LocalDealer(asyncio.Protocol):
    """See `Dealer`; to a gateway on this machine.

    Args:
        path: of its socket.
        heard: called with each message.
        changed: called when the connection has come up or broken.
        caught_up: called when the gateway has read what it was behind with.
    """

    def __init__(
        self,
        path: str,
        heard: Heard,
        changed: Callable[[], None],
        caught_up: Callable[[], None],
    ) -> None:
        self.is_up = False
        self.is_behind = False
        self._path = path
        self._heard = heard
        self._changed = changed
        self._caught_up = caught_up
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._retry_s = _RETRY_S
        self._greeting = b""
        self._frames = zmtp.Frames()
        self._pieces: list[Any] = []  # to be written

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to connect."""
        self._loop = loop
        self._connect()

    def close(self, goodbye: Sequence[Any]) -> None:
        """Send a last message, if there is a connection, and end it."""
        self._loop = None
        self._stop_timer()
        if self._attempt is not None:
            self._attempt.cancel()
        if self.is_up:
            self.send(goodbye)
            self.flush()
        self.is_up = False
        if self._transport is not None:
            self._transport.close()

    def send(self, message: Sequence[Any]) -> None:
        """See `Dealer`."""
        pieces = zmtp.packed(message)
        if self.is_up:
            self._pieces += pieces

    def flush(self) -> None:
        """See `Dealer`."""
        pieces, self._pieces = self._pieces, []
        if not pieces or not self.is_up:
            return
        if sum(map(len, pieces)) <= _JOINED_BYTES:
            self._transport.write(b"".join(pieces))
        else:
            self._transport.writelines(pieces)

    # --- the connection ---

    def _connect(self) -> None:
        if self._loop is not None:
            self._attempt = self._loop.create_task(self._try_to_connect())

    async def _try_to_connect(self) -> None:
        assert self._loop is not None
        try:
            await self._loop.create_unix_connection(lambda: self, self._path)
        except OSError:
            self._connect_later()

    def _connect_later(self) -> None:
        if self._loop is not None:
            self._timer = self._loop.call_later(self._retry_s, self._connect)
            self._retry_s = min(2 * self._retry_s, _RETRY_MAX_S)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is somebody at the other end."""
        self._transport = transport
        self._transport.set_write_buffer_limits(_BEHIND_BYTES)
        self._greeting = b""
        self._frames = zmtp.Frames()
        self._pieces = []
        self._transport.write(zmtp.GREETING)
        if self._loop is not None:
            self._timer = self._loop.call_later(_HANDSHAKE_S, self._transport.abort)

    def pause_writing(self) -> None:
        """The gateway does not read."""
        self.is_behind = True

    def resume_writing(self) -> None:
        """It has read nearly all."""
        self.is_behind = False
        self._caught_up()

    def data_received(self, data: bytes) -> None:
        """Take in what comes: first the greeting, then messages."""
        try:
            if len(self._greeting) < len(zmtp.GREETING):
                data = self._greet(data)
            messages = self._frames.feed(data)
        except WireError as error:
            _log.warning("the connection to the gateway is made again: %s", error)
            self._transport.abort()
            return
        if self._frames.is_ready and not self.is_up:
            self._stop_timer()
            self._retry_s = _RETRY_S
            self.is_up = True
            self._changed()
        for message in messages:
            self._heard(message[0], message[1:])

    def _greet(self, data: bytes) -> bytes:
        """Take in the greeting; what comes behind it."""
        whole = self._greeting + data
        size = len(zmtp.GREETING)
        self._greeting = whole[:size]
        if len(whole) >= size:
            zmtp.check_greeting(self._greeting)
            self._transport.write(zmtp.READY)
        return whole[size:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._transport = None
        self.is_behind = False
        self._stop_timer()
        was_up, self.is_up = self.is_up, False
        if was_up:
            self._changed()
        self._connect_later()


class RemoteDealer:
    """See `Dealer`; by libzmq, whose descriptors the loop watches.

    It does not tell what waits to be sent, so a gateway that says nothing counts as not reading.

    Args:
        address: of the gateway.
        keys: folder of the key that it asks for; "" if it asks for none.
        context: of the process.
        heard: called with each message.
        changed: called when the connection has come up or broken.
        caught_up: called when a gateway that was behind says something again.
    """

    def __init__(
        self,
        address: str,
        keys: str,
        context: sockets.Context,
        heard: Heard,
        changed: Callable[[], None],
        caught_up: Callable[[], None],
    ) -> None:
        self.is_up = False
        self._unheard = 0  # bytes
        self._address = address
        self._heard = heard
        self._changed = changed
        self._caught_up = caught_up
        self._socket = sockets.open_lasting_dealer(context, timeout_s=_HANDSHAKE_S)
        if keys:
            Credentials(keys).show_on(self._socket)
        self._link = sockets.Link(self._socket)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptors: list[int] = []
        self._is_reading_due = False

    @property
    def is_behind(self) -> bool:
        """See `Dealer`."""
        return self._unheard > _UNHEARD_BYTES

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to connect."""
        self._loop = loop
        sockets.connect(self._socket, self._address)
        for descriptor, read in (
            (sockets.descriptor(self._socket), self._on_messages),
            (self._link.descriptor, self._on_link),
        ):
            loop.add_reader(descriptor, read)
            self._descriptors.append(descriptor)
        self._on_link()

    def close(self, goodbye: Sequence[Any]) -> None:
        """Send a last message, if there is a connection, and end it."""
        if self._loop is not None:
            for descriptor in self._descriptors:
                self._loop.remove_reader(descriptor)
        self._loop = None
        if self.is_up:
            sockets.send(self._socket, goodbye)
            sockets.wait_until_sent(self._socket, _GOODBYE_S)
        self.is_up = False

    def send(self, message: Sequence[Any]) -> None:
        """See `Dealer`; a message that waits for a connection is sent on it."""
        sockets.send(self._socket, message)
        self._unheard += sum(map(len, message))
        # Sending may take the news of a message from the descriptor, which tells only of changes.
        self._read_soon()

    def flush(self) -> None:
        """See `Dealer`; each message has been sent."""

    def _read_soon(self) -> None:
        if not self._is_reading_due and self._loop is not None:
            self._is_reading_due = True
            self._loop.call_soon(self._on_messages)

    def _on_messages(self) -> None:
        self._is_reading_due = False
        while self._loop is not None:
            try:
                message = sockets.receive(self._socket, routed=False)
            except sockets.NothingCame:
                return
            except WireError as error:
                _log.warning("a message of the gateway was dropped: %s", error)
            else:
                was_behind, self._unheard = self.is_behind, 0
                self._heard(message.header, message.frames)
                if was_behind:
                    self._caught_up()

    def _on_link(self) -> None:
        was_up, self.is_up = self.is_up, self._link.is_up
        if self.is_up != was_up:
            self._changed()
