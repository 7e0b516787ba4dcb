"""Whether the Flow that is served from beside it is there: told when it is not, and when it is."""

from __future__ import annotations

from collections.abc import Callable

from jina.transport import sockets
from jina.transport.curve import Credentials

_PATIENCE_S = 2.0  # a gateway that died is replaced sooner
_ANSWER_S = 1.0


class FlowLink:
    """A connection to a gateway over which nothing is asked.

    Args:
        what: how people are told of the Flow, such as `the Flow "search"`.
        address: of its gateway.
        keys: folder of the key that it asks for; "" if it asks for none.
        tell: called with a line of text.

    Raises:
        BadKeys: the folder has no key that can be used.
        ConnectError: it is not an address.
    """

    def __init__(self, what: str, address: str, keys: str, tell: Callable[[str], None]) -> None:
        self._what = what
        self._address = address
        self._tell = tell
        self._missing_since: float | None = None
        self._has_been = self._is_told = False
        self._context = sockets.open_context()
        try:
            self._socket = sockets.open_lasting_dealer(self._context, timeout_s=_ANSWER_S)
            if keys:
                Credentials(keys).show_on(self._socket)
            self._link = sockets.Link(self._socket)
            sockets.connect(self._socket, address)
        except BaseException:
            self.close()
            raise

    def look(self, now: float) -> None:
        """Tell what has changed; to be called about once a second.

        Args:
            now: as `time.monotonic` has it.
        """
        if self._link.is_up:
            if self._is_told:
                self._tell(f"{_upper(self._what)} {'is back' if self._has_been else 'answers now'}")
            self._has_been, self._is_told, self._missing_since = True, False, None
            return
        if self._missing_since is None:
            self._missing_since = now
        if self._is_told or now - self._missing_since < _PATIENCE_S:
            return
        self._is_told = True
        if self._has_been:
            self._tell(
                f"{_upper(self._what)} does not answer any more; requests get status 503 until it "
                "is back"
            )
        else:
            self._tell(
                f"warning: no Flow answers at {self._address} yet; requests get status 503 until "
                "one does"
            )

    def close(self) -> None:
        """End the connection."""
        sockets.close(self._context)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
