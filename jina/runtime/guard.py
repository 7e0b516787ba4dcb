"""Who is let in at a gateway's encrypted addresses, those for clients and those for workers."""

from __future__ import annotations

import sys
from pathlib import Path

from jina.transport import sockets
from jina.transport.curve import Doorkeeper, with_own_key
from jina.transport.handshakes import Handshakes
from jina.transport.keys import GATEWAY_ROLE, AllowList, own_key


class Guard:
    """The one who decides who is let in; a process has one of them.

    Args:
        context: of the gateway.
        keys: folder with the gateway's own key and those that it lets in; "" for no encryption.
        more: folder of further keys that it lets in; "" for none.

    Raises:
        BadKeys: the keys cannot be used.
    """

    def __init__(self, context: sockets.Context, keys: str, more: str = "") -> None:
        self._keys = keys
        folders = [Path(each) for each in dict.fromkeys([keys, more]) if each]
        self._allowed = AllowList(*folders) if keys else None
        self._keeper = Doorkeeper(context, self._allowed) if self._allowed is not None else None
        self._misused: set[tuple[str, str]] = set()  # keys that were told, and for what
        self._handshakes: list[Handshakes] = []  # of each socket that asks for keys

    def secure(self, socket: sockets.Socket) -> bool:
        """Let a socket that binds from now on ask for keys, if there are any; whether it does."""
        if self._keeper is None:
            return False
        with_own_key(socket, own_key(Path(self._keys), GATEWAY_ROLE))
        self._handshakes.append(Handshakes(socket))
        return True

    def open(self, poller: sockets.Poller) -> None:
        """Have whoever asks to be let in polled, too, and whoever fails before that."""
        for each in (self._keeper, *self._handshakes):
            if each is not None:
                poller.register(each.socket, sockets.POLLIN)

    def answer(self, source: object) -> bool:
        """Answer whoever asks to be let in, if that is what the poller has found."""
        if self._keeper is not None and source is self._keeper.socket:
            self._keeper.answer()
        elif found := [each for each in self._handshakes if source is each.socket]:
            found[0].hear()
        else:
            return False
        self._tell_news()
        return True

    def why_not(self, user: str, wanted: str) -> str:
        """Why a message is not taken; "" if it is.

        Args:
            user: of a `sockets.Message`; "" for those on this machine, who need no key.
            wanted: the role that its key must have.
        """
        if not user or self._keeper is None:
            return ""
        key = self._keeper.key_of(user)
        self._tell_news()
        if key is None:
            return "the gateway does not list this key any more"
        if key.role == wanted:
            return ""
        why = f"this is the key of a {key.role}; {wanted}s need one of their own"
        if (key.name, wanted) not in self._misused:
            self._misused.add((key.name, wanted))
            _say(f'somebody with the key "{key.name}" was not let in: {why}')
        return why

    def _tell_news(self) -> None:
        for source in (self._allowed, self._keeper, *self._handshakes):
            if source is not None and source.news:
                for line in source.news:
                    _say(line)
                source.news.clear()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
