"""Messages of a WebSocket: from what a client sends to what is asked of the Flow, and back.

JSON is in the words of Jina 3.34; what is binary is protobuf, of Jina 2.0 or 3.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from jina.client.exchange import Reply
from jina.http import bodies, rest
from jina.http.bodies import MAX_ID_CHARS, Body
from jina.http.envelopes import Documents, Facts, Writer, in_list, pod_id, status_of, stops
from jina.http.front import Front
from jina.http.problems import BadBody, Problem
from jina.http.protobuf import BadMessage, Schema, decode, encode
from jina.http.protos import REQUEST_2, REQUEST_3
from jina.http.rest import Asked
from jina.records.dialects import JINA_3, JINA_20
from jina.records.tensors import from_json, to_json
from jina.wire.maps import ErrorInfo, Way

_ERROR_2, _ERROR_3 = 3, 1  # status codes
_TENSORS = ("blob", "embedding")
_CHILDREN = ("chunks", "matches")
_MAX_FULL = 1 << 22  # numbers of a sparse matrix that is written in full
_NOT_JSON = "value_error.jsondecode"
_encode_json = msgspec.json.Encoder().encode
_decode_lines = msgspec.json.Decoder(dict[str, Any]).decode_lines
_decode_any = msgspec.json.Decoder().decode
_OBJECT = msgspec.Raw(b"{}")


class Garbage(Exception):
    """A message that cannot be told from noise: no answer fits it."""


class Refused(Exception):
    """A message that cannot be done as it is.

    Args:
        answer: that says why.
        is_binary: bytes rather than text.
    """

    def __init__(self, answer: bytes, is_binary: bool) -> None:
        super().__init__()
        self.answer = answer
        self.is_binary = is_binary


# --- what comes ---


def read_json(front: Front, message: str) -> Asked:
    """A request as JSON.

    Raises:
        Garbage: it is no JSON.
        Refused: it cannot be done.
    """
    try:
        read = bodies.read(message.encode(), api=3, max_docs=front.settings.max_docs)
        return _asked(front, replace(read, dialect=JINA_3, is_client=True), JSON)
    except BadBody as error:
        first = error.problems[0]
        if first.type == _NOT_JSON:
            raise Garbage(f"not JSON: {first.msg.removeprefix('not JSON: ')}") from error
        raise _refused(first, JSON) from error
    except UnicodeEncodeError as error:
        raise Garbage("not JSON: a lone surrogate") from error


def read_binary(front: Front, message: bytes) -> Asked:
    """A request as protobuf; its first field tells of which release.

    Raises:
        Garbage: it is no such message.
        Refused: it cannot be done.
    """
    is_3 = _is_of_3(message)
    writer = PROTO_3 if is_3 else PROTO_2
    try:
        found = decode(REQUEST_3 if is_3 else REQUEST_2, message)
        header = found.get("header", {})
        if not header and not found.get("request_id"):
            raise Garbage("a message without a request id")
        data = found.get("data", {})
        docs = data.get("docs", {}).get("docs", []) if is_3 else data.get("docs", [])
        parameters = found.get("parameters", {})
        lines = _lines(front, found, data, docs)
        if truths := data.get("groundtruths"):
            writer = writer.with_groundtruths(truths)
        echo = msgspec.Raw(_encode_json(parameters))
        request_id = header.get("request_id", "") if is_3 else found.get("request_id", "")
    except BadMessage as error:
        raise Garbage(str(error)) from error
    except BadBody as error:
        raise _refused(error.problems[0], writer) from error
    body = Body(
        lines,
        len(docs),
        header.get("exec_endpoint", "")[: bodies.MAX_ENDPOINT_CHARS],
        header.get("target_executor" if is_3 else "target_peapod", ""),
        parameters,
        echo,
        request_id[:MAX_ID_CHARS],
        JINA_3 if is_3 else JINA_20,
        True,
    )
    try:
        return _asked(front, body, writer)
    except BadBody as error:
        raise _refused(error.problems[0], writer) from error


def _is_of_3(message: bytes) -> bool:
    """Whether a message begins with a header, as those of Jina 3 do, and not with text."""
    return message[:1] == b"\n" and message[2:3] in (b"\n", b"\x12", b"\x1a", b"\x22")


def _asked(front: Front, body: Body, writer: Writer) -> Asked:
    return rest.asked_of(front, "", body, writer)


def _lines(
    front: Front, found: Mapping[str, Any], data: Mapping[str, Any], docs: Sequence[dict[str, Any]]
) -> bytes:
    """The Documents of a message as JSON lines."""
    if "control" in found or "docs_bytes" in data:
        what = "control requests" if "control" in found else "Documents as `docs_bytes`"
        raise BadBody(Problem(["body"], f"{what} are not taken", "value_error"))
    most = front.settings.max_docs
    if len(docs) > most:
        what = f"{len(docs)} Documents in one request; at most {most} are taken"
        raise BadBody(Problem(["body", "data"], what, "value_error.list.max_items"))
    lines = [_encode_json(_line(doc)) for doc in docs]
    truths = data.get("groundtruths")
    if truths:
        if len(truths) != len(docs):
            what = f"{len(truths)} groundtruths for {len(docs)} Documents"
            raise BadBody(Problem(["body", "data", "groundtruths"], what, "value_error"))
        sides = zip(lines, [_encode_json(_line(doc)) for doc in truths], strict=True)
        lines = [b'{"document":%b,"groundtruth":%b}' % pair for pair in sides]
    return b"".join(line + b"\n" for line in lines)


def _line(doc: dict[str, Any]) -> dict[str, Any]:
    """A Document by the names of our lines."""
    doc = dict(doc)
    if "buffer" in doc:
        doc["buffer"] = b64encode(doc["buffer"]).decode()
    for name in _TENSORS:
        if name in doc:
            doc[name] = _tensor_of(doc[name])
    for name in _CHILDREN:
        if name in doc:
            doc[name] = [_line(child) for child in doc[name]]
    return doc


def _tensor_of(tensor: dict[str, Any]) -> dict[str, Any]:
    dense = tensor.get("dense")
    if dense is None or dense.get("quantization"):
        what = "tensors are taken as dense ones without quantization"
        raise BadBody(Problem(["body", "data"], what, "value_error"))
    return {
        "dtype": dense.get("dtype", ""),
        "shape": dense.get("shape", []),
        "data": b64encode(dense.get("buffer", b"")).decode(),
    }


def _refused(problem: Problem, writer: Writer) -> Refused:
    place = ".".join(map(str, problem.loc))
    return _told(Facts(writer=writer), "ValueError", f"{place}: {problem.msg}")


def _told(facts: Facts, kind: str, message: str) -> Refused:
    """An error of the front as an answer."""
    assert facts.writer is not None
    answer = facts.writer.envelope(facts, [], Way(), ErrorInfo(kind, message), "")
    return Refused(answer, facts.writer.is_binary)


# --- what goes ---


class _Said(msgspec.Struct):
    type: str = "Error"
    message: str = ""


class _Detail(msgspec.Struct):
    loc: list[str | int] = []
    msg: str = ""


class _Wrong(msgspec.Struct):
    error: _Said | None = None
    detail: list[_Detail] = []


_decode_wrong = msgspec.json.Decoder(_Wrong).decode


def answer_to(asked: Asked, reply: Reply) -> tuple[bytes, bool]:
    """The answer to a request, and whether it is binary."""
    answered = rest.finish(asked, reply)
    writer = asked.facts.writer
    assert writer is not None
    if answered.status == 200:
        return answered.body, writer.is_binary
    wrong = _decode_wrong(answered.body)
    said = wrong.error or _Said()
    if wrong.detail:
        place = ".".join(map(str, wrong.detail[0].loc))
        said = _Said("ValueError", f"{place}: {wrong.detail[0].msg}")
    refused = _told(asked.facts, said.type, said.message)
    return refused.answer, refused.is_binary


class _Json:
    """Answers as 3.34 writes them to a WebSocket: JSON with the names of its protobuf messages."""

    is_binary = False
    tensors = "list"
    words = JINA_3

    def documents(self, lines: bytes) -> Documents:
        """See `Writer`."""
        return in_list(lines)

    def envelope(
        self,
        facts: Facts,
        documents: Documents,
        way: Way,
        error: ErrorInfo | None,
        description: str,
    ) -> bytes:
        """See `Writer`."""
        header: dict[str, Any] = {"request_id": facts.request_id}
        if error is not None:
            header["status"] = status_of(error, _ERROR_3, description)
        header |= {"exec_endpoint": facts.endpoint, "target_executor": ""}
        routes = []
        for node, began, ended, failed in stops(way, _blamed(way, error)):
            route = {"executor": node, "start_time": _zulu(began), "end_time": _zulu(ended)}
            routes.append(
                {**route, "status": status_of(failed, _ERROR_3)} if failed is not None else route
            )
        return _encode_json(
            {
                "header": header,
                "parameters": facts.echo or _OBJECT,
                "routes": routes,
                "data": documents,
            }
        )


class _Proto:
    """Answers as protobuf.

    Args:
        schema: of the whole.
        around: makes it of facts, Documents, routes and status.
        error: code of a status that tells of one.
        groundtruths: fields of those of the request, which are answered as they came.
    """

    is_binary = True
    tensors = "base64"
    words = ""

    def __init__(
        self,
        schema: Schema,
        around: Callable[..., dict[str, Any]],
        error: int,
        groundtruths: Documents | None = None,
    ) -> None:
        self._schema = schema
        self._around = around
        self._error = error
        self._groundtruths = groundtruths

    def with_groundtruths(self, groundtruths: Documents) -> _Proto:
        """A writer for the answer to a request that has them."""
        return _Proto(self._schema, self._around, self._error, groundtruths)

    def documents(self, lines: bytes) -> Documents:
        """See `Writer`."""
        return [self._document(line) for line in _decode_lines(lines)]

    def envelope(
        self,
        facts: Facts,
        documents: Documents,
        way: Way,
        error: ErrorInfo | None,
        description: str,
    ) -> bytes:
        """See `Writer`."""
        routes = [
            (node, _time(began), _time(ended), failed and self._status(failed, ""))
            for node, began, ended, failed in stops(way, _blamed(way, error))
        ]
        status = None if error is None else self._status(error, description)
        parameters = _decode_any(facts.echo) if facts.echo else None
        around = self._around(facts, documents, parameters, routes, status)
        if self._groundtruths:
            around["data"]["groundtruths"] = self._groundtruths
        return encode(self._schema, around)

    def _status(self, error: ErrorInfo, description: str) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(status_of(error, self._error, description))
        return found

    def _document(self, line: dict[str, Any]) -> dict[str, Any]:
        doc = {name: value for name, value in line.items() if value is not None}
        if "buffer" in doc:
            doc["buffer"] = b64decode(doc["buffer"])
        for name in _TENSORS:
            if name in doc:
                doc[name] = _proto_of(doc[name])
        for name in _CHILDREN:
            if name in doc:
                doc[name] = [self._document(child) for child in doc[name]]
        return doc


def _around_2(
    facts: Facts,
    documents: Documents,
    parameters: dict[str, Any] | None,
    routes: list[tuple[Any, ...]],
    status: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "request_id": facts.request_id,
        "data": {"docs": documents},
        "header": {"exec_endpoint": facts.endpoint, "target_peapod": facts.target},
        "parameters": parameters or None,
        "routes": [
            {
                "pod": node if node == "gateway" else f"{node}/ZEDRuntime",
                "pod_id": pod_id(node, True),
                "start_time": began,
                "end_time": ended,
                "status": failed,
            }
            for node, began, ended, failed in routes
        ],
        # The exception stands in a route.
        "status": {**status, "exception": None} if status else {},
    }


def _around_3(
    facts: Facts,
    documents: Documents,
    parameters: dict[str, Any] | None,
    routes: list[tuple[Any, ...]],
    status: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "header": {
            "request_id": facts.request_id,
            "status": status,
            "exec_endpoint": facts.endpoint,
            "target_executor": "",  # that gateway never says which it was given
        },
        "parameters": parameters,
        "routes": [
            {"executor": node, "start_time": began, "end_time": ended, "status": failed}
            for node, began, ended, failed in routes
        ],
        "data": {"docs": {"docs": documents}},
    }


JSON: Writer = _Json()
PROTO_2 = _Proto(REQUEST_2, _around_2, _ERROR_2)
PROTO_3 = _Proto(REQUEST_3, _around_3, _ERROR_3)


def _blamed(way: Way, error: ErrorInfo | None) -> list[ErrorInfo]:
    return [*way.errors, *([error] if error is not None else [])]


def _zulu(moment: str) -> str:
    return moment.replace("+00:00", "Z")


def _time(moment: str) -> dict[str, int]:
    at = datetime.fromisoformat(moment)
    return {"seconds": int(at.timestamp()), "nanos": at.microsecond * 1000}


def _proto_of(tensor: Any) -> dict[str, Any]:
    """A tensor of our lines as NdArrayProto."""
    if "format" in tensor:
        rows, columns = tensor["shape"]
        if rows * columns > _MAX_FULL:
            raise ValueError(f"a sparse matrix of {rows} x {columns} is too large")
        full = getattr(from_json(tensor), "toarray")()  # noqa: B009 - scipy has no types
        tensor = to_json(full, "base64")
    return {
        "dense": {
            "buffer": b64decode(tensor["data"]),
            "shape": tensor["shape"],
            "dtype": tensor["dtype"],
        },
        "cls_name": "numpy",
    }
