"""AsyncFlow: a Flow that is posted to with `async for`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from jina import AsyncFlow, Document, Executor, Flow, requests
from jina.excepts import BadClientInput, BadServer, FlowBuildLevelError
from tests.polling import wait_until

pytestmark = pytest.mark.slow


class Louder(Executor):
    @requests
    def louder(self, docs: Any, **kwargs: Any) -> None:
        for doc in docs:
            if doc.text == "fail":
                raise ValueError("told to")
            doc.text = doc.text.upper()


@pytest.fixture
def flow() -> Iterator[AsyncFlow]:
    with AsyncFlow().add(uses=Louder) as flow:
        assert isinstance(flow, AsyncFlow)
        yield flow


async def texts(responses: AsyncIterator[Any]) -> list[str]:
    return [doc.text async for response in responses for doc in response.docs]


def test_responses_come_in_order(flow: AsyncFlow) -> None:
    inputs = [Document(text=f"t{n}") for n in range(50)]
    found = asyncio.run(texts(flow.post("/index", inputs, request_size=1)))
    assert found == [f"T{n}" for n in range(50)]


def test_the_named_endpoints_are_generators_too(flow: AsyncFlow) -> None:
    for method in (flow.index, flow.search, flow.update, flow.delete):
        assert asyncio.run(texts(method("a"))) == ["A"]


def test_two_posts_run_side_by_side(flow: AsyncFlow) -> None:
    async def both() -> list[list[str]]:
        return await asyncio.gather(
            *(texts(flow.post("/", [name] * 5, request_size=1)) for name in ("a", "b"))
        )

    assert asyncio.run(both()) == [["A"] * 5, ["B"] * 5]


def test_inputs_may_be_an_async_generator(flow: AsyncFlow) -> None:
    async def slowly() -> AsyncIterator[Document]:
        for n in range(5):
            await asyncio.sleep(0)
            yield Document(text=f"t{n}")

    for inputs in (slowly(), slowly):
        found = asyncio.run(texts(flow.post("/", inputs, request_size=2)))
        assert found == [f"T{n}" for n in range(5)]


def test_the_loop_goes_on_while_a_post_waits(flow: AsyncFlow) -> None:
    async def run() -> tuple[list[str], int]:
        posting = asyncio.create_task(texts(flow.post("/", ["a"] * 20, request_size=1)))
        turns = 0
        while not posting.done():
            turns += 1
            await asyncio.sleep(0)
        return await posting, turns

    found, turns = asyncio.run(run())
    assert found == ["A"] * 20
    assert turns > 20


def test_a_failure_is_raised_where_it_is_awaited(flow: AsyncFlow) -> None:
    with pytest.raises(BadServer, match="told to"):
        asyncio.run(texts(flow.post("/", "fail")))


def test_callbacks_are_called_as_in_a_flow(flow: AsyncFlow) -> None:
    seen: list[str] = []
    responses = flow.post(
        "/",
        ["a", "fail"],
        on_done=lambda r: seen.append("done"),
        on_error=lambda r: seen.append("error"),
        on_always=lambda r: seen.append("always"),
        request_size=1,
    )

    async def errors() -> list[bool]:
        return [response.is_error async for response in responses]

    assert asyncio.run(errors()) == [False, True]
    assert seen == ["done", "always", "error", "always"]


def test_who_leaves_early_leaves_no_thread(flow: AsyncFlow) -> None:
    async def first() -> str:
        inputs = (Document(text="a") for _ in range(10_000))
        responses = flow.post("/", inputs, request_size=1)
        try:
            async for response in responses:
                return str(response.docs[0].text)
        finally:
            await responses.aclose()  # type: ignore[attr-defined]  # it is a generator
        return ""

    assert asyncio.run(first()) == "A"
    wait_until(lambda: "jina-post" not in {t.name for t in threading.enumerate()})
    assert asyncio.run(texts(flow.post("/", "b"))) == ["B"]


def test_it_is_built_like_a_flow() -> None:
    flow = AsyncFlow.load_config("jtype: AsyncFlow\nexecutors: [{name: a}]\n")
    assert isinstance(flow, AsyncFlow)
    assert isinstance(flow, Flow)
    assert flow.num_executors == 1


def test_async_with_starts_and_closes_like_with() -> None:
    async def main() -> tuple[list[str], AsyncFlow]:
        async with AsyncFlow().add(uses=Louder) as flow:
            return await texts(flow.post("/", "a")), flow

    found, flow = asyncio.run(main())
    assert found == ["A"]
    assert isinstance(flow, AsyncFlow)
    with pytest.raises(FlowBuildLevelError):
        asyncio.run(texts(flow.post("/", "a")))


def test_parameters_that_are_no_dict_are_refused(flow: AsyncFlow) -> None:
    with pytest.raises(BadClientInput, match="`parameters` is a list; expected a dict"):
        asyncio.run(texts(flow.post("/", "a", parameters=[1])))
