"""What `Client.post` gives to callbacks and returns: one response per request.

The attributes are those that Jina 2 code reads: `docs`, `groundtruths`, `parameters`,
`header.exec_endpoint`, `status.code`. A body is decoded when it is first used.
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import Any

from jina.client.exchange import Reply
from jina.client.routes import SUCCESS, in_words, routes_of, status_of
from jina.excepts import RemoteError
from jina.names import worker_name
from jina.transport.sockets import payload
from jina.types.arrays.document import DocumentArray
from jina.wire.body import Body, concatenated, read_body
from jina.wire.maps import FAILURES, Call, ErrorInfo, Failure, unpack_map

_FROM_PYTHON = Call()  # Documents that Python code posts have ids, and no lines in any source


class Response:
    """The answer to one request.

    Args:
        reply: as the session received it.
        endpoint: that was posted to.
        number: of the request in this post, from 0.
    """

    def __init__(self, reply: Reply, endpoint: str, number: int) -> None:
        self._reply = reply
        self._endpoint = endpoint
        self.request_id = str(number)
        self._body: Body | None = None
        self._docs: DocumentArray | None = None

    @cached_property
    def header(self) -> SimpleNamespace:
        """`exec_endpoint` and `request_id`."""
        return SimpleNamespace(exec_endpoint=self._endpoint, request_id=self.request_id)

    @cached_property
    def status(self) -> SimpleNamespace:
        """`code` (0 or 3), `description`, and `exception` of a request that failed.

        The description of one that went on after errors names them.
        """
        error = self._error
        if error is not None:
            return status_of(error)
        went_on = "; ".join(f"went on after {in_words(each)}" for each in self._reply.way.errors)
        return SimpleNamespace(code=SUCCESS, description=went_on, exception=None)

    @cached_property
    def routes(self) -> list[SimpleNamespace]:
        """Where it was: the gateway, then a route for each call, in the order of their ends.

        Each has `pod`, `pod_id`, `start_time`, `end_time` and `status`. Without `timing=True` in
        the post there are no times, and only those nodes that failed are told.
        """
        return routes_of(self._reply.way, self.status, self._reply.error)

    @property
    def is_error(self) -> bool:
        """Whether the request failed, or some of its Documents did."""
        reply = self._reply
        return reply.error is not None or any(part.kind == FAILURES for part in reply.parts)

    @property
    def failures(self) -> list[Failure]:
        """The Documents that failed while others did not: their `id`, `uri`, `type`, `message`."""
        found = None if self._reply.error is not None else self._read().failures
        return found.failures if found else []

    @property
    def _error(self) -> ErrorInfo | None:
        if self._reply.error is not None or not self.is_error:
            return self._reply.error
        first, *others = self.failures
        more = f" (and {len(others)} more)" if others else ""
        return ErrorInfo(first.type, f"Document {first.id}: {first.message}{more}", first.executor)

    @property
    def error(self) -> RemoteError | None:
        """The failure as an exception; None when there was none."""
        error = self._error
        if error is None:
            return None
        return RemoteError(
            error.type,
            error.message,
            executor=error.executor,
            replica=error.replica,
            endpoint=self._endpoint,
            traceback=error.traceback,
            worker=worker_name(error.executor, error.replica, error.shard)
            if error.executor
            else "",
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that were posted."""
        return self._call.parameters

    @cached_property
    def _call(self) -> Call:
        return unpack_map(Call, self._reply.request.call)

    def _read(self) -> Body:
        body = self._body
        if body is None:
            reply = self._reply
            body = read_body(reply.parts, reply.frames, 1, _FROM_PYTHON, 0, payload)
            self._body = body
        return body

    @property
    def docs(self) -> DocumentArray:
        """The resulting Documents; if the whole request failed, those that were sent."""
        docs = self._docs
        if docs is None:
            if self._reply.error is not None and self._reply.request.docs is not None:
                docs = self._reply.request.docs
            else:
                docs = concatenated(self._read().docs)
            self._docs = docs
        return docs

    @cached_property
    def groundtruths(self) -> DocumentArray:
        """The groundtruths that came back with the Documents."""
        return concatenated(self._read().groundtruths)

    @property
    def data(self) -> Response:
        """The response itself: some releases kept `docs` and `groundtruths` here."""
        return self

    def __repr__(self) -> str:
        state = self.status.description if self.is_error else f"{len(self.docs)} docs"
        return f"<Response {self.request_id} {self._endpoint} {state}>"

    def __str__(self) -> str:
        if self.is_error:
            return f"{self._endpoint} failed: {self.status.description}"
        return f"{self._endpoint}: {self.docs}"
