"""What `post` takes, what it gives to callbacks, and what it raises."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina import Client, Document, DocumentArray, Executor, Flow, requests
from jina.client.response import Response
from jina.excepts import (
    BadClientCallback,
    BadClientInput,
    BadServer,
    ConnectError,
    PostTimeout,
    RemoteError,
)


class Service(Executor):
    @requests(on="/upper")
    def upper(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            if doc.text == "raise":
                raise ValueError("a bad mood")
            doc.text = doc.text.upper()

    @requests(on="/count")
    def count(self, docs: DocumentArray | None, **kwargs: Any) -> DocumentArray:
        number = -1 if docs is None else len(docs)
        return DocumentArray([Document(tags={"docs": number})])

    @requests(on="/hang")
    def hang(self, parameters: dict[str, str], **kwargs: Any) -> None:
        import os
        import time

        while not os.path.exists(parameters["until"]):
            time.sleep(0.005)

    @requests(on="/wrong")
    def wrong(self, **kwargs: Any) -> list[str]:
        return ["no DocumentArray"]

    @requests(on="/mute")
    def mute(self, **kwargs: Any) -> None:
        raise MemoryError

    @requests(on="/exit")
    def exit(self, **kwargs: Any) -> None:
        raise SystemExit(3)

    @requests(on="/odd")
    def odd(self, **kwargs: Any) -> None:
        raise OddError("\udcff" * 3, 2)

    @requests(on="/empty")
    def empty(self, **kwargs: Any) -> DocumentArray:
        return DocumentArray()


class OddError(Exception):
    """Cannot be pickled, and its message is no valid text."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    """Address of a running Service."""
    with Flow().add(name="service", uses=Service) as flow:
        yield flow.address


@pytest.fixture
def client(running: str) -> Iterator[Client]:
    with Client(running) as client:
        yield client


def texts(results: list[Response] | None) -> list[str]:
    return [doc.text for response in results or () for doc in response.docs]


# --- inputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inputs",
    [
        Document(text="x"),
        [Document(text="x")],
        DocumentArray([Document(text="x")]),
        "x",
        ["x"],
        {"text": "x"},
        iter([Document(text="x")]),
        lambda: Document(text="x"),
        lambda: [Document(text="x")],
        lambda: (Document(text=t) for t in "x"),
    ],
)
def test_everything_that_becomes_documents(client: Client, inputs: Any) -> None:
    assert texts(client.post("/upper", inputs, return_results=True)) == ["X"]


def test_arrays_and_bytes_become_content(client: Client) -> None:
    results = client.post("/elsewhere", [np.arange(3), b"abc"], return_results=True)
    assert results
    first, second = results[0].docs
    assert first.blob.tolist() == [0, 1, 2]
    assert second.buffer == b"abc"


@pytest.mark.parametrize("inputs", [None, [], DocumentArray()])
def test_no_documents_are_one_request_without_documents(client: Client, inputs: Any) -> None:
    results = client.post("/count", inputs, return_results=True)
    assert results
    assert [doc.tags["docs"] for response in results for doc in response.docs] == [-1]


def test_an_exhausted_generator_is_no_request(client: Client) -> None:
    assert client.post("/count", iter(()), return_results=True) == []


@pytest.mark.parametrize(
    ("size", "requests_sent"), [(1, 5), (2, 3), (5, 1), (100, 1), (0, 1), (None, 1)]
)
def test_the_size_of_requests(client: Client, size: int | None, requests_sent: int) -> None:
    inputs = (Document(text=str(number)) for number in range(5))
    results = client.post("/count", inputs, request_size=size, return_results=True)
    assert results is not None
    assert len(results) == requests_sent


@pytest.mark.parametrize("size", [-1, "a", 2.5, True])
def test_a_size_of_requests_that_is_none(client: Client, size: Any) -> None:
    with pytest.raises(BadClientInput, match=f"`request_size` is {size!r}; expected a number"):
        client.post("/count", [Document()], request_size=size)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            ["x", 3],
            "inputs[1]: int cannot become a Document\n"
            "help: use Documents, str, bytes, dict, numpy arrays, or (document, groundtruth) "
            "pairs",
        ),
        (
            [("x", "y", "z")],
            "inputs[0]: tuple cannot become a Document\n"
            "help: use Documents, str, bytes, dict, numpy arrays, or (document, groundtruth) "
            "pairs",
        ),
        (
            3,
            "inputs cannot be int\n"
            "help: use a Document, a list or generator of Documents, or a function that returns "
            "one",
        ),
    ],
)
def test_an_input_that_is_no_document_is_named(client: Client, inputs: Any, message: str) -> None:
    with pytest.raises(BadClientInput) as caught:
        client.post("/upper", inputs)
    assert str(caught.value) == message


def test_what_came_before_a_bad_input_was_posted(client: Client) -> None:
    seen: list[str] = []
    inputs = [*("x" * 7), object()]
    with pytest.raises(BadClientInput, match=r"inputs\[7\]: object cannot become a Document"):
        client.post("/upper", inputs, lambda r: seen.extend(d.text for d in r.docs), request_size=2)
    assert seen == ["X"] * 6


def test_a_generator_that_raises_raises_in_post(client: Client) -> None:
    def documents() -> Iterator[Document]:
        yield Document(text="x")
        raise OSError("the file broke off")

    seen: list[str] = []
    with pytest.raises(BadClientInput) as caught:
        client.post(
            "/upper",
            documents(),
            lambda response: seen.extend(doc.text for doc in response.docs),
            request_size=1,
        )
    assert str(caught.value) == "inputs[1]: the inputs raised OSError: the file broke off"
    assert isinstance(caught.value.__cause__, OSError)
    assert seen == ["X"]


def test_an_error_without_a_text_is_named_alone(client: Client) -> None:
    def documents() -> Iterator[Document]:
        raise MemoryError
        yield

    def callback(response: Response) -> None:
        raise MemoryError

    with pytest.raises(BadClientInput, match=r"the inputs raised MemoryError$"):
        client.post("/upper", documents())
    with pytest.raises(BadClientCallback, match=r"a callback raised MemoryError$"):
        client.post("/upper", "x", callback)


def test_documents_that_were_posted_are_not_changed(client: Client) -> None:
    doc = Document(text="x")
    assert texts(client.post("/upper", doc, return_results=True)) == ["X"]
    assert doc.text == "x"


# --- responses -----------------------------------------------------------------------------------


def test_responses_come_in_the_order_of_the_inputs(client: Client) -> None:
    seen: list[str] = []
    results = client.post(
        "/upper",
        (f"t{number}" for number in range(500)),
        on_done=lambda response: seen.extend(doc.text for doc in response.docs),
        request_size=3,
        return_results=True,
    )
    assert seen == texts(results) == [f"T{number}" for number in range(500)]


def test_a_response_tells_of_its_request(client: Client) -> None:
    (response,) = client.post("/upper", "x", parameters={"a": 1}, return_results=True) or ()
    assert response.header.exec_endpoint == "/upper"
    assert response.parameters == {"a": 1}
    assert response.status.code == 0
    assert not response.is_error
    assert response.error is None
    assert response.data.docs[0].text == "X"


def test_without_return_results_there_are_none(client: Client) -> None:
    assert client.post("/upper", "x") is None


def test_the_slash_may_be_left_out(client: Client) -> None:
    assert texts(client.post("upper", "x", return_results=True)) == ["X"]


def test_callbacks(client: Client) -> None:
    told: list[tuple[str, str]] = []

    def tell(name: str) -> Any:
        return lambda response: told.append((name, response.docs[0].text))

    client.post(
        "/upper",
        ["a", "raise", "b"],
        on_done=tell("done"),
        on_error=tell("error"),
        on_always=tell("always"),
        request_size=1,
    )
    assert told == [
        ("done", "A"),
        ("always", "A"),
        ("error", "raise"),
        ("always", "raise"),
        ("done", "B"),
        ("always", "B"),
    ]


def test_without_on_error_a_failed_request_raises(client: Client) -> None:
    done: list[Response] = []
    with pytest.raises(BadServer) as caught:
        client.post("/upper", ["a", "raise", "b"], done.append, request_size=1)
    assert str(caught.value) == (
        "service/0 /upper: /upper failed: ValueError: a bad mood\n"
        "help: pass on_error= or continue_on_error=True to continue"
    )
    assert len(done) == 1
    cause = caught.value.__cause__
    assert isinstance(cause, RemoteError)
    assert (cause.type, cause.message) == ("ValueError", "a bad mood")
    assert (cause.executor, cause.replica, cause.endpoint) == ("service", 0, "/upper")
    assert cause.traceback.startswith("Traceback (most recent call last):\n")
    assert 'raise ValueError("a bad mood")' in cause.traceback
    assert "jina/executors/call.py" not in cause.traceback


def test_continue_on_error_goes_on(client: Client) -> None:
    results = client.post(
        "/upper",
        ["a", "raise", "b"],
        continue_on_error=True,
        return_results=True,
        request_size=1,
    )
    assert [response.status.code for response in results or ()] == [0, 3, 0]
    assert texts(results) == ["A", "raise", "B"]


def test_a_callback_that_raises_stops_the_post(client: Client) -> None:
    def callback(response: Response) -> None:
        raise KeyError("gone")

    with pytest.raises(BadClientCallback) as caught:
        client.post("/upper", "abc", callback)
    assert str(caught.value).endswith("callback: a callback raised KeyError: 'gone'")
    assert isinstance(caught.value.__cause__, KeyError)
    assert client.post("/upper", "x", callback, continue_on_error=True) is None
    assert texts(client.post("/upper", "x", return_results=True)) == ["X"]


@pytest.mark.parametrize(
    ("endpoint", "description"),
    [
        (
            "/wrong",
            "TypeError: Service.wrong returned list; an endpoint method must return a "
            "DocumentArray, or None if it changed the Documents in place",
        ),
        ("/mute", "MemoryError"),
        (
            "/exit",
            "SystemExit: 3; a method must not end its process: raise another exception instead",
        ),
    ],
)
def test_whatever_a_method_does_is_one_error(
    client: Client, endpoint: str, description: str
) -> None:
    (response,) = client.post(endpoint, "x", continue_on_error=True, return_results=True) or ()
    assert response.status.description == description
    assert texts(client.post("/upper", "x", return_results=True)) == ["X"]


def test_an_exception_that_cannot_be_carried_is_told_as_text(client: Client) -> None:
    (response,) = client.post("/odd", "x", continue_on_error=True, return_results=True) or ()
    assert response.status.exception.name.endswith("OddError")
    assert response.status.exception.args == ["\\udcff" * 3]
    assert response.status.exception.executor == "service"


def test_an_empty_result_is_empty(client: Client) -> None:
    (response,) = client.post("/empty", "x", return_results=True) or ()
    assert len(response.docs) == 0


def test_stream_yields_as_they_come(client: Client) -> None:
    """Endless inputs are read only as far as the window reaches."""
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield f"t{read}"

    stream = client.stream("/upper", endless(), request_size=1)
    assert [next(stream).docs[0].text for _ in range(50)] == [f"T{n}" for n in range(1, 51)]
    stream.close()
    assert read < 50 + 40
    assert texts(client.post("/upper", "x", return_results=True)) == ["X"]


# --- nobody there --------------------------------------------------------------------------------


def test_nobody_at_the_address() -> None:
    client = Client(port=1, timeout_connect_s=0.2)
    with pytest.raises(ConnectError) as caught:
        client.post("/", "x")
    assert str(caught.value) == (
        "tcp://127.0.0.1:1: no answer within 0.2 s\nhelp: is the Flow up, with this --port, "
        "and can that machine be reached from here?"
    )


def test_a_client_needs_to_know_where() -> None:
    with pytest.raises(TypeError, match="a Client needs an address, or a port"):
        Client()


def test_no_reply_in_time_and_the_client_still_works(running: str, tmp_path: Path) -> None:
    until = tmp_path / "until"
    with Client(running, timeout_s=0.3) as client:
        with pytest.raises(PostTimeout) as caught:
            client.post("/hang", "x", parameters={"until": str(until)})
        assert caught.value.what == "no reply for 0.3 s; requests in progress: 1"
        assert isinstance(caught.value, TimeoutError)
    until.touch()
    with Client(running) as client:
        assert texts(client.post("/upper", "x", return_results=True)) == ["X"]


def test_a_forked_child_keeps_a_connection_of_its_own(client: Client) -> None:
    assert texts(client.post("/upper", "before", return_results=True)) == ["BEFORE"]
    child = os.fork()
    if child == 0:  # no assertion here: its report would come twice
        client.post("/upper", "first")
        descriptors = len(os.listdir("/proc/self/fd"))
        answers = [texts(client.post("/upper", "x", return_results=True)) for _ in range(5)]
        os._exit(answers == [["X"]] * 5 and len(os.listdir("/proc/self/fd")) == descriptors)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert texts(client.post("/upper", "after", return_results=True)) == ["AFTER"]
