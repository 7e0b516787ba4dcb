"""A client's connection to a gateway: the greeting, questions, and the good-bye.

What is posted over it is the business of `jina.client.exchange`.
"""

from __future__ import annotations

import os
import time
from math import ceil
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from jina.defaults import TIMEOUT_CONNECT_S
from jina.excepts import ConnectError
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import ErrorInfo, Hello, Welcome, pack_map, unpack_map

if TYPE_CHECKING:
    from jina.transport.curve import Credentials

PING_S = 0.5
"""How long a gateway may be silent before it is asked whether it is there."""

_BYE_S = 0.2
_LOCAL_HINT = "`jina flow ps` lists the running Flows"
_REMOTE_HINT = "is the Flow up, with this --port, and can that machine be reached from here?"


class Session:
    """A connection to one gateway.

    Args:
        address: of the gateway.
        timeout_connect_s: how long the greeting may take.
        keys: what the gateway is shown; None if it asks for nothing.

    Raises:
        ConnectError: nobody answers there, or we are not let in.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_connect_s: float = TIMEOUT_CONNECT_S,
        keys: Credentials | None = None,
    ) -> None:
        self.address = address
        self.keys = keys
        if self.is_gone:
            raise ConnectError("no Flow listens there", where=address, hint=_LOCAL_HINT)
        self._context = sockets.open_context()
        self.number = 0  # of the last request that was sent
        try:
            self.socket = sockets.open_lasting_dealer(self._context, timeout_s=PING_S)
            self.link = sockets.Link(self.socket)
            if keys:
                keys.show_on(self.socket)
            sockets.connect(self.socket, address)
            self.poller = sockets.Poller()
            self.poller.register(self.socket, sockets.POLLIN)
            self.welcome = self._greet(timeout_connect_s)
        except BaseException:  # Ctrl-C too: nobody has this object yet, to close it
            sockets.close(self._context)
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_gone(self) -> bool:
        """Whether the run directory has been removed: nobody will come back to this address."""
        local = self.address.startswith("ipc://")
        return local and not os.path.isdir(os.path.dirname(self.address[len("ipc://") :]))

    def close(self) -> None:
        """Tell the gateway good-bye and close the connection."""
        if self.link.is_up:
            sockets.send(self.socket, pack_message(wire.BYE))
            sockets.wait_until_sent(self.socket, _BYE_S)
        sockets.close(self._context)

    def status(self) -> dict[str, Any]:
        """Ask the gateway how its workers are.

        Raises:
            ConnectError: no answer in time.
        """
        answer = self._ask(wire.STATUS, wire.STATUS, TIMEOUT_CONNECT_S)
        return msgspec.json.decode(sockets.payload(answer.frames[0]))  # type: ignore[no-any-return]

    def description(self, timeout_s: float = TIMEOUT_CONNECT_S) -> dict[str, Any]:
        """Ask the gateway for the graph and what its Executors say of themselves.

        Args:
            timeout_s: how long the answer may take.

        Raises:
            ConnectError: no answer in time.
        """
        answer = self._ask(wire.DESCRIBE, wire.DESCRIBE, timeout_s)
        return msgspec.json.decode(sockets.payload(answer.frames[0]))  # type: ignore[no-any-return]

    def _greet(self, timeout_s: float) -> Welcome:
        return unpack_map(Welcome, self._ask(wire.HELLO, wire.WELCOME, timeout_s).call)

    def say_hello(self) -> None:
        """Greet the gateway again, which may be another one by now."""
        sockets.send(self.socket, _question(wire.HELLO, self.number))

    def _ask(self, question: int, answer: int, timeout_s: float) -> Header:
        """Ask until an answer comes: a gateway that dies with the question is replaced.

        Args:
            question: its kind.
            answer: its kind; whatever else comes is dropped.
            timeout_s: how long all of that may take.
        """
        message = _question(question)
        is_asked = False
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            if self.link.is_up:
                sockets.send(self.socket, message)
                is_asked = True
                if found := self._await(answer, min(left, PING_S)):
                    return found
            else:
                self._check_refusal()
                self.link.wait(min(left, PING_S))
        if not is_asked:
            raise ConnectError(
                f"no answer within {timeout_s:g} s",
                where=self.address,
                hint=_REMOTE_HINT if self.address.startswith("tcp://") else _LOCAL_HINT,
            )
        raise ConnectError(
            f"no answer within {timeout_s:g} s",
            where=self.address,
            hint="is a jina gateway listening there?",
        )

    def _check_refusal(self) -> None:
        """Raise what the other side says of our keys, if it does."""
        refusal, keys = self.link.refusal, self.keys
        if refusal == "key" and keys is not None:
            raise ConnectError(
                f'the gateway does not list the key "{keys.name}"',
                where=self.address,
                hint=f"copy {keys.name}.pub into the gateway's folder of keys",
            )
        if refusal and keys is not None:
            raise ConnectError(
                "the gateway there does not have the key that is expected of it, or has none",
                where=self.address,
                hint=f"copy the gateway's .pub file into {keys.folder}",
            )
        if refusal == "mechanism":
            raise ConnectError(
                "the gateway lets in only those who have a key",
                where=self.address,
                hint="use --keys DIR; `jina keys new` makes a key",
            )

    def _await(self, kind: int, timeout_s: float) -> Header | None:
        """The next message of a kind; None when none came in time."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            if self.poller.poll(ceil(left * 1000)):
                message = sockets.receive(self.socket, routed=False)
                header = unpack_message(message.header, message.frames)
                if header.kind == kind:
                    return header
                if header.kind == wire.REFUSED and kind == wire.WELCOME:
                    error = unpack_map(ErrorInfo, sockets.payload(header.frames[0]))
                    raise ConnectError(error.message, where=self.address)
        return None


def _question(kind: int, number: int = 0) -> list[Any]:
    who = Hello.of_process(os.getpid())
    return pack_message(kind, number=number, call=pack_map(who) if kind == wire.HELLO else b"")
