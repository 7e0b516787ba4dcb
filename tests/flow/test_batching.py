"""Several clients of one Flow whose requests become one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jina import Client, Document, DocumentArray, Executor, Flow, dynamic_batching, requests
from jina.client.session import Session
from tests.polling import wait_until

pytestmark = pytest.mark.slow

CLIENTS = 4
MINUTE = 60_000  # nobody waits for it: there are always enough Documents


class Batched(Executor):
    """Tells with how many others a Document was seen."""

    @dynamic_batching(preferred_batch_size=CLIENTS, timeout=MINUTE)
    @requests(on="/mood")
    def mood(self, docs: DocumentArray, parameters: dict[str, Any], **kwargs: Any) -> None:
        for doc in docs:
            if doc.text == "bad":
                raise ValueError("a bad mood")
            doc.text = doc.text.upper() + parameters.get("end", "")
            doc.tags["together"] = len(docs)

    @requests(on="/soon")
    @dynamic_batching(timeout=1)
    def soon(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.text = "soon"

    @requests(on="/first")
    def first(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        return docs[:1]


@pytest.fixture(scope="module")
def flow() -> Iterator[Flow]:
    settings = {"/first": {"preferred_batch_size": 2, "timeout": MINUTE}}
    with Flow().add(uses=Batched, uses_dynamic_batching=settings).add(name="behind") as running:
        yield running


def side_by_side(
    flow: Flow, on: str, asked: Sequence[tuple[Sequence[str], dict[str, Any]]]
) -> list[list[Document] | str]:
    """Post each from a client of its own, all at a time; Documents or the error of each."""

    def post(number: int, texts: Sequence[str], parameters: dict[str, Any]) -> Any:
        docs = [Document(id=f"{number}-{n}", text=text) for n, text in enumerate(texts)]
        failed: list[str] = []
        with Client(flow.address) as client:
            responses = client.post(
                on,
                docs,
                parameters=parameters,
                return_results=True,
                on_error=lambda response: failed.append(response.status.description),
            )
        if failed:
            return failed[0]
        (response,) = responses or []
        assert [doc.id for doc in response.docs] == [doc.id for doc in docs]
        return list(response.docs)

    with ThreadPoolExecutor(len(asked)) as pool:
        tasks = [pool.submit(post, n, texts, said) for n, (texts, said) in enumerate(asked)]
        return [task.result(60) for task in tasks]


def test_clients_share_a_call_and_each_gets_its_own(flow: Flow) -> None:
    found = side_by_side(flow, "/mood", [(["a"], {}), (["b"], {}), (["c", "d"], {})])
    texts = [[doc.text for doc in docs] for docs in found if not isinstance(docs, str)]
    assert texts == [["A"], ["B"], ["C", "D"]]
    assert [doc.tags["together"] for docs in found for doc in docs] == [4] * 4  # type: ignore[union-attr]


def test_other_parameters_are_another_call(flow: Flow) -> None:
    asked = [([letter] * 2, {"end": "?!"[n % 2]}) for n, letter in enumerate("abcd")]
    found = side_by_side(flow, "/mood", asked)
    texts = [[doc.text for doc in docs] for docs in found]  # type: ignore[union-attr]
    assert texts == [["A?"] * 2, ["B!"] * 2, ["C?"] * 2, ["D!"] * 2]
    assert {doc.tags["together"] for docs in found for doc in docs} == {4}  # type: ignore[union-attr]


def test_nobody_gets_another_ones_error(flow: Flow) -> None:
    found = side_by_side(flow, "/mood", [([text], {}) for text in ("a", "bad", "c", "d")])
    assert found[1] == "ValueError: a bad mood"
    kept = [docs for docs in found if not isinstance(docs, str)]
    assert [(doc.text, doc.tags["together"]) for docs in kept for doc in docs] == [
        ("A", 1),
        ("C", 1),
        ("D", 1),
    ]


def test_a_request_may_go_around_it_and_a_lone_one_waits_no_longer_than_the_timeout(
    flow: Flow,
) -> None:
    ((doc,),) = side_by_side(flow, "/mood", [(["a"], {"use_dynamic_batching": False})])
    assert doc.tags["together"] == 1  # type: ignore[union-attr]
    ((doc,),) = side_by_side(flow, "/soon", [(["a"], {})])
    assert doc.text == "soon"  # type: ignore[union-attr]


def test_a_large_request_is_cut_into_calls(flow: Flow) -> None:
    (docs,) = side_by_side(flow, "/mood", [(["a"] * 10, {})])
    assert [doc.tags["together"] for doc in docs] == [4] * 8 + [2] * 2  # type: ignore[union-attr]


def test_whoever_waits_for_others_is_served_when_the_flow_stops() -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        Flow().add(uses=Batched) as flow,
        Session(flow.address) as session,
    ):
        found = pool.submit(side_by_side, flow, "/mood", [(["a"], {})])
        wait_until(lambda: session.status()["requests_held"] == 1)
        flow.close()
        ((doc,),) = found.result(60)
        assert doc.text == "A"  # type: ignore[union-attr]


def test_a_method_that_returns_another_number_says_what_to_do(flow: Flow) -> None:
    for error in side_by_side(flow, "/first", [(["a"], {}), (["b"], {})]):
        assert "jina.excepts.BatchingError: the method of /first returned 1 Document for" in error
        assert "turn dynamic batching off for /first" in error
