"""Bodies that differ only in their Documents: what is known is what reading would tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.http import bodies
from jina.http.calls import CallTemplate
from jina.http.elements import lines_of
from jina.http.envelopes import Facts
from jina.http.forms import Form, Forms
from jina.http.problems import BadBody
from jina.wire.maps import Call
from tests.http.fronts import FrontProcess
from tests.http.gated import Gated, gated
from tests.http.raw import post, wire
from tests.polling import wait_until
from tests.shell import Shell

FORM = Form.of("/upper", None, CallTemplate.of(Call(), "0123456789abcdef"), Facts())
WITH_ID = "Content-Type: application/json\r\nX-Request-ID: mine\r\n"
BODY = b'{"data": [{"text": "a"}], "parameters": {"n": 1}}'


def knowing(*known: bytes) -> Forms:
    forms = Forms()
    for body in known:
        forms.remember("/upper", body, FORM)
    return forms


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"[]", []),
        (b'[{"text": "b"}]', [b'{"text": "b"}']),
        (b'[ {"a": [1, 2]} , "x]" ]', [b'{"a": [1, 2]}', b'"x]"']),
    ],
)
def test_other_documents_in_the_same_body_are_known(data: bytes, found: list[bytes]) -> None:
    known = knowing(BODY).find("/upper", BODY.replace(b'[{"text": "a"}]', data))
    assert known is not None
    assert known[0] is FORM
    assert [bytes(element) for element in known[1]] == found


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b"1", b"2"),
        BODY.replace(b'"data"', b'"docs"'),
        BODY.replace(b" [", b"["),
        BODY.replace(b"}}", b"} }"),
        BODY.replace(b"{", b'{"execEndpoint": "/x", ', 1),
        BODY.replace(b"],", b'], "data": [{}],'),
        BODY.replace(b"],", b'], "execEndpoint": "/x", "data": [{}],'),
        BODY.replace(b'"a"}', b'"a"} x'),
        BODY.replace(b'"a"}', b'"a"},'),
        BODY.replace(b'{"text": "a"}', b"]["),
        BODY.replace(b"[", b"").replace(b"]", b""),
        BODY[:-1],
        BODY + b" ",
        b"",
    ],
)
def test_any_other_body_is_read(body: bytes) -> None:
    assert knowing(BODY).find("/upper", body) is None


def test_the_same_body_at_another_path_is_read() -> None:
    assert knowing(BODY).find("", BODY) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"execEndpoint": "[", "data": [{}]}',
        b'{"data": [{}], "execEndpoint": "]"}',
        b'{"parameters": {"a": []}}',
        b'{"parameters": {"a": []}, "data": [{}]}',
        b'{"data": {"docs": [{}]}}',
        b'{"targetExecutor": "]", "execEndpoint": "["}',
        b'{"data": null}',
        b'{"parameters": {"a": "%b"}, "data": []}' % (b"x" * 1024),
    ],
)
def test_a_body_with_other_brackets_is_not_remembered(body: bytes) -> None:
    bodies.read(body, api=2, max_docs=10)
    assert knowing(body).find("/upper", body) is None


def test_only_some_are_kept_and_none_when_the_flow_has_changed() -> None:
    forms = Forms()
    for number in range(1000):
        forms.remember("/upper", BODY.replace(b"1", b"%d" % number), FORM)
    assert len(forms._known) <= 256
    forms.forget()
    assert not forms._known


TEXTS = st.text(alphabet='[]{}",:\\ab', max_size=6)
VALUES = st.recursive(TEXTS | st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=4)
DATA = st.lists(st.dictionaries(TEXTS, VALUES, max_size=2), max_size=3)
REST = st.fixed_dictionaries(
    {},
    optional={
        "execEndpoint": TEXTS,
        "targetExecutor": TEXTS,
        "parameters": st.dictionaries(TEXTS, VALUES, max_size=2),
    },
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A body, its keys in any order, and perhaps with something within that breaks it."""
    fields: dict[str, Any] = {**draw(REST), "data": draw(DATA)}
    names = draw(st.permutations(sorted(fields)))
    text = json.dumps({name: fields[name] for name in names}).encode()
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from([b"", b"", b"]", b"[", b"],[", b'"'])) + text[at:]


@given(written(), st.lists(written(), min_size=1, max_size=3))
def test_what_is_known_is_what_reading_tells(first: bytes, others: list[bytes]) -> None:
    try:
        told = bodies.read(first, api=2, max_docs=10)
    except BadBody:
        return
    forms = knowing(first)
    begin, end = first.find(b"["), first.rfind(b"]")
    swapped = [first[:begin] + other + first[end + 1 :] for other in others]
    for body in [first, *others, *swapped]:
        known = forms.find("/upper", body)
        if known is None:
            continue
        read = bodies.read(body, api=2, max_docs=10)
        assert lines_of(body, known[1], told.dialect, 10) == read.lines
        assert (read.endpoint, read.target, read.parameters, read.echo, read.dialect) == (
            *(told.endpoint, told.target, told.parameters, told.echo, told.dialect),
        )
        assert not read.is_named


# --- with a front ---


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@pytest.fixture(scope="module")
def front(flow: Gated) -> Iterator[FrontProcess]:
    with flow.front(max_docs=3) as found:
        wait_until(lambda: found.ask("GET", "/readyz").status == 200)
        yield found


@pytest.mark.parametrize("path", ["/upper", "/post"])
def test_the_answers_are_those_to_bodies_that_were_never_seen(
    front: FrontProcess, path: str
) -> None:
    rest: dict[str, Any] = {"execEndpoint": "/upper", "parameters": {"n": 1}}
    elements: list[Any] = [
        *([{"id": "a", "text": "x"}], [{"id": "b", "text": "y\nz"}, '{"id": "w"}'], []),
        *([1], [{"id": "a", "text": 5}], [{"id": "a"}] * 4, [{"id": "c", "tags": {"n": [1]}}]),
    ]
    with wire(front.port) as one:

        def answers(*, data_first: bool) -> list[tuple[int, Any]]:
            found = []
            for data in elements:
                own = {"data": data}
                one.send(post(path, {**own, **rest} if data_first else {**rest, **own}))
                answer = one.answer()
                body = json.loads(answer.body)
                body.pop("requestId", None)
                body.pop("routes", None)
                found.append((answer.status, body))
            return found

        first = answers(data_first=False)
        assert answers(data_first=True) == first
        assert answers(data_first=True) == first
        assert [status for status, _ in first] == [200, 200, 500, 422, 422, 422, 200]
        one.send(post(path, {"data": [{"text": "x"}], **rest}, WITH_ID))
        assert json.loads(one.answer().body)["requestId"] == "mine"
