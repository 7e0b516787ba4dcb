"""Post again what failed in an earlier post: its results say which of the inputs that is."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import msgspec

from jina.client.chosen import chosen
from jina.client.requests import Request, RequestSource
from jina.excepts import InputError
from jina.wire.maps import Call

_WHERE_IDS = "give each input a unique id, and post all of them again"


class _Outcome(msgspec.Struct):
    """The part of a result that counts here."""

    id: str = ""
    error: Any = None


_DECODE = msgspec.json.Decoder(_Outcome).decode


def failed_ids(path: str) -> set[str]:
    """The ids of the Documents whose outcome is an error.

    Args:
        path: of results, JSON lines; compressed where the name ends in .gz.

    Raises:
        InputError: it cannot be read, is no such file, or does not tell the inputs apart.
    """
    found = set()
    for number, outcome in _outcomes(path):
        if isinstance(outcome.error, dict):
            if not outcome.id:
                raise InputError(
                    "an error without an id: nobody can tell whose it is",
                    where=f"{path}:{number}",
                    hint="it is that of a request without Documents; post it again by itself",
                )
            found.add(outcome.id)
    for number, outcome in _outcomes(path) if found else ():
        if outcome.id in found and not isinstance(outcome.error, dict):
            raise InputError(
                f"the id {outcome.id!r} has both a result and an error, so its inputs cannot be "
                "distinguished",
                where=f"{path}:{number}",
                hint=_WHERE_IDS,
            )
    return found


def _outcomes(path: str) -> Iterator[tuple[int, _Outcome]]:
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _DECODE(line)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=path) from error
    except (msgspec.DecodeError, EOFError) as error:
        raise InputError(
            f"these are not the results of a post, which are JSON lines: {error}", where=path
        ) from error


def _opened(path: str) -> Any:
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")


class OnlyFailed:
    """Those requests of another source, or parts of them, that failed before.

    Args:
        source: of all requests.
        call: of the post.
        ids: of what failed.

    Attributes:
        left: ids that have not come yet; whatever is left at the end is not in the inputs.
    """

    def __init__(self, source: RequestSource, call: Call, ids: set[str]) -> None:
        self._source = source
        self._call = call
        self._ids = ids
        self.left = set(ids)

    @property
    def at_end(self) -> bool:
        """Whether the last request has been handed out."""
        return self._source.at_end

    def fileno(self) -> int | None:
        """The descriptor to poll for more input."""
        return self._source.fileno()

    def next(self) -> Request | None:
        """The next request of which something failed."""
        while (request := self._source.next()) is not None:
            if (some := self._some(request)) is not None:
                return some
        return None

    def partial(self) -> Request | None:
        """Likewise, of what is at hand."""
        request = self._source.partial()
        return None if request is None else self._some(request)

    def _some(self, request: Request) -> Request | None:
        return chosen(request, _Noting(self._ids, self.left), self._call)


class _Noting:
    """Ids, and a note of those that were asked for."""

    def __init__(self, ids: set[str], left: set[str]) -> None:
        self._ids = ids
        self._left = left

    def __contains__(self, id_: object) -> bool:
        if id_ not in self._ids:
            return False
        self._left.discard(str(id_))
        return True
