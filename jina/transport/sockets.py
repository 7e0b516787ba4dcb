"""Open sockets and move messages over them.

A message is a header frame and payload frames; a ROUTER adds the peer's identity in front. Raw
`recv`/`send` calls, because the multipart helpers cost twice as much per message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from math import ceil
from struct import Struct
from typing import Any, TypeAlias

import msgspec
import zmq

from jina.defaults import (
    KIB,
    MAX_FRAME_BYTES,
    MAX_FRAMES,
    MAX_FRAMES_FROM_GATEWAY,
    TCP_PROBE_S,
    TCP_SILENCE_S,
)
from jina.excepts import ConnectError, WireError
from jina.transport.zmtp import too_large

Frame: TypeAlias = "bytes | bytearray | memoryview | zmq.Frame"
Socket: TypeAlias = "zmq.Socket[bytes]"
Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"

_WATCHED = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_DISCONNECTED
)
_STRANGE = 4
_WEB = ("http:", "https:", "ws:", "wss:")
_EVENT = Struct("=HI")  # how a monitor's message begins
_NO_COPY_BYTES = 64 * KIB  # from here on, not copying a frame is cheaper than copying it
_NOBLOCK = int(zmq.NOBLOCK)
_NOBLOCK_MORE = _NOBLOCK | int(zmq.SNDMORE)

# The compiled calls themselves: the methods around them look for options that are never used here,
# at a third of the whole cost of a small message.
_send = zmq.backend.Socket.send
_receive = zmq.backend.Socket.recv

POLLIN = int(zmq.POLLIN)
POLLOUT = int(zmq.POLLOUT)
PeerGone = zmq.ZMQError  # what `send` raises when the peer cannot take the message
NothingCame = zmq.Again  # what `receive` raises when there is no message


class Message(msgspec.Struct, frozen=True):
    """A received message.

    Attributes:
        peer: identity of the sender; empty except on a ROUTER.
        header: the header frame.
        frames: the payload; large frames are not copied.
        user: by the key that was shown, where it was asked for; "" for those without one.
    """

    peer: bytes
    header: bytes
    frames: list[zmq.Frame]
    user: str = ""


def open_context() -> Context:
    """A context with one I/O thread."""
    return zmq.Context()


def open_router(context: Context, *, queue: int = 0) -> Socket:
    """A ROUTER that refuses, instead of dropping, what it cannot deliver.

    Queues are unbounded: credits and windows bound what is under way, by number and by bytes,
    which high-water marks do not.

    Args:
        context: of the process.
        queue: messages of one peer that may wait to be received, where peers are not to be
            trusted to keep a window; 0 for no limit.
    """
    socket = context.socket(zmq.ROUTER)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    _set_common(socket)
    socket.setsockopt(zmq.RCVHWM, queue)
    return socket


def open_dealer(context: Context, identity: bytes = b"") -> Socket:
    """A DEALER that sends only while it has a peer, and loses with it what was not read.

    Args:
        context: of the process.
        identity: by which a ROUTER knows it; "" lets the ROUTER choose.
    """
    socket = context.socket(zmq.DEALER)
    if identity:
        socket.setsockopt(zmq.IDENTITY, identity)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    _set_common(socket)
    return socket


def open_lasting_dealer(context: Context, *, timeout_s: float, identity: bytes = b"") -> Socket:
    """A DEALER that keeps what has come, and what waits to be sent, when its connection breaks.

    It never refuses to send; a `Link` tells whether there is a peer.

    Args:
        context: of the process.
        timeout_s: how long `receive_in_time` waits.
        identity: by which a ROUTER knows it; "" lets the ROUTER choose.
    """
    socket = context.socket(zmq.DEALER)
    if identity:
        socket.setsockopt(zmq.IDENTITY, identity)
    socket.setsockopt(zmq.RCVTIMEO, int(timeout_s * 1000))
    _set_common(socket)
    return socket


class Link:
    """Whether the one connection of a socket is up.

    Once it says that the connection broke, whatever had arrived before can be received.

    Args:
        socket: not connected yet.
    """

    def __init__(self, socket: Socket) -> None:
        self._events = open_monitor(socket, _WATCHED)
        self._is_up = False
        self._refusal = ""
        self._strange = 0  # handshakes in a row that ended without a reason

    @property
    def is_up(self) -> bool:
        """Whether there is a peer now, as far as the system has said."""
        self._hear()
        return self._is_up

    @property
    def refusal(self) -> str:
        """Why the last handshake failed, "" if none did since the last one that succeeded.

        "key": the other side does not list our key. "mechanism": only one side has keys. "unknown":
        it ended several times in a row without a reason, as when the key of the other side is not
        the one that was expected; sometimes that comes before "mechanism", too.
        """
        self._hear()
        return self._refusal

    def _hear(self) -> None:
        with contextlib.suppress(NothingCame):
            while True:
                kind, value, _ = next_event(self._events)
                self._is_up = kind == zmq.EVENT_HANDSHAKE_SUCCEEDED
                if self._is_up:
                    self._refusal, self._strange = "", 0
                elif kind == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                    self._refusal = "key"
                elif kind == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                    if value == zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
                        self._refusal = "mechanism"
                elif kind == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                    # One may be a gateway that died just then.
                    self._strange += 1
                    if self._strange >= _STRANGE:
                        self._refusal = "unknown"

    @property
    def descriptor(self) -> int:
        """See `descriptor`; it changes when something happens to the connection."""
        return descriptor(self._events)

    def wait(self, timeout_s: float) -> None:
        """Wait until something happens to the connection."""
        self._events.poll(ceil(timeout_s * 1000))


def open_monitor(socket: Socket, events: int) -> Socket:
    """A socket on which one is told what happens to the connections of another.

    Args:
        socket: has no monitor yet, and is neither bound nor connected to what is to be told.
        events: of ZeroMQ, as bits.
    """
    monitor: Socket = socket.context.socket(zmq.PAIR)
    monitor.setsockopt(zmq.RCVHWM, 0)  # else the I/O thread would wait for us
    address = f"inproc://monitor-{id(monitor)}"
    socket.monitor(address, events)
    monitor.connect(address)
    return monitor


def next_event(monitor: Socket) -> tuple[int, int, bytes]:
    """What happened next: the event, its value, and the address that was bound or connected to.

    Raises:
        NothingCame: nothing has happened.
    """
    event, address = monitor.recv_multipart(zmq.NOBLOCK)
    kind, value = _EVENT.unpack_from(event)
    return kind, value, address


def _set_common(socket: Socket) -> None:
    for option, value in (
        (zmq.LINGER, 0),
        (zmq.SNDHWM, 0),
        (zmq.RCVHWM, 0),
        (zmq.MAXMSGSIZE, MAX_FRAME_BYTES),
        (zmq.HANDSHAKE_IVL, 2000),
        (zmq.RECONNECT_IVL, 20),
        (zmq.RECONNECT_IVL_MAX, 2000),
        # These do nothing on local sockets. The kernels ask each other: ZeroMQ's own heartbeats
        # would also cut off a peer that was stopped with Ctrl-Z, or that sends one large frame over
        # a slow line.
        (zmq.TCP_KEEPALIVE, 1),
        (zmq.TCP_KEEPALIVE_IDLE, TCP_PROBE_S),
        (zmq.TCP_KEEPALIVE_INTVL, TCP_PROBE_S),
        (zmq.TCP_KEEPALIVE_CNT, TCP_SILENCE_S // TCP_PROBE_S - 1),
        (zmq.TCP_MAXRT, TCP_SILENCE_S * 1000),
    ):
        socket.setsockopt(option, value)


def _allow_ipv6(socket: Socket, address: str) -> None:
    """Only for addresses that ask for it: with it, IPv4 addresses appear in their IPv6 form."""
    if "[" in address:
        socket.setsockopt(zmq.IPV6, 1)


def bind(socket: Socket, address: str) -> str:
    """Bind and return the address that was bound, with the port the system chose.

    Raises:
        ConnectError: the address is in use or cannot be bound.
    """
    _allow_ipv6(socket, address)
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        raise ConnectError(
            f"cannot listen there: {zmq.strerror(error.errno or 0)}",
            where=address,
            hint="choose another --port, or stop the program that uses it",
        ) from error
    return socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()  # type: ignore[union-attr]


def connect(socket: Socket, address: str) -> None:
    """Start connecting; this continues in the background.

    Raises:
        ConnectError: it is not an address.
    """
    _allow_ipv6(socket, address)
    try:
        socket.connect(address)
    except zmq.ZMQError as error:
        if address.lower().startswith(_WEB):
            raise ConnectError(
                "this is where HTTP is served, which is for browsers and other programs",
                where=address,
                hint="connect to the Flow itself: --flow NAME, or its own address: "
                "`jina flow ps --json` lists it, and `jina flow up --port` opens one on TCP",
            ) from error
        raise ConnectError(
            "not an address",
            where=address,
            hint="addresses look like ipc:///run/user/1000/jina/search-1a2b/front.ipc "
            "or tcp://127.0.0.1:5555",
        ) from error


def descriptor(socket: Socket) -> int:
    """What an event loop watches to learn of messages.

    It becomes readable when something changes, not as long as there are messages: receive all of
    them then, and look after each send, too.
    """
    return int(socket.getsockopt(zmq.FD))


def send(socket: Socket, message: Sequence[Any], peer: bytes = b"") -> None:
    """Send one message without waiting.

    Args:
        socket: a ROUTER (with `peer`) or a DEALER.
        message: the header frame and the payload; frames of 64 KiB and more are not copied, so
            they must not change.
        peer: identity of the receiver, on a ROUTER.

    Raises:
        PeerGone: there is no such peer, or none yet.
        WireError: a frame is over the limit; the other side would cut the connection, and nobody
            would ever know why.
    """
    for frame in message:
        if len(frame) > MAX_FRAME_BYTES:
            raise too_large(len(frame))
    if peer:
        _send(socket, peer, _NOBLOCK_MORE)
    left = len(message)
    for frame in message:
        left -= 1
        flags = _NOBLOCK_MORE if left else _NOBLOCK
        _send(socket, frame, flags, len(frame) < _NO_COPY_BYTES)


def send_if_connected(socket: Socket, message: Sequence[Any], peer: bytes = b"") -> bool:
    """Like `send`; False when the peer is gone or not there yet."""
    try:
        send(socket, message, peer)
    except PeerGone:
        return False
    return True


def receive(socket: Socket, *, routed: bool, wait: bool = False, is_known: bool = False) -> Message:
    """Receive a message.

    Args:
        socket: what a poll named, or the only socket to wait for.
        routed: True on a ROUTER, where the peer's identity comes first.
        wait: wait for the message; without a poll before, that is one system call less.
        is_known: look whose message it is, which costs about a microsecond.

    Raises:
        WireError: the message has more frames than any of ours; it was drained and dropped.
    """
    most_frames = MAX_FRAMES if routed else MAX_FRAMES_FROM_GATEWAY
    peer: bytes = _receive(socket, _NOBLOCK) if routed else b""
    # Frames know whether more follow; asking the socket costs three times as much.
    frame: zmq.Frame = _receive(socket, 0 if wait else _NOBLOCK, False)
    header = frame.bytes
    user = _user_of(frame) if is_known else ""
    frames: list[zmq.Frame] = []
    while frame.more:
        frame = _receive(socket, _NOBLOCK, False)
        if len(frames) < most_frames:
            frames.append(frame)
        elif not frame.more:
            raise WireError(f"a message of more than {most_frames} frames", where=repr(peer))
    return Message(peer, header, frames, user)


def _user_of(frame: zmq.Frame) -> str:
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:  # it came over a local socket, which has no keys
        return ""


def receive_in_time(socket: Socket) -> Message | None:
    """Receive a message on a DEALER; None when none came within the timeout it was opened with."""
    try:
        return receive(socket, routed=False, wait=True)
    except zmq.Again:
        return None


def payload(frame: Frame) -> bytes | memoryview:
    """The bytes of a received frame: copied when small, in place when large."""
    if isinstance(frame, bytes):
        return frame
    if isinstance(frame, zmq.Frame):
        return frame.bytes if len(frame) < _NO_COPY_BYTES else frame.buffer
    return memoryview(frame)


def close(context: Context) -> None:
    """Close every socket of the context and the context itself, dropping what is unsent."""
    with contextlib.suppress(zmq.ZMQError):
        context.destroy(linger=0)


def wait_until_sent(socket: Socket, timeout_s: float) -> None:
    """Close one socket, giving its last messages up to `timeout_s` to leave."""
    with contextlib.suppress(zmq.ZMQError):
        socket.close(linger=int(timeout_s * 1000))


Poller = zmq.Poller
