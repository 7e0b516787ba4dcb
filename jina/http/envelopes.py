"""What stands around the Documents of an answer: ids, header, routes and status, by release."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from jina.http.bodies import LINES
from jina.records.dialects import JINA_3, JINA_20, JINA_26, WITH_UNSET
from jina.wire.maps import ErrorInfo, Way

_NULL = msgspec.Raw(b"null")
_OBJECT = msgspec.Raw(b"{}")
_ERROR_2, _ERROR_3 = 3, 1  # status codes
_encode = msgspec.json.Encoder().encode


Documents = list[Any] | msgspec.Raw
"""What an encoder writes as Documents."""


class Writer(Protocol):
    """Writes answers of another form than those of HTTP."""

    is_binary: bool
    """Bytes rather than text."""
    tensors: str
    """How it takes tensors: see `Call`."""
    words: str
    """In which it takes Documents, likewise."""

    def documents(self, lines: bytes) -> Documents:
        """Documents as it writes them, from lines of one each."""

    def envelope(
        self,
        facts: Facts,
        documents: Documents,
        way: Way,
        error: ErrorInfo | None,
        description: str,
    ) -> bytes:
        """See `envelope` below."""


class Facts(msgspec.Struct, frozen=True):
    """What an answer says of its request.

    Attributes:
        dialect: of the answer.
        is_client: one of Jina's own clients asked.
        has_routes: the answer tells what the request went through; those of 2 only for /post.
        endpoint: of the Executors.
        target: as it was given.
        echo: the parameters, as they came; empty if there were none.
        request_id: of the client, or a new one.
        writer: writes the answer where it is none of HTTP; None where it is.
        has_traceback: of an error; only those get it who name their requests as Jina's clients do.
    """

    dialect: str = ""
    is_client: bool = False
    has_routes: bool = True
    endpoint: str = ""
    target: str = ""
    echo: msgspec.Raw = msgspec.Raw()
    request_id: str = ""
    writer: Writer | None = None
    has_traceback: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether an answer without errors has nothing beside its Documents and the id."""
        return not self.has_routes and self.writer is None and self.dialect in (JINA_20, JINA_26)

    @property
    def words(self) -> str:
        """In which the Documents of the answer are; "" for ours."""
        if self.writer is not None:
            return self.writer.words
        if self.dialect in (LINES, JINA_3):
            return self.dialect if self.dialect == JINA_3 else ""
        return self.dialect + WITH_UNSET if self.has_routes else self.dialect


class OneFailed(msgspec.Struct, frozen=True):
    """A Document that failed while others did not.

    Attributes:
        index: of it in the answer.
        id: of it.
        type: of its error.
        message: likewise.
    """

    index: int
    id: str
    type: str
    message: str


class _Exception(msgspec.Struct):
    name: str
    args: list[str]
    stacks: list[str]
    executor: str


class _Status(msgspec.Struct):
    code: int
    description: str
    exception: _Exception | None


class _Route2(msgspec.Struct, rename="camel"):
    pod: str
    pod_id: str
    start_time: str
    end_time: str
    status: _Status | None


class _Route3(msgspec.Struct, rename="camel"):
    executor: str
    start_time: str
    end_time: str
    status: _Status | None


class _Header2(msgspec.Struct, rename="camel"):
    exec_endpoint: str
    target_peapod: str
    no_propagate: bool = False


class _Header3(msgspec.Struct, rename="camel"):
    request_id: str
    status: _Status | None
    exec_endpoint: str
    target_executor: str = ""  # that gateway never says which it was given


class _Data2(msgspec.Struct):
    docs: Documents
    groundtruths: Documents = []


class _Answer2(msgspec.Struct, rename="camel"):
    request_id: str
    data: _Data2
    header: _Header2 | UnsetType = UNSET
    parameters: msgspec.Raw | UnsetType = UNSET
    routes: list[_Route2] | UnsetType = UNSET
    status: _Status | UnsetType = UNSET
    errors: list[OneFailed] | UnsetType = UNSET


class _Answer3(msgspec.Struct):
    header: _Header3
    parameters: msgspec.Raw
    routes: list[_Route3]
    data: Documents
    errors: list[OneFailed] | UnsetType = UNSET


_FINE = _Status(0, "", None)


