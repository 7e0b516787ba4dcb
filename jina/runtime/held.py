"""The requests that have no answer yet: whose they are, and what is held for them.

A request is let go once: when it has its answer, or when nobody wants one any more. From then on it
is `answered`, whatever of it still waits or is at a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jina.runtime.alarms import Alarms
from jina.runtime.steps import TakeBack
from jina.runtime.tasks import Request, Worker


class Held:
    """Requests under way.

    Args:
        alarms: of the router.
    """

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._clients: dict[bytes, dict[int, Request]] = {}
        self.floating: set[Request] = set()
        """Those that go on although nobody waits."""
        self.bytes = 0
        """Of their bodies, and of their results so far."""

    def __len__(self) -> int:
        return sum(len(requests) for requests in self._clients.values()) + len(self.floating)

    def __iter__(self) -> Iterator[Request]:
        """Those that a client waits for."""
        return (request for requests in self._clients.values() for request in requests.values())

    def of(self, client: bytes) -> Mapping[int, Request]:
        """A client's requests, by their numbers."""
        return self._clients.get(client, {})

    def add(self, request: Request) -> None:
        """Hold a client's request."""
        asked = request.asked
        self._clients.setdefault(asked.client, {})[asked.number] = request
        self.bytes += request.bytes

    def set_afloat(self, request: Request, node: str) -> Request:
        """Hold a request of its own for a node that nobody waits for; returns it."""
        other = request.floating(node)
        self.floating.add(other)
        self.bytes += other.bytes
        return other

    def grow(self, request: Request, size: int) -> None:
        """Hold more bytes for a request."""
        request.bytes += size
        self.bytes += size

    def forget(self, request: Request) -> None:
        """Strike a request off: it has its one answer now."""
        self._let_go(request)
        if request.is_floating:
            self.floating.discard(request)
            return
        requests = self._clients.get(request.asked.client)
        if requests is not None:
            requests.pop(request.asked.number, None)
            if not requests:
                del self._clients[request.asked.client]

    def cancel(self, client: bytes, number: int | None) -> set[Request]:
        """Strike off what nobody wants any more, and what goes on beside it.

        Args:
            client: whose request it was.
            number: of the request; None for all of that client's.

        Returns:
            those that had no answer; none if they have it already.
        """
        of = self.of(client)
        wanted = of.values() if number is None else filter(None, [of.get(number)])
        struck: set[Request] = set()
        for request in list(wanted):
            struck.add(request)
            struck.update(other for other in request.afloat if not other.answered)
        for request in struck:
            self.forget(request)
        return struck

    def _let_go(self, request: Request) -> None:
        request.answered = True
        self.bytes -= request.bytes
        for timer in request.timers:
            self._alarms.stop(timer)


def at_workers(requests: set[Request], workers: Iterable[Worker]) -> Iterator[TakeBack]:
    """What workers have of some requests: it need not be begun."""
    for worker in workers:
        for task in worker.tasks.values():
            if task.request in requests:
                yield TakeBack(worker.identity, task.number)
