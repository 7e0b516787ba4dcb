"""Bodies that differ only in their Documents: what the rest of them says is found out once.

A program sends the same body again and again, but for the list `data`. Around that list, the same
bytes mean the same, until the Flow changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec

from jina.defaults import KIB, MAX_CALL_BYTES, MIB
from jina.excepts import BadClientInput, WireError
from jina.http.bodies import Body, is_only_list
from jina.http.calls import CallTemplate
from jina.http.envelopes import Facts, Writer
from jina.http.problems import BadBody, Problem, missing
from jina.http.targets import named_by
from jina.records import ids
from jina.records.dialects import JINA_3, JINA_20
from jina.wire.maps import Call, Welcome

_MOST_BYTES = 1 * MIB  # of a body; what is around the Documents of a larger one does not matter
_MOST_AROUND_BYTES = 1 * KIB
_MOST_FORMS = 256
_SOURCE = "data"  # what lines without a Document are said to stand in
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_REFUSED = (msgspec.MsgspecError, UnicodeError, RecursionError)


class Form(msgspec.Struct, frozen=True):
    """What requests have in common that differ only in their Documents.

    Attributes:
        endpoint: of the Executors.
        targets: names of the nodes that take part; None for all.
        call: of the request.
        facts: what an answer says; its `request_id` is "".
        is_bare: an answer without errors has nothing beside its Documents and the id.
        is_timed: an answer says when the request was where.
    """

    endpoint: str
    targets: tuple[str, ...] | None
    call: CallTemplate
    facts: Facts
    is_bare: bool
    is_timed: bool

    @classmethod
    def of(
        cls, endpoint: str, targets: tuple[str, ...] | None, call: CallTemplate, facts: Facts
    ) -> Self:
        """See the attributes."""
        is_timed = facts.has_routes or facts.is_client
        return cls(endpoint, targets, call, facts, facts.is_bare, is_timed)


class Forms:
    """The forms that are known."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes, bytes], Form] = {}

    def find(self, endpoint: str, body: bytes) -> tuple[Form, Sequence[msgspec.Raw]] | None:
        """The form of a body and the elements of its `data`; None if it has to be read.

        Args:
            endpoint: that its path means; "" where the body says it.
            body: whole.
        """
        begin, end = body.find(b"["), body.rfind(b"]")
        form = self._known.get((endpoint, body[:begin], body[end:]))
        if form is None or len(body) > _MOST_BYTES:
            return None
        try:
            return form, _decode_list(body[begin : end + 1])
        except _REFUSED:
            return None  # whoever reads it says what is wrong

    def remember(self, endpoint: str, body: bytes, form: Form) -> None:
        """Know a form from now on.

        Args:
            endpoint: that the path meant.
            body: that could be read.
            form: of it.
        """
        begin, end = body.find(b"["), body.rfind(b"]")
        before, behind = body[:begin], body[end:]
        around = len(before) + len(behind)
        # There may be other brackets, even within text.
        if around > _MOST_AROUND_BYTES or not is_only_list(b"%b[%b" % (before, behind)):
            return
        if len(self._known) >= _MOST_FORMS:
            self._known.clear()
        self._known[endpoint, before, behind] = form

    def forget(self) -> None:
        """The Flow has changed: read all of them again."""
        self._known.clear()


def form_of(
    endpoint: str, read: Body, welcome: Welcome | None, writer: Writer | None = None
) -> Form:
    """The form of a body that has been read.

    Args:
        endpoint: that its path means; "" where the body says it.
        read: the body.
        welcome: of the gateway; None if there is none yet.
        writer: of the answer; None for what HTTP has.

    Raises:
        BadBody: it cannot be done as it is.
    """
    wanted = endpoint or read.endpoint
    if read.endpoint and read.endpoint != wanted and not read.is_named:
        raise BadBody(elsewhere("body", "execEndpoint", read.endpoint, endpoint))
    if not wanted:
        if read.dialect != JINA_3:
            raise BadBody(missing("execEndpoint"))
        wanted = "/"
    try:
        targets = named_by(read.target, welcome)
    except BadClientInput as error:
        place: list[str | int] = ["body", "targetExecutor"]
        raise BadBody(Problem(place, error.what, "value_error")) from error
    facts = Facts(
        read.dialect,
        read.is_client,
        not endpoint or read.dialect == JINA_3,
        wanted,
        read.target,
        read.echo,
        writer=writer,
        has_traceback=read.is_named,
    )
    tensors = "base64" if read.dialect == JINA_20 else "list"
    call = Call(
        read.parameters,
        source=_SOURCE,
        lines=True,
        tensors=tensors if writer is None else writer.tensors,
        words=facts.words,
    )
    return Form.of(wanted, targets, template_of(call), facts)


def elsewhere(part: str, name: str, given: str, endpoint: str) -> Problem:
    """What is wrong where a path means one endpoint, and something else another."""
    what = f"the path of the request means {endpoint}, and `{name}` says {given[:200]}; use /post"
    return Problem([part, name], what, "value_error")


def template_of(call: Call) -> CallTemplate:
    """The template of a call.

    Raises:
        BadBody: its parameters cannot be carried.
    """
    try:
        template = CallTemplate.of(call, ids.fresh())
    except WireError as error:
        raise BadBody(Problem(["body", "parameters"], error.what, "value_error")) from error
    if template.size > MAX_CALL_BYTES:
        what = f"the parameters take {template.size} bytes, more than {MAX_CALL_BYTES}"
        raise BadBody(Problem(["body", "parameters"], what, "value_error"))
    return template
