"""The way of a request as Jina 2 shows it: `response.routes`."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from jina.names import GATEWAY, worker_name
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


def routes_of(
    way: Way, status: SimpleNamespace, error: ErrorInfo | None = None
) -> list[SimpleNamespace]:
    """The routes of one request.

    Args:
        way: what it met.
        status: of the whole request; the gateway's.
        error: why it failed; None if it did not.
    """
    first = _route(GATEWAY, GATEWAY, way.arrived, way.left, status)
    told = {leg.node for leg in way.legs if leg.error is not None}
    errors = way.errors if error is None or not error.executor else [*way.errors, error]
    failed = [each for each in errors if each.executor not in told]
    return [
        first,
        *map(_of_leg, way.legs),
        *(_route(each.executor, _pod_id(each), 0.0, 0.0, status_of(each)) for each in failed),
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
    name = worker_name(leg.node, leg.replica, leg.shard)
    return _route(leg.node, name, leg.began, leg.ended, status_of(leg.error))


def _pod_id(error: ErrorInfo) -> str:
    return worker_name(error.executor, error.replica, error.shard)


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
