"""Small requests that share a call, and get nothing of each other."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.http.fronts import Answer, FrontProcess, front_beside
from tests.polling import wait_until
from tests.shell import Shell

WORKS = """\
import time
from jina import Document, DocumentArray, Executor, requests


class Works(Executor):
    def together(self, docs):
        for doc in docs:
            doc.tags["together"] = len(docs)

    @requests(on="/work")
    def work(self, docs, parameters, **kwargs):
        self.together(docs)
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on="/slow")
    def slow(self, docs, **kwargs):
        self.together(docs)
        time.sleep(0.2)

    @requests(on="/picky")
    def picky(self, docs, **kwargs):
        self.together(docs)
        bad = [doc.text for doc in docs if doc.text.startswith("wrong")]
        if bad:
            raise ValueError(f"not {bad}")

    @requests(on="/broken")
    def broken(self, docs, **kwargs):
        raise ValueError(f"broken by {[doc.text for doc in docs]}")

    @requests(on="/filter")
    def filter(self, docs, **kwargs):
        self.together(docs)
        return DocumentArray([doc for doc in docs if not doc.text.startswith("drop")])

    @requests(on="/once", once=True)
    def once(self, docs, **kwargs):
        self.together(docs)
"""
FLOW = "jtype: Flow\nexecutors:\n  - {name: works, uses: {jtype: Works, py_modules: [works.py]}}\n"


@pytest.fixture(scope="module")
def address(shared_shell: Shell) -> Iterator[str]:
    shared_shell.write("works.py", WORKS)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        yield shared_shell.ps()[0]["addresses"][0]


@pytest.fixture(scope="module")
def front(address: str) -> Iterator[FrontProcess]:
    with front_beside(address, coalesce_ms=300) as found, _listener(found):
        wait_until(lambda: _is_learned(found))
        yield found


def _listener(front: FrontProcess) -> socket.socket:
    """Somebody who might still ask, so that the others wait for the whole time."""
    return socket.create_connection(("127.0.0.1", front.port))


def _is_learned(front: FrontProcess) -> bool:
    """Whether it knows which endpoints it may repeat: then requests are seen to share a call."""
    answers = _all(front, "/work", [{"data": [{"text": "a"}]}] * 2)
    return all(answer.status == 200 and _together(answer) == [2] for answer in answers)


def _all(front: FrontProcess, path: str, bodies: Sequence[Any]) -> list[Answer]:
    """Send them at once."""
    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(lambda body: front.post(path, body), bodies))


def _sharing(
    front: FrontProcess, path: str, bodies: Sequence[Any], together: Sequence[int]
) -> list[Answer]:
    """Send them at once, again until so many Documents shared the call of each: a busy machine may
    not bring all of them here in time."""
    answers: list[Answer] = []

    def is_shared() -> bool:
        answers[:] = _all(front, path, bodies)
        return [_together(answer)[0] for answer in answers] == together

    wait_until(is_shared, what=f"calls of {together} Documents")
    return answers


def _docs(answer: Answer) -> list[dict[str, Any]]:
    docs: list[dict[str, Any]] = answer.json()["data"]["docs"]
    return docs


def _together(answer: Answer) -> list[float]:
    return [doc["tags"]["together"] for doc in _docs(answer)]


def _texts(*texts: str) -> dict[str, Any]:
    return {"data": [{"text": text} for text in texts]}


def test_small_requests_share_a_call_and_get_their_own_back(front: FrontProcess) -> None:
    bodies = [_texts(*(f"t{number}-{row}" for row in range(number))) for number in range(1, 6)]
    answers = _sharing(front, "/work", bodies, [15] * 5)
    for number, answer in enumerate(answers, 1):
        wanted = [f"T{number}-{row}" for row in range(number)]
        assert [doc["text"] for doc in _docs(answer)] == wanted


def test_only_equal_calls_go_together(front: FrontProcess) -> None:
    bodies = [{**_texts("a"), "parameters": {"n": number % 2}} for number in range(4)]
    _sharing(front, "/work", bodies, [2] * 4)
    # Much at once goes alone.
    bodies = [_texts(*"abcdefghijklmnopq"), _texts("a"), _texts("b")]
    _sharing(front, "/work", bodies, [17, 2, 2])


def test_short_streams_share_a_call_too(front: FrontProcess) -> None:
    """Their keys, of which the ids of lines without one are made, are of another length."""
    bodies = [b"".join(b'{"text":"%d-%d"}\n' % (n, row) for row in range(n)) for n in (1, 2, 3)]
    found: list[list[dict[str, Any]]] = []

    def stream(body: bytes) -> list[dict[str, Any]]:
        kind = {"Content-Type": "application/x-ndjson"}
        answer = front.ask("POST", "/stream/work", body, kind)
        return [json.loads(line) for line in answer.body.splitlines()]

    def is_shared() -> bool:
        with ThreadPoolExecutor(len(bodies)) as threads:
            found[:] = threads.map(stream, bodies)
        return all(doc["tags"]["together"] == 6 for docs in found for doc in docs)

    wait_until(is_shared, what="one call of 6 Documents")
    texts = [[doc["text"] for doc in docs] for docs in found]
    assert texts == [[f"{n}-{row}" for row in range(n)] for n in (1, 2, 3)]
    assert len({doc["id"] for docs in found for doc in docs}) == 6


def test_ids_are_those_of_whoever_gave_them(front: FrontProcess) -> None:
    same = {"data": [{"id": "same", "text": "a"}]}
    answers = _sharing(front, "/work", [same, same, _texts("b", "c"), _texts("d")], [5] * 4)
    ids = [[doc["id"] for doc in _docs(answer)] for answer in answers]
    assert ids[:2] == [["same"], ["same"]]
    made = ids[2] + ids[3]
    assert len(set(made)) == 3
    assert all(made)


def test_who_fails_fails_alone(front: FrontProcess) -> None:
    answers = _all(
        front,
        "/picky",
        [_texts("a"), _texts("wrong1"), _texts("b", "c"), _texts("d", "wrong2")],
    )
    assert [answer.status for answer in answers] == [200, 500, 200, 200]
    assert "wrong1" in answers[1].body.decode()
    assert [doc["text"] for doc in _docs(answers[2])] == ["b", "c"]
    assert answers[3].headers["x-jina-failed"] == "1"
    for place, other in ((0, b"wrong"), (1, b"wrong2"), (2, b"wrong"), (3, b"wrong1")):
        assert other not in answers[place].body


def test_a_call_that_fails_tells_nobody_of_others(front: FrontProcess) -> None:
    answers = _all(front, "/broken", [_texts("mine"), _texts("yours")])
    assert [answer.status for answer in answers] == [500, 500]
    assert b"broken by ['mine']" in answers[0].body
    assert b"broken by ['yours']" in answers[1].body


def test_another_number_of_documents_is_run_alone(front: FrontProcess) -> None:
    for _ in range(4):  # after a few times, the endpoint is left alone
        answers = _all(front, "/filter", [_texts("a", "drop"), _texts("b"), _texts("drop")])
        assert [[doc["text"] for doc in _docs(each)] for each in answers] == [["a"], ["b"], []]
    assert [_together(answer) for answer in answers] == [[2], [1], []]


def test_what_must_not_run_twice_is_left_alone(front: FrontProcess) -> None:
    answers = _all(front, "/once", [_texts("a"), _texts("b"), _texts("c", "d")])
    assert [_together(answer) for answer in answers] == [[1], [1], [2, 2]]


def test_what_nobody_serves_comes_back_as_it_was(front: FrontProcess) -> None:
    bodies = [{**_texts(text), "execEndpoint": "/nobody"} for text in "ab"]
    answers = _all(front, "/post", bodies)
    assert [_docs(answer)[0]["text"] for answer in answers] == ["a", "b"]
    assert [answer.headers["x-jina-served"] for answer in answers] == ["0", "0"]


@pytest.mark.parametrize("path", ["/work", "/slow"])
def test_who_hangs_up_harms_nobody(front: FrontProcess, path: str) -> None:
    """Before their request is sent, and while it is under way."""
    body = json.dumps(_texts("gone")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with ThreadPoolExecutor(3) as threads:
        with socket.create_connection(("127.0.0.1", front.port)) as leaving:
            leaving.sendall(head.encode() + body)
            others = [threads.submit(front.post, path, _texts(text)) for text in ("a", "b")]
            if path == "/slow":
                leaving.settimeout(0.4)  # longer than requests wait for others
                with pytest.raises(TimeoutError):
                    leaving.recv(1)
        answers = [other.result() for other in others]
    assert [_docs(answer)[0]["text"].lower() for answer in answers] == ["a", "b"]


def test_limits_hold_for_requests_that_wait_for_others(address: str) -> None:
    with front_beside(address, coalesce_ms=500, max_waiting=4) as front, _listener(front):
        wait_until(lambda: _is_learned(front))

        def is_limited() -> bool:
            answers = _all(front, "/work", [_texts("a")] * 10)
            assert {answer.status for answer in answers} <= {200, 503}
            done = [_together(answer) for answer in answers if answer.status == 200]
            assert max(done) <= [4]
            return done == [[4]] * 4

        wait_until(is_limited)


def test_nobody_is_waited_for_once_all_have_asked(address: str) -> None:
    """With an hour to wait, an answer shows that it was not waited for."""
    with front_beside(address, coalesce_ms=3_600_000, timeout=3_600) as front:
        wait_until(lambda: front.ask("GET", "/readyz").status == 200)
        for _ in range(3):
            assert front.post("/work", _texts("a")).status == 200
