"""Where our answers differ from the recorded ones on purpose; docs/http.md has a row for each.

Each function turns what was recorded into what is expected here, or leaves it alone.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.http.recordings import Exchange

ANY = "(any)"
_MASKED = {"requestId", "podId", "startTime", "endTime", "stacks"}


class Expected(NamedTuple):
    """An answer; ANY in its body is not compared."""

    status: int
    body: Any


class Case(NamedTuple):
    """One recorded exchange.

    Attributes:
        release: of Jina, such as "2.6.4".
        is_client: sent by its client, and not by curl.
        exchange: what was recorded.
    """

    release: str
    is_client: bool
    exchange: Exchange

    @property
    def name(self) -> str:
        return self.exchange.name

    @property
    def is_two(self) -> bool:
        return self.release[0] == "2"

    @property
    def path(self) -> str:
        return self.exchange.request.split(b" ", 2)[1].decode()


def masked(value: Any, sent: bytes) -> Any:
    """What can be compared: without times, and without ids that were made on the way."""
    if isinstance(value, list):
        return [masked(each, sent) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: ANY
        if key in _MASKED or (key == "id" and f'"{each}"'.encode() not in sent and each != "m1")
        else masked(each, sent)
        for key, each in value.items()
    }


Difference = Callable[[Case, Expected], Expected]
DIFFERENCES: dict[str, Difference] = {}


def difference(name: str) -> Callable[[Difference], Difference]:
    """Name a difference as the table in docs/http.md does."""

    def add(found: Difference) -> Difference:
        DIFFERENCES[name] = found
        return found

    return add


def _each_document(body: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A body with each of its Documents changed, and those below them."""
    if isinstance(body, list):
        return [_each_document(each, change) for each in body]
    if not isinstance(body, dict):
        return body
    found = {key: _each_document(each, change) for key, each in body.items()}
    return change(found) if {"id", "chunks", "matches"} <= found.keys() else found


def _error(kind: str, message: str, endpoint: str) -> Expected:
    error = {"type": kind, "message": message, "executor": "upper", "endpoint": endpoint}
    return Expected(500, {"requestId": ANY, "error": error})


def _exception(body: Any) -> Any:
    """The exception in an answer; None if there is none."""
    if isinstance(body, dict):
        for route in body.get("routes", ()):
            if route["status"] is not None:
                return route["status"]["exception"]
    return None


@difference("leaked tags")
def leaked_tags(case: Case, expected: Expected) -> Expected:
    def without(doc: dict[str, Any]) -> dict[str, Any]:
        tags = doc["tags"] or {}
        kept = {key: tag for key, tag in tags.items() if key not in ("mimeType", "parentId")}
        return {**doc, "tags": kept} if len(kept) < len(tags) else doc

    return expected._replace(body=_each_document(expected.body, without))


@difference("no Documents")
def no_documents(case: Case, expected: Expected) -> Expected:
    if not case.release.startswith("2.0") and case.name in ("post_empty_data", "post_no_data"):
        return _error("TypeError", "'NoneType' object is not iterable", "/index")
    return expected


@difference("a failed Executor")
def a_failed_executor(case: Case, expected: Expected) -> Expected:
    found = _exception(expected.body)
    if case.is_client or found is None:
        return expected
    sent = case.exchange.sent
    return _error(found["name"], found["args"][0], sent.get("execEndpoint", case.path))


@difference("errors of /index")
def errors_of_index(case: Case, expected: Expected) -> Expected:
    if case.name == "index_empty_obj":
        return _error("TypeError", "'NoneType' object is not iterable", "/index")
    if case.name == "exposed_same" and case.is_two:
        return _error("ValueError", "boom", "/fail")
    return expected


@difference("the Executor of an exception")
def the_executor_of_an_exception(case: Case, expected: Expected) -> Expected:
    if _exception(expected.body) is None:
        return expected
    text = json.dumps(expected.body).replace('"executor": "Upper"', '"executor": "upper"')
    return expected._replace(body=json.loads(text))


@difference("routes")
def routes(case: Case, expected: Expected) -> Expected:
    serves_nobody = {"post_unknown_endpoint", "post_target_none", "post_target_executor"}
    serves_nobody |= {"delete_delete", "update_put"}
    serves_nobody |= {"post_no_endpoint"} if not case.is_two else set()
    body = expected.body
    if case.name not in serves_nobody or "routes" not in body:
        return expected
    return expected._replace(body={**body, "routes": body["routes"][:1]})


@difference("Content-Type")
def content_type(case: Case, expected: Expected) -> Expected:
    if case.name in ("post_form", "post_no_ctype"):
        return Expected(415, {"error": ANY})
    return expected


