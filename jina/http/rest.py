"""Jina's REST API: from the body of a request to what is asked of the Flow, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace

from jina.client import document_lines
from jina.client.exchange import Reply
from jina.client.outcomes import Outcomes, plain_lines
from jina.client.requests import Request
from jina.excepts import BadClientInput
from jina.http import bodies, envelopes
from jina.http.access import Found
from jina.http.answers import Answered, told
from jina.http.bodies import LINES, Body
from jina.http.elements import lines_of
from jina.http.envelopes import Documents, Facts, OneFailed, Writer, in_list
from jina.http.far_numbers import far_numbers
from jina.http.forms import Form, elsewhere, form_of, template_of
from jina.http.front import Front
from jina.http.hints import hint_of
from jina.http.hub import Ask
from jina.http.private import shown, shown_outcomes
from jina.http.problems import (
    BadBody,
    Problem,
    in_words_of_json,
    not_json,
    refusal,
    wrong_type,
)
from jina.http.targets import named_by
from jina.http.unknown_keys import unknown_in_query, unread_query
from jina.http.watch import REQUEST_ID, sane_id
from jina.names import DEFAULT_ENDPOINT
from jina.records import ids
from jina.records.dialects import JINA_20
from jina.records.jsonlines import BAD_LINE, line_ends
from jina.wire.maps import REQUEST_TIMEOUT, SPLIT, STOPPING, Call, ErrorInfo

JSON_LINES = b"application/x-ndjson"
_JSON_LINES = {JSON_LINES, b"application/ndjson", b"application/jsonl", b"application/jsonlines"}
_decode_map = msgspec.json.Decoder(dict[str, Any]).decode


class Asked(msgspec.Struct, frozen=True):
    """A request that can be sent.

    Attributes:
        request: to the Flow.
        form: what it asks for.
        request_id: of the answer.
    """

    request: Request
    form: Form
    request_id: str = ""

    @property
    def endpoint(self) -> str:
        """Of the Executors."""
        return self.form.endpoint

    @property
    def targets(self) -> tuple[str, ...] | None:
        """Names of the nodes that take part; None for all."""
        return self.form.targets

    @property
    def is_timed(self) -> bool:
        """Whether the answer says when the request was where."""
        return self.form.is_timed

    @property
    def facts(self) -> Facts:
        """What the answer says of the request."""
        return replace(self.form.facts, request_id=self.request_id)


def prepare(
    front: Front, endpoint: str, found: Found, body: bytes, query: bytes = b""
) -> Asked | Answered:
    """Read a request.

    Args:
        front: that got it.
        endpoint: that its path means; "" where the body says it.
        found: its headers.
        body: whole.
        query: of its URL, without the question mark; only requests of JSON lines have settings in
            it.

    Returns:
        what to send, or what is wrong with it.
    """
    kind = _kind(found.get(b"content-type", b""))
    try:
        if kind == b"json":
            request_id = sane_id(found[REQUEST_ID]) if REQUEST_ID in found else ""
            return _asked_of_json(front, endpoint, body, query, request_id)
        if kind == b"lines":
            return _asked_of_lines(front, endpoint, body, query)
    except BadBody as error:
        return refusal(*error.problems)
    return _FOREIGN


_FOREIGN = told(
    415,
    "unsupported_media_type",
    "the body of a request is JSON, and its Content-Type says so",
    "add the header Content-Type: application/json",
)


def foreign(content_type: bytes) -> Answered | None:
    """The answer to a request whose body is nothing that is read here; None if it may be.

    No form of a page can send what is read: a browser asks beforehand (CORS).
    """
    return None if _kind(content_type) else _FOREIGN


@lru_cache(maxsize=64)
def _kind(value: bytes) -> bytes:
    """What a Content-Type means: b"json", b"lines", or b"" for what is not read here."""
    name = value.partition(b";")[0].strip().lower()
    if name == b"application/json" or (name[:12] == b"application/" and name[-5:] == b"+json"):
        return b"json"
    return b"lines" if name in _JSON_LINES else b""


def _asked_of_json(
    front: Front, endpoint: str, body: bytes, query: bytes, request_id: str
) -> Asked:
    """A request in the words of a release of Jina."""
    settings = front.settings
    known = None if query else front.forms.find(endpoint, body)
    if known is not None:
        form, data = known
        lines = lines_of(body, data, form.facts.dialect, settings.max_docs)
        return _filled(form, lines, len(data), request_id)
    read = bodies.read(body, api=settings.api, max_docs=settings.max_docs)
    if query and not read.is_named and (names := parse_qs(query.decode("latin-1"), True)):
        raise BadBody(*unread_query(names))
    form = form_of(endpoint, read, front.hub.welcome)
    if not read.is_named:
        front.forms.remember(endpoint, body, form)
    return _filled(form, read.lines, read.rows, read.request_id or request_id)


def asked_of(front: Front, endpoint: str, read: Body, writer: Writer | None = None) -> Asked:
    """What is asked for by a body that has been read.

    Args:
        front: that got it.
        endpoint: that its path means; "" where the body says it.
        read: the body.
        writer: of the answer; None for what HTTP has.

    Raises:
        BadBody: it cannot be done as it is.
    """
    form = form_of(endpoint, read, front.hub.welcome, writer)
    return _filled(form, read.lines, read.rows, read.request_id)


def _filled(form: Form, lines: bytes, rows: int, request_id: str) -> Asked:
    """A request of a form.

    Args:
        form: of it.
        lines: its Documents.
        rows: how many.
        request_id: "" for a new one.
    """
    key = ids.fresh()
    if not request_id:
        request_id = key if form.facts.dialect == JINA_20 else key.replace("-", "")
    return Asked(form.call.request(lines, rows, key), form, request_id)


def _asked_of_lines(front: Front, endpoint: str, body: bytes, query: bytes) -> Asked:
    """A request of JSON lines, as `jina post` sends them; its answer is JSON lines, too."""
    pairs = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    if problems := unknown_in_query(pairs):
        raise BadBody(*problems)
    named = {key: values[-1] for key, values in pairs.items()}
    wanted = endpoint or named.get("endpoint", "")
    if named.get("endpoint", wanted) != wanted:
        raise BadBody(elsewhere("query", "endpoint", named["endpoint"], endpoint))
    if not wanted:
        raise BadBody(Problem(["query", "endpoint"], "field required", "value_error.missing"))
    text = (named.get("parameters") or "{}").encode()
    try:
        parameters = _decode_map(text)
    except msgspec.ValidationError as error:
        problem = wrong_type(str(error))
        raise BadBody(Problem(["query", "parameters"], problem.msg, problem.type)) from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadBody(not_json(text, error, ["query", "parameters"])) from error
    try:
        targets = named_by(named.get("target", ""), front.hub.welcome)
    except BadClientInput as error:
        raise BadBody(Problem(["query", "target"], error.what, "value_error")) from error
    if not body.endswith(b"\n"):
        body += b"\n"
    rows = line_ends(body)
    if rows > front.settings.max_docs:
        what = f"{rows} lines in one request; at most {front.settings.max_docs} are taken"
        raise BadBody(Problem(["body"], what, "value_error.list.max_items"))
    template = template_of(Call(parameters, source="body", lines=True))
    facts = Facts(LINES, has_routes=False, endpoint=wanted)
    form = Form.of(wanted, targets, template, facts)
    return Asked(template.request(body, rows, ids.fresh()), form)


def ask_of(asked: Asked, timeout_s: float, done: Callable[[Reply], None]) -> Ask:
    """How a request is given to the hub."""
    form = asked.form
    return Ask(
        asked.request,
        form.endpoint,
        form.targets,
        done,
        len(asked.request.frames[0]),
        timeout_s=timeout_s,
        on_error=SPLIT,
        is_timed=form.is_timed,
        template=form.call,
    )


def unserved(front: Front, path: str) -> Answered:
    """The answer to a request for a path that nothing is served at."""
    if front.hub.welcome is None:
        return told(503, "unavailable", "the Flow is not ready yet")
    return told(404, "not_found", f"no Executor serves {path[:200]}", hint_for(front, path))


def hint_for(front: Front, path: str) -> str:
    """What to do instead of sending Documents to a path; "" if nobody knows."""
    default = ""
    if DEFAULT_ENDPOINT in front.bound and b"/post" in front.endpoints:
        body = f'`"execEndpoint": "{path[:200]}"`'
        default = f"use /post with {body}: an Executor serves all endpoints"
    return hint_of(path, [known.decode() for known in front.endpoints], front.bound, default)


# --- answers ---


def finish(asked: Asked, reply: Reply) -> Answered:
    """The answer to a request."""
    if reply.error is not None and (early := _not_of_an_executor(reply.error)) is not None:
        return early
    try:
        lines = plain_lines(reply)
        if lines is not None:  # as for most
            return _fine(asked, reply, [], bytes(lines))
        return _finished(asked, shown(reply, with_traceback=asked.facts.has_traceback))
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        return told(500, "unwritable", f"the answer cannot be written: {error}")


def _finished(asked: Asked, reply: Reply) -> Answered:
    facts = asked.facts
    is_lines = facts.dialect == LINES
    if reply.error is not None and not is_lines:
        return _failed(asked, reply, reply.error)
    outcomes = shown_outcomes(reply, asked.endpoint, asked.form.call.call)
    headers = [] if reply.served or reply.error is not None else [(b"x-jina-served", b"0")]
    if outcomes.failed:
        headers.append((b"x-jina-failed", b"%d" % outcomes.failed))
        if not is_lines:
            return _partly(asked, reply, outcomes, headers)
        return Answered(_status_of(outcomes), headers, bytes(outcomes.lines), JSON_LINES)
    return _fine(asked, reply, headers, bytes(outcomes.lines))


def _fine(asked: Asked, reply: Reply, headers: list[tuple[bytes, bytes]], lines: bytes) -> Answered:
    """The answer where no Document failed."""
    if asked.form.is_bare:
        return Answered(200, headers, envelopes.bare(asked.request_id, lines))
    facts = asked.facts
    if facts.dialect == LINES:
        return Answered(200, headers, lines, JSON_LINES)
    documents = _documents(facts, lines)
    return Answered(200, headers, envelopes.envelope(facts, documents, reply.way))


def _not_of_an_executor(error: ErrorInfo) -> Answered | None:
    """The answer where no Executor is to blame."""
    if error.executor:
        return None
    if error.type == REQUEST_TIMEOUT:
        message = error.message[:1].lower() + error.message[1:]
        return told(504, "timeout", message, "send fewer Documents at once; `timeout` is the limit")
    if error.type == STOPPING:
        return told(503, "unavailable", error.message)
    return None


def _documents(facts: Facts, lines: bytes) -> Documents:
    return in_list(lines) if facts.writer is None else facts.writer.documents(lines)


def _sent(asked: Asked) -> list[bytes]:
    """The Documents of a request as lines, as they were before any Executor, in its own words."""
    reply = Reply(asked.request, None, asked.request.parts, asked.request.frames, 0)
    lines, _, _ = document_lines.lines_of(reply, asked.endpoint, asked.form.call.call)
    return [line for line in bytes(lines).splitlines(keepends=True) if not _failure(line)]


def _failed(asked: Asked, reply: Reply, error: ErrorInfo) -> Answered:
    """The answer to a request that failed as a whole."""
    facts = asked.facts
    if not facts.is_client:
        if far := far_numbers(error.message, asked.request.frames[0].splitlines()):
            return refusal(*far)
        what = {
            "type": error.type,
            "message": error.message,
            "executor": error.executor,
            "endpoint": asked.endpoint,
        }
        told_of = {"requestId": facts.request_id, "error": what}
        return Answered(500, [], msgspec.json.encode(told_of))
    documents = _documents(facts, b"".join(_sent(asked)))
    return Answered(200, [], envelopes.envelope(facts, documents, reply.way, error=error))


class _Error(msgspec.Struct):
    type: str
    message: str
    executor: str


class _Failure(msgspec.Struct):
    id: str | None = None
    error: _Error | None = None


_decode_failure = msgspec.json.Decoder(_Failure).decode


def _failure(line: bytes) -> _Failure | None:
    """What a line says of a Document that failed; None for a Document."""
    if b'"error":' not in line:
        return None
    found = _decode_failure(line)
    return found if found.error is not None else None


def _partly(
    asked: Asked, reply: Reply, outcomes: Outcomes, headers: list[tuple[bytes, bytes]]
) -> Answered:
    """The answer where some Documents failed, or could not be read."""
    facts = asked.facts
    lines = bytes(outcomes.lines).splitlines(keepends=True)
    failures = [(index, found) for index, line in enumerate(lines) if (found := _failure(line))]
    bad = [problem for _, found in failures if (problem := _problem(found)) is not None]
    given = asked.request.frames[0].splitlines()
    for index, found in failures if len(given) == len(lines) else ():
        assert found.error is not None
        bad += far_numbers(found.error.message, given[index : index + 1], index)
    if bad:
        return refusal(*bad)
    failed = [
        OneFailed(index, found.id or "", found.error.type, found.error.message)
        for index, found in failures
        if found.error is not None
    ]
    first = failures[0][1].error
    blamed = reply.way.blamed
    if blamed is None and first is not None:
        blamed = ErrorInfo(first.type, first.message, first.executor)
    if len(failed) == len(lines) and blamed is not None:
        return _failed(asked, reply, blamed)
    if not facts.is_client:
        documents = _documents(facts, bytes(outcomes.lines))
        body = envelopes.envelope(facts, documents, reply.way, failed=failed)
        return Answered(200, headers, body)
    sent = {_decode_failure(line).id: line for line in _sent(asked)}
    for index, found in failures:
        lines[index] = sent.get(found.id, b"")
    body = envelopes.envelope(
        facts,
        _documents(facts, b"".join(lines)),
        reply.way,
        error=blamed,
        description=envelopes.partly(failed, len(lines)),
    )
    return Answered(200, headers, body)


def _status_of(outcomes: Outcomes) -> int:
    """Of an answer of JSON lines: what went wrong if all of them did."""
    if not outcomes.failed or outcomes.failed < outcomes.total:
        return 200
    first = _failure(bytes(outcomes.lines).partition(b"\n")[0])
    return 500 if first is None or _problem(first) is None else 422


def _problem(failure: _Failure) -> Problem | None:
    """What is wrong with an element of `data` that is not a Document; None for other failures."""
    error = failure.error
    if error is None or error.executor or error.type != BAD_LINE:
        return None
    place, _, message = error.message.partition(": ")
    number = place.rpartition(":")[2]
    index = int(number) - 1 if number.isdigit() else 0
    return Problem(["body", "data", index], in_words_of_json(message), "value_error")
