"""The way of a request as Jina 2 shows it: `response.routes`."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from jina.names import GATEWAY
from jina.wire.maps import ErrorInfo, Leg, Way

SUCCESS = 0
ERROR = 3


class Moment(datetime):
    """A moment in UTC that can also be read as the timestamps of Jina 2."""

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970."""
        return int(self.timestamp())

    @property
    def nanos(self) -> int:
        """The rest of them, in nanoseconds."""
        return self.microsecond * 1000

    def ToDatetime(self) -> datetime:  # noqa: N802  # so it is called in Jina 2
        """The moment in UTC, without a zone."""
        return datetime.fromtimestamp(self.timestamp(), UTC).replace(tzinfo=None)


def routes_of(way: Way, status: SimpleNamespace) -> list[SimpleNamespace]:
    """The routes of one request.

    Args:
        way: what it met.
        status: of the whole request; the gateway's.
    """
    first = _route(GATEWAY, GATEWAY, way.arrived, way.left, status)
    told = {leg.node for leg in way.legs if leg.error is not None}
    failed = [error for error in way.errors if error.executor not in told]
    return [
        first,
        *map(_of_leg, way.legs),
        *(_route(error.executor, _pod_id(error), 0.0, 0.0, status_of(error)) for error in failed),
    ]


def status_of(error: ErrorInfo | None) -> SimpleNamespace:
    """`code` (0 or 3), `description`, and `exception` if there was an error."""
    if error is None:
        return SimpleNamespace(code=SUCCESS, description="", exception=None)
    exception = SimpleNamespace(
        name=error.type, args=[error.message], stacks=[error.traceback], executor=error.executor
    )
    description = f"{error.type}: {error.message}" if error.message else error.type
    return SimpleNamespace(code=ERROR, description=description, exception=exception)


def in_words(error: ErrorInfo) -> str:
    """The error and where it was, as in "ValueError in encoder: no such model"."""
    where = f" in {error.executor}" if error.executor else ""
    text = f": {error.message}" if error.message else ""
    return f"{error.type}{where}{text}"


def _of_leg(leg: Leg) -> SimpleNamespace:
    name = f"{leg.node}/{leg.replica}"
    return _route(leg.node, name, leg.began, leg.ended, status_of(leg.error))


def _pod_id(error: ErrorInfo) -> str:
    return f"{error.executor}/{error.replica}"


def _route(
    pod: str, pod_id: str, began: float, ended: float, status: SimpleNamespace
) -> SimpleNamespace:
    return SimpleNamespace(
        pod=pod,
        pod_id=pod_id,
        start_time=_moment(began),
        end_time=_moment(ended),
        status=status,
    )


def _moment(seconds: float) -> Moment | None:
    return Moment.fromtimestamp(seconds, UTC) if seconds else None
