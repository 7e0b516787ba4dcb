"""A worker process, with the test in the gateway's place: one reply to each request, always."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jina.defaults import MAX_FRAME_BYTES
from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch.child import Child, spawn_worker
from jina.runtime.board import Board, create_board
from jina.runtime.control import Assignment
from jina.transport import sockets
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire import header as wire
from jina.wire.batching import Batching
from jina.wire.body import read_body, write_body
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import (
    DOCS,
    ERRORS,
    FAILURES,
    LINES,
    Call,
    ErrorInfo,
    Failure,
    LineFailures,
    Part,
    Ready,
    Route,
    Times,
    pack_map,
    unpack_map,
)
from tests.polling import wait_until

_PATIENCE_MS = 30_000
_SLOT = 3

EXECUTOR = '''
import os, signal, sys, time
from jina import Executor, Document, DocumentArray, dynamic_batching, requests

class Broken(Exception):
    """Can be neither shown nor copied."""
    def __init__(self, one, two): pass
    def __str__(self): raise RuntimeError("no text")
    def __reduce__(self): raise RuntimeError("no copy")

class Under(Executor):
    @requests(on="/upper")
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on="/add")
    def add(self, docs, **kwargs):
        return DocumentArray([*docs, Document(id="added")])

    @requests(on="/ids")
    def ids(self, docs, docs_matrix, parameters, groundtruths, **kwargs):
        names = lambda array: None if array is None else [doc.id for doc in array]
        text = [names(docs), docs_matrix and list(map(names, docs_matrix)), dict(parameters),
                names(groundtruths)]
        return DocumentArray([Document(id="seen", text=repr(text))])

    @requests(on="/raise")
    def fail(self, parameters, **kwargs):
        kind = parameters["kind"]
        if kind == "key":
            {}["missing"]
        if kind == "chained":
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError("outer") from error
        if kind == "exit":
            sys.exit(5)
        if kind == "interrupt":
            raise KeyboardInterrupt
        if kind == "generator":
            raise GeneratorExit
        if kind == "memory":
            raise MemoryError
        if kind == "recursion":
            deep = lambda: deep()
            deep()
        if kind == "broken":
            raise Broken(1, 2)
        if kind == "long":
            raise ValueError("x" * 50_000_000)
        if kind == "surrogate":
            raise ValueError("half \\\\ud800 of a pair")
        if kind == "group":
            raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])

    @requests(on="/strict")
    @dynamic_batching(preferred_batch_size=8, timeout=20)
    def strict(self, docs, **kwargs):
        for doc in docs:
            if not doc.text:
                raise ValueError("no text")
            doc.text += str(len(docs))

    @requests(on="/wait")
    def wait(self, parameters, **kwargs):
        open(parameters["begun"], "w").close()
        while not os.path.exists(parameters["go"]):
            time.sleep(0.005)

    @requests(on="/large")
    def large(self, **kwargs):
        return DocumentArray([Document(text="x" * 70_000_000)])

    @requests(on="/stdin")
    def stdin(self, docs, **kwargs):
        docs[0].text = repr(sys.stdin.read())

    def close(self):
        print("closed", flush=True)
'''


class WorkerUnderTest:
    """A worker process and the socket that it connects to."""

    def __init__(self, directory: Path, spec: ExecutorSpec) -> None:
        create_board(directory / "board")
        self.board = Board(directory / "board")
        self.context = sockets.open_context()
        self.router = sockets.open_router(self.context)
        self.address = sockets.bind(self.router, f"ipc://{directory}/back.ipc")
        self.process: Child = spawn_worker(
            Assignment(
                identity="a/0/1-nonce",
                spec=WorkerSpec(node="a", replica=0, executor=spec),
                back=self.address,
                board=str(directory / "board"),
                slot=_SLOT,
            ),
            {},
        )

    def receive(self, kind: int) -> tuple[Header, list[bytes]]:
        poller = sockets.Poller()
        poller.register(self.router, sockets.POLLIN)
        assert poller.poll(_PATIENCE_MS), self.process.read_output()
        message = sockets.receive(self.router, routed=True)
        assert message.peer == b"a/0/1-nonce"
        header = unpack_message(message.header, message.frames)
        frames = [bytes(sockets.payload(frame)) for frame in header.frames]
        assert header.kind == kind, (header, frames)
        return header, frames

    def send(self, message: list[Any]) -> None:
        sockets.send(self.router, message, b"a/0/1-nonce")

    def request(
        self,
        endpoint: str,
        parts: list[Part],
        frames: list[Any],
        *,
        number: int = 1,
        call: Call | None = None,
        branches: int = 1,
        is_last: bool = False,
        **cut: Any,
    ) -> None:
        route = Route(endpoint, None, parts, branches, is_last, **cut)
        message = pack_message(
            wire.REQUEST,
            frames,
            number=number,
            rows=1,
            base=1,
            route=pack_map(route),
            call=pack_map(call or Call({}, "in.jsonl", "key", True)),
        )
        self.send(message)

    def cancel(self, *numbers: int) -> None:
        for number in numbers:
            self.send(pack_message(wire.CANCEL, number=number))
            self.board.cancel(_SLOT)

    def given_back(self, number: int) -> None:
        """The next reply is of a request that was not begun."""
        header, frames = self.receive(wire.REPLY)
        assert (header.number, frames) == (number, [])

    def result(self, number: int = 1) -> DocumentArray:
        header, frames = self.receive(wire.REPLY)
        assert header.number == number
        body = read_body(unpack_map(Route, header.route).parts, frames, 1, Call(), 0)
        return body.docs[0]

    def lines(self) -> list[dict[str, Any]]:
        """The outcomes that it wrote itself."""
        header, frames = self.receive(wire.REPLY)
        (part,) = unpack_map(Route, header.route).parts
        outcomes = [msgspec.json.decode(line) for line in frames[0].splitlines()]
        assert (part.kind, part.rows) == (LINES, len(outcomes))
        return outcomes

    def error(self) -> ErrorInfo:
        _, frames = self.receive(wire.ERROR)
        error = unpack_map(ErrorInfo, frames[0])
        assert (error.executor, error.replica) == ("a", 0)
        return error

    def close(self) -> None:
        self.process.signal_group(signal.SIGKILL)
        self.process.wait(30)
        self.process.close()
        sockets.close(self.context)
        self.board.close()


LINES_PART = [Part(LINES, DOCS, 1, 1)]
Begin = Callable[[ExecutorSpec], WorkerUnderTest]


@pytest.fixture
def begin(runtime_dir: Path) -> Iterator[Begin]:
    """Start a worker of a spec."""
    started = []

    def start(spec: ExecutorSpec) -> WorkerUnderTest:
        worker = WorkerUnderTest(runtime_dir, spec)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.close()


@pytest.fixture
def worker(begin: Begin, tmp_path: Path) -> WorkerUnderTest:
    """A worker that is ready."""
    file = tmp_path / "under.py"
    file.write_text(EXECUTOR)
    worker = begin(ExecutorSpec(jtype="Under", py_modules=[str(file)]))
    header, _ = worker.receive(wire.READY)
    ready = unpack_map(Ready, header.call)
    assert ready.pid == worker.process.pid
    assert {"/upper", "/raise"} <= set(ready.endpoints)
    return worker


def test_lines_become_documents_and_a_batch_comes_back(worker: WorkerUnderTest) -> None:
    worker.request("/upper", LINES_PART, [b'{"id": "a", "text": "x"}\n{"text": "y"}\n'])
    assert [(doc.id, doc.text) for doc in worker.result()] == [("a", "X"), ("key-2", "Y")]


def test_the_last_worker_writes_lines_with_the_failures_in_their_places(
    worker: WorkerUnderTest,
) -> None:
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n\nno\n{"text": "y"}\n'], is_last=True)
    outcomes = worker.lines()
    assert [outcome["id"] for outcome in outcomes] == ["key-1", "key-3", "key-4"]
    assert outcomes[0]["text"] == "X"
    assert outcomes[1]["error"]["message"].startswith("in.jsonl:3: not JSON")
    worker.request("/add", LINES_PART, [b"no\n{}\n"], is_last=True)
    assert [outcome["id"] for outcome in worker.lines()] == ["key-2", "added", "key-1"]


def test_what_is_skipped_stays_as_it_came(worker: WorkerUnderTest) -> None:
    chunk = b'{"text": "x"}\n{"text": "y"}\n{"text": "z"}\n'
    worker.request("/upper", LINES_PART, [chunk], is_last=True, first=1, stop=2, skip=True)
    assert [(each["id"], each["text"]) for each in worker.lines()] == [("key-2", "y")]


def test_an_error_names_the_classes_above_its_own(worker: WorkerUnderTest) -> None:
    worker.request("/raise", LINES_PART, [b"{}\n"], call=Call({"kind": "key"}))
    assert worker.error().classes == ["KeyError", "LookupError", "Exception", "BaseException"]


def test_a_request_whose_time_is_over_is_not_begun(worker: WorkerUnderTest, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    go.touch()
    call = Call({"begun": str(begun), "go": str(go)})
    now = time.monotonic()
    worker.request("/wait", LINES_PART, [b"{}\n"], call=call, deadline=now)
    error = worker.error()
    assert (error.type, error.classes) == ("jina.excepts.RequestTimeout", [])
    assert not begun.exists()
    worker.request("/wait", LINES_PART, [b"{}\n"], call=call, deadline=now + 3600)
    worker.result()
    assert begun.exists()


def test_a_call_is_timed_if_it_is_asked_for(worker: WorkerUnderTest) -> None:
    before = time.time()
    for endpoint, kind in (("/upper", wire.REPLY), ("/raise", wire.ERROR)):
        worker.request(endpoint, LINES_PART, [b'{"text": ""}\n'], is_timed=True)
        header, _ = worker.receive(kind)
        times = unpack_map(Times, header.call)
        assert before <= times.began <= times.ended <= time.time()
        worker.request(endpoint, LINES_PART, [b'{"text": ""}\n'])
        header, _ = worker.receive(kind)
        assert header.call == b""


def test_it_does_only_the_outcomes_that_it_is_told(worker: WorkerUnderTest) -> None:
    chunk = b'{"text": "x"}\n\nno\n{"text": "y"}\n{"text": "z"}\n'
    worker.request("/upper", LINES_PART, [chunk], is_last=True, first=1, stop=3)
    outcomes = worker.lines()
    assert [outcome["id"] for outcome in outcomes] == ["key-3", "key-4"]
    assert outcomes[1]["text"] == "Y"
    worker.request("/add", LINES_PART, [chunk], is_last=True, first=4, stop=6)
    assert worker.lines() == []  # beyond the end there is nothing to call for


def test_a_document_that_is_blamed_becomes_the_error_and_nothing_is_called(
    worker: WorkerUnderTest,
) -> None:
    blame = ErrorInfo("jina.excepts.WorkerDied", "it died", "a")
    chunk = b'{"text": "x"}\n{"text": "y"}\n'
    worker.request("/raise", LINES_PART, [chunk], is_last=True, first=1, stop=2, blame=blame)
    assert worker.lines() == [
        {
            "id": "key-2",
            "error": {
                "type": "jina.excepts.WorkerDied",
                "message": "it died",
                "executor": "a",
                "endpoint": "/raise",
            },
        }
    ]


def test_when_every_line_is_bad_the_method_is_not_called(worker: WorkerUnderTest) -> None:
    worker.request("/add", LINES_PART, [b"no\n[]\n"], is_last=True)
    assert [outcome["id"] for outcome in worker.lines()] == ["key-1", "key-2"]


def test_a_request_without_documents_gives_none(worker: WorkerUnderTest) -> None:
    worker.request("/ids", [], [], call=Call({"top": 5}))
    assert worker.result()[0].text == repr([None, None, {"top": 5}, None])


def test_a_join_gives_the_parts_in_their_order(worker: WorkerUnderTest) -> None:
    parts, frames = write_body(DocumentArray([Document(id="b")]), None, None)
    joined = [*LINES_PART, *[msgspec.structs.replace(part, branch=1) for part in parts]]
    worker.request("/ids", joined, [b'{"id": "a"}\n', *frames], branches=2)
    assert worker.result()[0].text == repr([["a", "b"], [["a"], ["b"]], {}, None])


def test_failures_of_an_earlier_node_travel_on(worker: WorkerUnderTest) -> None:
    failures = LineFailures(2, [Failure(0, "bad", "BadLine", "in.jsonl:1: why")])
    parts, frames = write_body(DocumentArray([Document(id="a", text="x")]), None, failures)
    worker.request("/upper", parts, frames, is_last=True)
    assert [outcome["id"] for outcome in worker.lines()] == ["bad", "a"]


@pytest.mark.parametrize(
    ("kind", "type_", "message"),
    [
        ("key", "KeyError", "'missing'"),
        ("chained", "ValueError", "outer"),
        ("exit", "SystemExit", "5"),
        ("interrupt", "KeyboardInterrupt", ""),
        ("generator", "GeneratorExit", ""),
        ("memory", "MemoryError", ""),
        ("recursion", "RecursionError", "maximum recursion depth exceeded"),
        ("broken", "under.Broken", "<its __str__ raised RuntimeError>"),
        ("surrogate", "ValueError", "half \\ud800 of a pair"),
        ("group", "ExceptionGroup", "several (2 sub-exceptions)"),
        ("long", "ValueError", "xxx"),
    ],
)
def test_whatever_a_method_raises_is_told_and_the_worker_goes_on(
    worker: WorkerUnderTest, kind: str, type_: str, message: str
) -> None:
    worker.request("/raise", LINES_PART, [b"{}\n"], call=Call({"kind": kind}))
    error = worker.error()
    assert error.type == type_
    assert error.message.startswith(message)
    assert len(error.message.encode()) <= 8 * 1024
    assert len(error.traceback.encode()) <= 64 * 1024
    assert "under.py" in error.traceback
    assert "runtime/worker.py" not in error.traceback
    wait_until(lambda: worker.board[_SLOT] == 0)  # once the reply is sent
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=2)
    assert worker.result(2)[0].text == "X"


@pytest.mark.parametrize(
    ("parts", "frames"),
    [
        ([Part(9, DOCS, 1, 1)], [b"x"]),
        (LINES_PART, []),
        ([Part(1, DOCS, 1, 1)], [b"no batch"]),
        ([Part(FAILURES, ERRORS, 1, 1)], [b"no map"]),
    ],
)
def test_a_body_that_cannot_be_read_is_an_error_of_its_request(
    worker: WorkerUnderTest, parts: list[Part], frames: list[bytes]
) -> None:
    worker.request("/upper", parts, frames)
    assert worker.error().type == "jina.excepts.WireError"


def test_a_result_too_large_for_a_message_is_an_error_of_its_request(
    worker: WorkerUnderTest,
) -> None:
    """Otherwise the gateway would cut the connection, and the request would never be answered."""
    worker.request("/large", LINES_PART, [b"{}\n"], is_last=True)
    error = worker.error()
    assert error.type == "jina.excepts.WireError"
    assert f"{MAX_FRAME_BYTES:,}" in error.message
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=2)
    assert worker.result(2)[0].text == "X"


def test_a_begun_request_stands_on_the_board_until_it_is_done(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    call = Call({"begun": str(begun), "go": str(go)})
    worker.request("/wait", LINES_PART, [b"{}\n"], number=77, call=call)
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=78)
    wait_until(begun.exists)
    assert worker.board[_SLOT] == 77
    go.touch()
    worker.result(77)
    worker.result(78)
    work = wait_until(lambda: (w := worker.board.work(_SLOT)).calls == 2 and w)
    assert work.begun == 0
    assert work.busy_s > 0


def test_a_lot_stands_on_the_board_by_its_last_and_is_answered_one_by_one(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    call = Call({"begun": str(begun), "go": str(go)})
    for number in (77, 90, 79):
        assert not begun.exists()
        worker.request("/wait", LINES_PART, [b"{}\n"], number=number, call=call, lot=79)
    wait_until(begun.exists)
    assert worker.board[_SLOT] == 79
    go.touch()
    for number in (77, 90, 79):
        worker.result(number)
    wait_until(lambda: worker.board[_SLOT] == 0)  # once the reply is sent


def test_after_the_call_of_a_lot_raised_each_has_its_own_outcome(worker: WorkerUnderTest) -> None:
    lines = {1: b'{"text": "a"}\n', 2: b"{}\n", 3: b'{"text": "c"}\n'}
    for number, line in lines.items():
        worker.request("/strict", LINES_PART, [line], number=number, lot=3)
    assert worker.result(1)[0].text == "a1"
    header, frames = worker.receive(wire.ERROR)
    assert header.number == 2
    assert unpack_map(ErrorInfo, frames[0]).message == "no text"
    assert worker.result(3)[0].text == "c1"


def test_another_gateway_gets_nothing_of_a_lot_that_was_not_complete(
    worker: WorkerUnderTest,
) -> None:
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=1, lot=2)
    worker.send(pack_message(wire.READY))
    header, _ = worker.receive(wire.READY)
    assert unpack_map(Ready, header.call).batching == {"/strict": Batching(8, 20)}
    worker.request("/upper", LINES_PART, [b'{"text": "y"}\n'], number=3)
    assert worker.result(3)[0].text == "Y"


def test_a_killed_worker_leaves_its_begun_request_on_the_board(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    call = Call({"begun": str(begun), "go": str(tmp_path / "never")})
    worker.request("/wait", LINES_PART, [b"{}\n"], number=77, call=call)
    wait_until(begun.exists)
    os.kill(worker.process.pid, signal.SIGKILL)
    wait_until(worker.process.has_ended)
    assert worker.board[_SLOT] == 77


def test_standard_input_is_empty(worker: WorkerUnderTest) -> None:
    worker.request("/stdin", LINES_PART, [b"{}\n"])
    assert worker.result()[0].text == "''"


def test_ctrl_c_is_not_for_workers(worker: WorkerUnderTest) -> None:
    worker.process.signal_group(signal.SIGINT)
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'])
    assert worker.result()[0].text == "X"


def test_drained_it_closes_its_executor_says_bye_and_leaves(worker: WorkerUnderTest) -> None:
    worker.send(pack_message(wire.DRAIN))
    worker.receive(wire.BYE)
    assert worker.process.wait(30)
    assert worker.process.read_output() == ["closed"]
    assert worker.process.ending == "ended with exit code 0"


def test_another_gateway_is_told_again_that_it_is_ready(worker: WorkerUnderTest) -> None:
    worker.send(pack_message(wire.READY))
    header, _ = worker.receive(wire.READY)
    assert unpack_map(Ready, header.call).pid == worker.process.pid


def test_a_class_that_cannot_be_constructed_shows_its_own_traceback(
    begin: Begin, tmp_path: Path
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(
        "from jina import Executor\n"
        "class Broken(Executor):\n"
        "    def __init__(self, **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        "        self.model = open('/no/such/model')\n"
    )
    worker = begin(ExecutorSpec(jtype="Broken", py_modules=[str(file)]))
    assert worker.process.wait(30)
    assert worker.process.read_output() is None  # that is for what the user's code prints
    worker.process.close()
    error = worker.process.start_error
    assert error
    assert error.summary == (
        "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/model'"
    )
    assert "jina/executors" in error.whole
    lines = error.lines
    assert lines[-1] == "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/model'"
    assert f'  File "{file}", line 5, in __init__' in lines
    assert not any("jina/executors" in line or "jina/runtime" in line for line in lines)
    assert worker.process.ending == "ended with exit code 1"
