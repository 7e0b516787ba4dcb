"""The body of a request, as Jina's clients and curl send it: what it asks for, and Documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from jina.defaults import KIB, MAX_CALL_BYTES
from jina.http.elements import lines_of, pairs_of, too_many
from jina.http.problems import BadBody, Problem, not_json, wrong_type
from jina.http.unknown_keys import unknown_keys
from jina.records.dialects import JINA_3, JINA_20, JINA_26

LINES = "lines"
"""A dialect: JSON lines, in our words."""

MAX_ENDPOINT_CHARS = 1 * KIB
MAX_ID_CHARS = 128  # of a request's id; what is longer is cut


class Body(msgspec.Struct, frozen=True):
    """What a request asks for.

    Attributes:
        lines: the Documents, each a line with its end.
        rows: how many.
        endpoint: that the body names; "" if it names none.
        target: regular expression for names of Executors; "" for all.
        parameters: for the Executors.
        echo: the parameters as they came; empty if there were none.
        request_id: that the client gave it; "" if it gave none.
        dialect: of the answer: JINA_20, JINA_26 or JINA_3.
        is_client: whether one of Jina's own clients asks, and not somebody with curl.
    """

    lines: bytes
    rows: int
    endpoint: str
    target: str
    parameters: dict[str, Any]
    echo: msgspec.Raw
    request_id: str
    dialect: str
    is_client: bool

    @property
    def is_named(self) -> bool:
        """Whether it has an id, as those of Jina's clients do, and nobody else's."""
        return bool(self.request_id)


class _Docs(msgspec.Struct):
    docs: list[msgspec.Raw] | None = None
    groundtruths: list[msgspec.Raw] | None = None


class _Header(msgspec.Struct):
    request_id: str | None = None
    exec_endpoint: str | None = None
    target_peapod: str | None = None
    target_executor: str | None = None


_NOTHING = msgspec.Raw()


class _Top(msgspec.Struct):
    data: list[msgspec.Raw] | _Docs | None = None
    exec_endpoint: str | None = None
    exec_endpoint_2: str | None = msgspec.field(name="execEndpoint", default=None)
    parameters: msgspec.Raw = _NOTHING
    request_id: str | None = None
    header: _Header | None = None
    target_executor: str | None = None
    target_executor_2: str | None = msgspec.field(name="targetExecutor", default=None)
    target_peapod: str | None = None
    target_peapod_2: str | None = msgspec.field(name="targetPeapod", default=None)


class _StrictDocs(_Docs, forbid_unknown_fields=True):
    pass


class _StrictHeader(_Header, forbid_unknown_fields=True):
    no_propagate: msgspec.Raw = _NOTHING
    timeout: msgspec.Raw = _NOTHING
    status: msgspec.Raw = _NOTHING


class _StrictTop(_Top, forbid_unknown_fields=True):
    """Without what nobody reads, such as a misspelt key."""

    data: list[msgspec.Raw] | _StrictDocs | None = None
    header: _StrictHeader | None = None


class _Keys(msgspec.Struct):
    """Parts whose keys are looked at."""

    data: dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None
    header: dict[str, msgspec.Raw] | None = None


class _Unread(msgspec.Struct):
    data: msgspec.Raw = _NOTHING


class _UnreadDocs(msgspec.Struct):
    docs: msgspec.Raw = _NOTHING


_decode_strictly = msgspec.json.Decoder(_StrictTop).decode
_decode = msgspec.json.Decoder(_Top).decode
_decode_keys = msgspec.json.Decoder(_Keys).decode
_decode_unread = msgspec.json.Decoder(_Unread).decode
_decode_map = msgspec.json.Decoder(dict[str, Any]).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_REFUSED = (msgspec.MsgspecError, UnicodeError, RecursionError)
_LARGE_BYTES = 1024 * KIB
_MANY_VALUES = 500_000
_KEY = re.compile(rb'"([A-Za-z_]+)"[ \t\r\n]*:').findall


def read(body: bytes, *, api: int, max_docs: int) -> Body:
    """Read the body of a request.

    Args:
        body: whole.
        api: which release's answers those get who do not tell theirs: 2 or 3.
        max_docs: how many Documents it may have.

    Raises:
        BadBody: it cannot be read.
    """
    if len(body) > _LARGE_BYTES and body.count(b",") > _MANY_VALUES:
        _refuse_many(body, max_docs)
    top = _top(body)
    header = top.header
    dialect, is_client = _dialect(top, header, api)
    data, truths = _data(top)
    _refuse_twice(body, data)
    lines = (
        pairs_of(body, data, truths, dialect, max_docs)
        if data and truths
        else lines_of(body, data or [], dialect, max_docs)
    )
    request_id = top.request_id or (header.request_id if header else None) or ""
    parameters, echo = _parameters(top.parameters)
    return Body(
        lines,
        len(data) if data else 0,
        _endpoint(top, header),
        _target(top, header),
        parameters,
        echo,
        request_id[:MAX_ID_CHARS],
        dialect,
        is_client,
    )


def is_only_list(body: bytes) -> bool:
    """Whether the only list of a body, and the only brackets in it, are those of `data`.

    Args:
        body: with one `[`, and a `]` right behind it.
    """
    try:
        return _decode_strictly(body).data == []
    except _REFUSED:
        return False


def _top(body: bytes) -> _Top:
    """The keys of a body. Only a client of Jina, which names its request, may have others."""
    top: _Top
    try:
        try:
            top = _decode_strictly(body)
        except msgspec.ValidationError:
            top = _decode(body)
        else:
            if not isinstance(top.data, _Docs) or top.data.docs is not None:
                return top
        if not top.request_id and not (top.header and top.header.request_id):
            keys = _decode_keys(body)
            problems = unknown_keys(
                _decode_fields(body),
                keys.header or (),
                keys.data if isinstance(keys.data, dict) else None,
            )
            if problems:
                raise BadBody(*problems)
    except msgspec.ValidationError as error:
        raise BadBody(wrong_type(str(error))) from error
    except _REFUSED as error:
        raise BadBody(not_json(body, error)) from error
    return top


def _data(top: _Top) -> tuple[list[msgspec.Raw] | None, list[msgspec.Raw] | None]:
    """The Documents and their groundtruths."""
    if isinstance(top.data, _Docs):
        return top.data.docs, top.data.groundtruths
    return top.data, None


def _dialect(top: _Top, header: _Header | None, api: int) -> tuple[str, bool]:
    """In which words the answer is, and whether one of Jina's clients gets it."""
    if top.request_id:
        return JINA_20 if "-" in top.request_id else JINA_26, True
    if header is not None and header.request_id:
        return JINA_3, True
    if top.target_executor_2 is not None or top.target_executor is not None:
        return JINA_3, True
    return JINA_3 if api == 3 else JINA_26, False


