"""Post the Documents of a request that failed again, some times, before their outcomes count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from jina.client.chosen import chosen, ids_of
from jina.client.exchange import exchange
from jina.client.outcomes import Outcomes, outcomes_of
from jina.client.requests import Request
from jina.client.session import Session
from jina.wire.maps import Call

_PAUSE_S = 0.1  # before the first further attempt; twice as long before each next one
_LONGEST_S = 10.0


@dataclass
class Again:
    """Further attempts of a post at Documents that failed.

    Attributes:
        times: attempts after the first one.
        connect: opens a connection beside the post's own, which waits meanwhile; it is opened when
            something has failed first.
        call: of the post.
        endpoint: likewise.
        options: likewise, as `exchange` has them.
        wait: waits for some seconds.
    """

    times: int
    connect: Callable[[], Session]
    call: Call
    endpoint: str
    options: dict[str, Any]
    wait: Callable[[float], None] = time.sleep
    _session: Session | None = field(default=None, init=False)

    def improved(self, request: Request, outcomes: Outcomes) -> Outcomes:
        """The outcomes of a request after all attempts, each in its place.

        What could not be read is not tried again, nor is an error of a Document whose id its
        request does not have, or has several times with other outcomes.
        """
        lines = bytes(outcomes.lines).splitlines(keepends=True)
        failed = _failed(request, lines)
        for attempt in range(self.times):
            some = chosen(request, set(failed.values()), self.call) if failed else None
            if some is None:
                break
            self.wait(min(_LONGEST_S, _PAUSE_S * 2**attempt))
            lines = _replaced(lines, failed, self._outcomes(some))
            failed = _failed(request, lines)
        count = sum(_id_of_error(line) is not None for line in lines)
        return Outcomes(b"".join(lines), len(lines), count)

    def close(self) -> None:
        """Close its connection, if it has one."""
        if self._session is not None:
            self._session.close()

    def _outcomes(self, request: Request) -> list[bytes]:
        if self._session is None:
            self._session = self.connect()
        replies = exchange(self._session, self.endpoint, _One(request), **self.options)
        found = [outcomes_of(reply, self.endpoint, self.call).lines for reply in replies]
        return b"".join(bytes(each) for each in found).splitlines(keepends=True)


class _One:
    """A source of one request."""

    def __init__(self, request: Request) -> None:
        self._request: Request | None = request

    @property
    def at_end(self) -> bool:
        """Whether it was handed out."""
        return self._request is None

    def next(self) -> Request | None:
        """The request, once."""
        request, self._request = self._request, None
        return request

    def partial(self) -> None:
        """Nothing is kept back."""

    def fileno(self) -> None:
        """Nothing is waited for."""


def _failed(request: Request, lines: list[bytes]) -> dict[int, str]:
    """Place and id of each error that may be tried again."""
    errors = {
        place: id_ for place, line in enumerate(lines) if (id_ := _id_of_error(line)) is not None
    }
    if not errors:
        return {}
    known, counts = ids_of(request), Counter(errors.values())
    return {place: id_ for place, id_ in errors.items() if counts[id_] == known[id_]}


def _replaced(lines: list[bytes], failed: dict[int, str], new: list[bytes]) -> list[bytes]:
    """The lines with others in place of those that failed: one for one, or all for the first."""
    places = sorted(failed)
    groups = [[line] for line in new] if len(new) == len(places) else [new]
    put = dict(zip(places, groups, strict=False))
    return [
        each
        for place, line in enumerate(lines)
        for each in ((line,) if place not in failed else put.get(place, ()))
    ]


def _id_of_error(line: bytes) -> str | None:
    """The id of an outcome that is an error; None for a result."""
    if b'"error"' not in line:
        return None
    found = msgspec.json.decode(line)
    return str(found.get("id", "")) if isinstance(found.get("error"), dict) else None
