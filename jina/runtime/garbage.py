"""Say what is wrong with peers' messages, once for each: who sends garbage sends a lot of it."""

from __future__ import annotations

import sys

_MAX_PEERS = 1000  # that are remembered


class Garbage:
    """What was said so far."""

    def __init__(self) -> None:
        self._peers: set[bytes] = set()

    def tell(self, peer: bytes, text: str) -> None:
        """Say it on standard error, if it is the first of this peer."""
        if peer in self._peers:
            return
        if len(self._peers) >= _MAX_PEERS:
            self._peers.clear()
        self._peers.add(peer)
        print(text, file=sys.stderr, flush=True)
