"""A Flow that runs is changed from Python, while it is posted to."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina import Document, DocumentArray, Executor, requests
from jina.client.post import Client
from jina.excepts import FlowBuildLevelError, FlowTopologyError, RuntimeFailToStart
from jina.flow import Flow


class Tell(Executor):
    """Tells what it is, and which Documents came."""

    def __init__(self, word: str = "old", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if word == "broken":
            raise ValueError("no such model")
        self.word = word

    @requests
    def tell(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.tags["word"] = self.word
            doc.tags["dump_path"] = self.runtime_args.dump_path or ""
            doc.tags["pid"] = os.getpid()


@pytest.fixture(scope="module")
def flow() -> Iterator[Flow]:
    with Flow().add(name="tell", uses=Tell).add(name="other") as flow:
        flow.post("/", Document())  # connects before a test begins, which must leave nothing
        yield flow


class Posts(threading.Thread):
    """Posts without a pause until it is told to stop; keeps what came back, or what went wrong."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow
        self.docs: list[Document] = []
        self.posted = 0
        self.error: BaseException | None = None
        self._is_over = threading.Event()

    def run(self) -> None:
        try:
            with Client(self.flow.address) as client:
                while not self._is_over.is_set():
                    docs = [Document(id=f"{self.posted + n}") for n in range(20)]
                    self.posted += 20
                    options = {"request_size": 5, "return_results": True}
                    for response in client.post("/", docs, **options) or []:
                        self.docs += response.docs
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Posts:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._is_over.set()
        self.join()
        if self.error is not None:
            raise self.error
        assert [doc.id for doc in self.docs] == [f"{n}" for n in range(self.posted)]

    def words(self) -> list[str]:
        return list(dict.fromkeys(doc.tags["word"] for doc in self.docs))


def tags(flow: Flow) -> dict[str, Any]:
    (response,) = flow.post("/", Document(), return_results=True) or []
    return dict(response.docs[0].tags)


def test_a_flow_is_scaled_and_updated_and_no_request_is_lost(flow: Flow) -> None:
    with Posts(flow) as posts:
        assert flow.scale("tell", 3) is flow
        assert flow.num_peas == 5
        assert flow.rolling_update("tell", uses_with={"word": "new"}) is flow
        assert flow.scale(pod_name="tell", replicas=1).num_peas == 3
    assert posts.words() == ["old", "new"]
    before = tags(flow)
    assert (before["word"], before["dump_path"]) == ("new", "")
    flow.rolling_update("tell", "/dumps/2")
    after = tags(flow)
    assert (after["word"], after["dump_path"]) == ("new", "/dumps/2")
    assert after["pid"] != before["pid"]
    assert flow["tell"].replicas == 1  # what it is described as


def test_an_update_that_does_not_start_leaves_what_ran(flow: Flow) -> None:
    with Posts(flow) as posts:
        word = tags(flow)["word"]
        with pytest.raises(RuntimeFailToStart, match='"tell/0" did not start') as caught:
            flow.rolling_update("tell", uses_with={"word": "broken"})
        assert "ValueError: no such model" in str(caught.value)
        assert tags(flow)["word"] == word
    assert posts.words() == [word]


@pytest.mark.parametrize("name", ["nobody", "gateway", ""])
def test_an_executor_that_there_is_not(flow: Flow, name: str) -> None:
    with pytest.raises(FlowTopologyError, match=f'the Flow has no Executor "{name}"'):
        flow.scale(name, 2)
    with pytest.raises(FlowTopologyError, match=f'the Flow has no Executor "{name}"'):
        flow.rolling_update(name)


@pytest.mark.parametrize("replicas", [0, -1, 1.5, "2", True, 1001])
def test_what_is_no_number_of_replicas(flow: Flow, replicas: Any) -> None:
    with pytest.raises(ValueError, match="1 to 1000 replicas"):
        flow.scale("tell", replicas)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([1], "uses_with must be a dict of constructor arguments, not list"),
        ({1: "x"}, "the keys of uses_with must be argument names, not 1"),
        ({"x": object()}, r"uses_with\['x'\] cannot be sent to the new workers"),
        ({"x": [{1, (2, object())}]}, r"uses_with\['x'\] cannot be sent to the new workers"),
    ],
)
def test_arguments_that_cannot_be_sent(flow: Flow, arguments: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        flow.rolling_update("tell", uses_with=arguments)


def test_a_flow_that_does_not_run_cannot_be_changed(tmp_path: Path) -> None:
    flow = Flow().add(name="tell", uses=Tell)
    with pytest.raises(FlowBuildLevelError, match="not running"):
        flow.scale("tell", 2)
    with pytest.raises(FlowBuildLevelError, match="not running"):
        flow.rolling_update("tell", tmp_path)