def _endpoint(top: _Top, header: _Header | None) -> str:
    given = [name for name in (top.exec_endpoint, top.exec_endpoint_2) if name]
    if len(given) == 2 and given[0] != given[1]:
        raise BadBody(_differ("execEndpoint", "exec_endpoint"))
    endpoint = given[0] if given else (header.exec_endpoint if header else None) or ""
    if len(endpoint) > MAX_ENDPOINT_CHARS:
        what = f"ensure this value has at most {MAX_ENDPOINT_CHARS} characters"
        raise BadBody(Problem(["body", "execEndpoint"], what, "value_error.any_str.max_length"))
    return endpoint


def _target(top: _Top, header: _Header | None) -> str:
    given = {
        name
        for name in (
            *(top.target_executor, top.target_executor_2),
            *(top.target_peapod, top.target_peapod_2),
            *((header.target_executor, header.target_peapod) if header else ()),
        )
        if name
    }
    if len(given) > 1:
        raise BadBody(_differ("targetExecutor", "targetPeapod"))
    return given.pop() if given else ""


def _differ(name: str, other: str) -> Problem:
    what = f"`{name}` and `{other}` are given and differ; give one of them"
    return Problem(["body", name], what, "value_error")


def _parameters(raw: msgspec.Raw) -> tuple[dict[str, Any], msgspec.Raw]:
    if not raw or bytes(raw) == b"null":
        return {}, _NOTHING
    if len(raw) > MAX_CALL_BYTES:
        what = f"the parameters take {len(raw)} bytes, more than {MAX_CALL_BYTES}"
        raise BadBody(Problem(["body", "parameters"], what, "value_error"))
    try:
        return _decode_map(raw), raw
    except msgspec.ValidationError as error:
        raise BadBody(wrong_type(str(error), "parameters")) from error
    except _REFUSED as error:
        raise BadBody(not_json(bytes(raw), error, ["body", "parameters"])) from error


def _refuse_twice(body: bytes, data: Sequence[msgspec.Raw] | None) -> None:
    """Refuse a body that has a key twice: others may read the other of its values."""
    outside = body
    if data:
        first, last = bytes(data[0]), bytes(data[-1])
        outside = body[: body.find(first)] + body[body.rfind(last) + len(last) :]
    if outside.translate(None, b" \t\r\n") == b'{"data":[]}':  # as most are
        return
    names = _KEY(outside)
    if len(set(names)) == len(names):
        return
    # There may be such keys within the parameters, too.
    twice: list[str] = []

    def object_of(pairs: list[tuple[str, Any]]) -> Any:
        keys = [key for key, _ in pairs]
        twice[:] = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
        return None

    # The outermost object comes last. Without the Documents, it is JSON, too, unless something else
    # looks like the first of them.
    try:
        json.loads(outside, object_pairs_hook=object_of)
    except (ValueError, RecursionError):
        try:
            json.loads(body, object_pairs_hook=object_of)
        except (ValueError, RecursionError) as error:
            raise BadBody(not_json(body, error)) from error
    if twice:
        what = f"`{twice[0]}` is given twice"
        raise BadBody(Problem(["body", twice[0][:100]], what, "value_error"))


def _refuse_many(body: bytes, max_docs: int) -> None:
    """Refuse too many Documents before any of them takes memory, which small ones do."""
    try:
        data = _decode_unread(body).data
        if bytes(memoryview(data)[:1]) == b"{":
            data = msgspec.json.decode(data, type=_UnreadDocs).docs
        _decode_few(max_docs)(data or b"[]")
    except msgspec.ValidationError as error:
        if "of at most length" in str(error):
            raise BadBody(too_many("more Documents", max_docs)) from error
    except _REFUSED:
        pass  # whoever reads it says so


@lru_cache(maxsize=4)
def _decode_few(most: int) -> Callable[[Any], Any]:
    """Decodes lists of so many elements, and refuses others at the first element beyond."""
    fields: list[Any] = [
        (f"element_{place}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)
        for place in range(most)
    ]
    few = msgspec.defstruct("Few", fields, array_like=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(few).decode