def envelope(
    facts: Facts,
    documents: Documents,
    way: Way,
    *,
    error: ErrorInfo | None = None,
    description: str = "",
    failed: Sequence[OneFailed] = (),
) -> bytes:
    """An answer, whole.

    Args:
        facts: of its request.
        documents: in the words of the facts.
        way: what the request met.
        error: that the status tells; None for a request that went well.
        description: of the status; "" for what the error says.
        failed: Documents that did, for those who read `errors`.
    """
    if facts.writer is not None:
        return facts.writer.envelope(facts, documents, way, error, description)
    errors = list(failed) or UNSET
    blamed = [*way.errors, *([error] if error is not None else [])]
    if facts.dialect == JINA_3:
        status = status_of(error, _ERROR_3, description) if error is not None else None
        header = _Header3(facts.request_id, status, facts.endpoint)
        return _encode(
            _Answer3(header, facts.echo or _OBJECT, _routes_3(way, blamed), documents, errors)
        )
    if not facts.has_routes and error is None:  # see `bare`, too
        return _encode(_Answer2(facts.request_id, _Data2(documents), errors=errors))
    status = _FINE
    if error is not None:  # its exception stands in a route
        status = _Status(_ERROR_2, description or _described(error), None)
    return _encode(
        _Answer2(
            facts.request_id,
            _Data2(documents),
            _Header2(facts.endpoint, facts.target),
            facts.echo if facts.echo and bytes(facts.echo) != b"{}" else _NULL,
            _routes_2(way, blamed, has_dashes=facts.dialect == JINA_20),
            status,
            errors,
        )
    )


def bare(request_id: str, lines: bytes) -> bytes:
    """An answer as `envelope` writes it where it has neither routes nor errors.

    Args:
        request_id: of the request.
        lines: of the Documents, in the words of Jina 2.
    """
    documents = memoryview(lines.replace(b"\n", b","))[:-1]
    return b"".join(
        (
            b'{"requestId":',
            _encode(request_id),
            b',"data":{"docs":[',
            documents,
            b'],"groundtruths":[]}}',
        )
    )


def in_list(lines: bytes) -> msgspec.Raw:
    """JSON lines as one JSON array."""
    return msgspec.Raw(b"[%b]" % lines[:-1].replace(b"\n", b","))


# --- routes ---


def _routes_2(way: Way, blamed: Sequence[ErrorInfo], *, has_dashes: bool) -> list[_Route2]:
    return [
        _Route2(
            node if node == "gateway" else f"{node}/ZEDRuntime",
            pod_id(node, has_dashes),
            began,
            ended,
            None if error is None else status_of(error, _ERROR_2),
        )
        for node, began, ended, error in stops(way, blamed)
    ]


def _routes_3(way: Way, blamed: Sequence[ErrorInfo]) -> list[_Route3]:
    return [
        _Route3(node, began, ended, None if error is None else status_of(error, _ERROR_3))
        for node, began, ended, error in stops(way, blamed)
    ]


def stops(way: Way, blamed: Sequence[ErrorInfo]) -> list[tuple[str, str, str, ErrorInfo | None]]:
    """Where a request has been: each node once, when, and with which error."""
    errors = {error.executor: error for error in blamed}
    left = way.left or time.time()
    spans: dict[str, tuple[float, float]] = {"gateway": (way.arrived or left, left)}
    for leg in way.legs:
        began, ended = spans.get(leg.node, (leg.began, leg.ended))
        spans[leg.node] = min(began, leg.began), max(ended, leg.ended)
    for node in errors:
        spans.setdefault(node or "gateway", (left, left))
    return [
        (node, _moment(began), _moment(ended), errors.get("" if node == "gateway" else node))
        for node, (began, ended) in spans.items()
    ]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


@lru_cache(maxsize=1024)
def pod_id(node: str, has_dashes: bool) -> str:
    """Names a node in the answers of one front."""
    found = uuid.uuid4()
    return str(found) if has_dashes else found.hex


# --- status ---


def status_of(error: ErrorInfo, code: int, description: str = "") -> _Status:
    """An error as a status.

    Args:
        error: what happened.
        code: that the release has for errors.
        description: "" for what the error says.
    """
    exception = _Exception(_name(error), [error.message], _stacks(error.traceback), error.executor)
    return _Status(code, description or _described(error), exception)


def _name(error: ErrorInfo) -> str:
    return error.type.rpartition(".")[2]


def _described(error: ErrorInfo) -> str:
    return f"{_name(error)}({error.message!r})"


def _stacks(traceback: str) -> list[str]:
    """A traceback as Python's `format_exception` has it: a text for each of its frames."""
    stacks: list[str] = []
    for line in traceback.splitlines(keepends=True):
        if stacks and line.startswith("    "):
            stacks[-1] += line
        else:
            stacks.append(line)
    return stacks


def partly(failed: Sequence[OneFailed], total: int) -> str:
    """What a status says when some Documents failed."""
    first = failed[0]
    named = f"{first.type.rpartition('.')[2]}: {first.message}"
    return f"{len(failed)} of {total} Documents failed; the first error: {named}"
