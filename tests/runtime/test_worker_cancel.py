"""A worker is told that nobody wants a request any more: it does not begin it then."""

from __future__ import annotations

from pathlib import Path

from jina.wire import header as wire
from jina.wire.header import pack_message
from jina.wire.maps import Call, Ready, unpack_map
from tests.polling import wait_until
from tests.runtime.test_worker import (
    _SLOT,
    LINES_PART,
    WorkerUnderTest,
    begin,
    worker,
)

__all__ = ["begin", "worker"]  # fixtures


class Waiting:
    """A request during which the test does what it wants."""

    def __init__(self, worker: WorkerUnderTest, folder: Path, number: int = 70) -> None:
        self._worker, self._number = worker, number
        self._go, begun = folder / "go", folder / "begun"
        call = Call({"begun": str(begun), "go": str(self._go)})
        worker.request("/wait", LINES_PART, [b"{}\n"], number=number, call=call)
        wait_until(begun.exists)

    def end(self) -> None:
        self._go.touch()
        self._worker.result(self._number)


def touching(path: Path) -> Call:
    """The call map of a request to /wait that leaves a file and waits for nothing."""
    return Call({"begun": str(path), "go": "/"})


def test_what_is_staged_is_not_begun(worker: WorkerUnderTest, tmp_path: Path) -> None:
    first = Waiting(worker, tmp_path)
    for number in (71, 72, 73):
        call = touching(tmp_path / str(number))
        worker.request("/wait", LINES_PART, [b"{}\n"], number=number, call=call)
    worker.cancel(71, 73)
    first.end()
    worker.given_back(71)
    worker.given_back(73)
    worker.result(72)
    assert sorted(path.name for path in tmp_path.glob("7*")) == ["72"]
    work = wait_until(lambda: (w := worker.board.work(_SLOT)).calls == 2 and w)
    assert work.begun == 0


def test_what_runs_finishes_and_what_is_done_is_not_answered_again(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=1)
    worker.result(1)
    first = Waiting(worker, tmp_path)
    worker.cancel(1, 70, 71)
    first.end()
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=71)
    assert worker.result(71)[0].text == "X"  # whatever else was said of the number before


def test_the_rest_of_a_lot_is_one_call(worker: WorkerUnderTest, tmp_path: Path) -> None:
    first = Waiting(worker, tmp_path)
    for number in (1, 2, 3, 4):
        worker.request("/strict", LINES_PART, [b'{"text": "n"}\n'], number=number, lot=4)
    worker.cancel(4, 2)
    first.end()
    worker.given_back(4)
    worker.given_back(2)
    assert worker.result(1)[0].text == "n2"
    assert worker.result(3)[0].text == "n2"


def test_a_lot_stands_on_the_board_by_its_number_though_its_last_is_gone(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    first = Waiting(worker, tmp_path)
    begun, go = tmp_path / "lot", tmp_path / "lot goes"
    call = Call({"begun": str(begun), "go": str(go)})
    for number in (1, 2, 3):
        worker.request("/wait", LINES_PART, [b"{}\n"], number=number, call=call, lot=3)
    worker.cancel(3)
    first.end()
    worker.given_back(3)
    wait_until(begun.exists)
    assert worker.board[_SLOT] == 3
    go.touch()
    worker.result(1)
    worker.result(2)


def test_of_a_lot_that_is_all_taken_back_nothing_is_called(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    first = Waiting(worker, tmp_path)
    call = touching(tmp_path / "called")
    for number in (1, 2):
        worker.request("/wait", LINES_PART, [b"{}\n"], number=number, call=call, lot=2)
    worker.cancel(1, 2)
    first.end()
    worker.given_back(1)
    worker.given_back(2)
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=5)
    worker.result(5)
    assert not (tmp_path / "called").exists()


def test_told_to_close_it_does_what_is_staged_first(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    first = Waiting(worker, tmp_path)
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=1)
    worker.request("/upper", LINES_PART, [b'{"text": "y"}\n'], number=2)
    worker.cancel(1)
    worker.send(pack_message(wire.DRAIN))
    first.end()
    worker.given_back(1)
    assert worker.result(2)[0].text == "Y"
    worker.receive(wire.BYE)
    assert worker.process.wait(30)


def test_what_an_earlier_gateway_had_staged_is_not_done(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    """It may be read by then, because there was something to take back."""
    first = Waiting(worker, tmp_path)
    call = touching(tmp_path / "called")
    worker.request("/wait", LINES_PART, [b"{}\n"], number=1, call=call)
    worker.request("/wait", LINES_PART, [b"{}\n"], number=2, call=call)
    worker.cancel(1)
    worker.board.cancel(_SLOT)  # this one was lost with its gateway
    worker.send(pack_message(wire.READY))
    first.end()
    worker.given_back(1)
    header, _ = worker.receive(wire.READY)
    assert unpack_map(Ready, header.call).pid == worker.process.pid
    worker.request("/upper", LINES_PART, [b'{"text": "x"}\n'], number=3)
    assert worker.result(3)[0].text == "X"
    assert not (tmp_path / "called").exists()