@difference("a Document that cannot be built")
def a_document_that_cannot_be_built(case: Case, expected: Expected) -> Expected:
    if case.name == "post_bad_doc":
        problem = {
            "loc": ["body", "data", 0],
            "msg": "one Document has one content, not text and buffer",
            "type": "value_error",
        }
        return Expected(422, {"detail": [problem]})
    return expected


@difference("problems")
def problems(case: Case, expected: Expected) -> Expected:
    if case.name == "post_wrong_type":
        return expected._replace(body={"detail": expected.body["detail"][:1]})
    return expected


@difference("paths and methods")
def paths_and_methods(case: Case, expected: Expected) -> Expected:
    if case.name in ("unknown_path", "index_get"):
        return expected._replace(body=ANY)
    return expected


@difference("pages")
def pages(case: Case, expected: Expected) -> Expected:
    if case.name in ("docs", "redoc", "root") or case.name.startswith("openapi"):
        return Expected(0, ANY)
    return expected


@difference("GET /status")
def get_status(case: Case, expected: Expected) -> Expected:
    if case.name == "status":
        return expected._replace(body=dict.fromkeys(("jina", "envs", "usedMemory"), ANY))
    return expected


@difference("tensors of 2.0")
def tensors_of_20(case: Case, expected: Expected) -> Expected:
    def listed(doc: dict[str, Any]) -> dict[str, Any]:
        found = dict(doc)
        for name in ("blob", "embedding"):
            if isinstance(doc.get(name), dict):
                dense = doc[name]["dense"]
                (count,) = dense["shape"]
                letter = dense["dtype"].replace("4", "").replace("8", "").replace("<f", "<")
                letter += "f" if "4" in dense["dtype"] else "d"
                numbers = base64.b64decode(dense["buffer"])
                found[name] = list(struct.unpack(f"{letter[0]}{count}{letter[1]}", numbers))
        return found

    if case.release.startswith("2.0") and not case.is_client:
        return expected._replace(body=_each_document(expected.body, listed))
    return expected


@difference("tensors that 2.6 cannot read")
def tensors_that_26_cannot_read(case: Case, expected: Expected) -> Expected:
    if case.release.startswith("2.6") and case.name in ("post_blob", "rich"):
        names = ("requestId", "data", "header", "parameters", "routes", "status")
        return Expected(200, dict.fromkeys(names, ANY))
    return expected


@difference("buffers in 2.6")
def buffers_in_26(case: Case, expected: Expected) -> Expected:
    def once(doc: dict[str, Any]) -> dict[str, Any]:
        if "buffer" not in doc:
            return doc
        return {**doc, "buffer": base64.b64decode(doc["buffer"]).decode()}

    if case.release.startswith("2.6"):
        return expected._replace(body=_each_document(expected.body, once))
    return expected


@difference("mime type of texts in 3")
def mime_type_of_texts_in_3(case: Case, expected: Expected) -> Expected:
    def typed(doc: dict[str, Any]) -> dict[str, Any]:
        is_written = doc["text"] is not None and doc["text"] not in ("hello", "w", "x")
        return {**doc, "mime_type": "text/plain"} if is_written else doc

    if case.is_two:
        return expected
    return expected._replace(body=_each_document(expected.body, typed))


@difference("what 3 refuses")
def what_3_refuses(case: Case, expected: Expected) -> Expected:
    names = ("post_strings", "post_str_jsonish", "post_blob", "post_blob_list")
    if not case.is_two and case.name in names:
        return Expected(200, dict.fromkeys(("header", "parameters", "routes", "data"), ANY))
    return expected


@difference("keys that 3 drops")
def keys_that_3_drops(case: Case, expected: Expected) -> Expected:
    def added(doc: dict[str, Any]) -> dict[str, Any]:
        if case.name == "post_buffer":
            return {**doc, "blob": "aGk="}
        return {**doc, "tags": {**doc["tags"], "extra": 1}} if doc["tags"] else doc

    if not case.is_two and case.name in ("post_two_tags", "post_buffer"):
        return expected._replace(body=_each_document(expected.body, added))
    return expected


@difference("targetPeapod in 3")
def target_peapod_in_3(case: Case, expected: Expected) -> Expected:
    def unchanged(doc: dict[str, Any]) -> dict[str, Any]:
        return {**doc, "text": "hello", "mime_type": None}

    if not case.is_two and case.name == "post_target_none":
        return expected._replace(body=_each_document(expected.body, unchanged))
    return expected


@difference("target_peapod of a header")
def target_peapod_of_a_header(case: Case, expected: Expected) -> Expected:
    if case.name != "rich" or not case.release.startswith("2.0"):
        return expected
    target = case.exchange.sent["header"]["target_peapod"]
    header = {**expected.body["header"], "targetPeapod": target}
    return expected._replace(body={**expected.body, "header": header})
