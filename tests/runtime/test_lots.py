"""A worker's requests: several become one call, and each gets what is its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from jina import Document, DocumentArray, Executor, requests
from jina.excepts import BatchingError
from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.runtime.lots import Arrivals, Desk
from jina.types import codec
from jina.wire import header as wire
from jina.wire.batching import Batching
from jina.wire.body import read_body, write_body
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import BATCH, DOCS, LINES, Call, ErrorInfo, Part, Route, pack_map

FOUR = Batching(4, 10)
SPEC = WorkerSpec(node="a", replica=0, executor=ExecutorSpec(jtype="Busy"))


class Busy(Executor):
    """Notes its calls."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls: list[list[str]] = []

    @requests(on="/upper")
    def upper(self, docs: DocumentArray, parameters: dict[str, Any], **kwargs: Any) -> None:
        self.calls.append(docs.texts)
        for doc in docs:
            if doc.text == "bad":
                raise ValueError("a bad one")
            doc.text = doc.text.upper() + parameters.pop("end", "")
            parameters.get("list", []).append("x")
            doc.text += "".join(parameters.get("list", []))

    @requests(on="/new")
    def new(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        self.calls.append(docs.texts)
        return DocumentArray([Document(text=doc.text.upper()) for doc in docs])

    @requests(on="/sorted")
    def sorted(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        return DocumentArray(sorted(docs, key=lambda doc: doc.text))

    @requests(on="/copies")
    def copies(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        return DocumentArray([Document(doc, copy=True) for doc in self.sorted(docs)])

    @requests(on="/first")
    def first(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        return docs[:1]

    @requests(on="/grow")
    def grow(self, docs: DocumentArray, **kwargs: Any) -> None:
        docs.append(Document(text="one more"))

    @requests(on="/truth")
    def truth(self, docs: DocumentArray, groundtruths: DocumentArray, **kwargs: Any) -> None:
        self.calls.append(docs.texts)
        for doc, truth in zip(docs, groundtruths or [], strict=groundtruths is not None):
            doc.text += "?" + truth.text
            truth.text = truth.text.upper()

    @requests(on="/count")
    def count(self, groundtruths: DocumentArray, **kwargs: Any) -> None:
        self.calls.append(groundtruths.texts)


def header(
    number: int,
    *lines: str,
    on: str = "/upper",
    lot: int = 0,
    parameters: dict[str, Any] | None = None,
    body: tuple[Sequence[Part], Sequence[Any]] | None = None,
    is_last: bool = True,
    select: Sequence[str] = (),
    **cut: Any,
) -> Header:
    """A request with JSON lines of these texts; `!` is a line that is none."""
    text = "".join(f'{{"text": "{line}"}}\n' if line != "!" else "!\n" for line in lines)
    parts, frames = body or ([Part(LINES, DOCS, 1, len(lines))], [text.encode()])
    message = pack_message(
        wire.REQUEST,
        frames,
        number=number,
        rows=len(lines),
        base=1,
        route=pack_map(Route(on, None, list(parts), 1, is_last, lot=lot, **cut)),
        call=pack_map(
            Call(parameters or {}, f"{number}.jsonl", f"k{number}", True, select=list(select))
        ),
    )
    return unpack_message(message[0], message[1:])


def desk(executor: Executor, batching: Batching = FOUR) -> Desk:
    bound = list(executor.requests)
    return Desk(executor, SPEC, bound, dict.fromkeys(bound, batching))


def outcomes(written: Any) -> list[tuple[str, str]]:
    """Id, and text or the error's class, of each outcome."""
    if isinstance(written, BaseException):
        raise written
    (part,), (frame,) = written
    found = [msgspec.json.decode(line) for line in frame.splitlines()]
    assert part.rows == len(found)
    return [
        (line["id"], line["text"] if "text" in line else line["error"]["type"]) for line in found
    ]


def test_a_lot_is_one_call_and_each_gets_its_own_rows() -> None:
    executor = Busy()
    lot = [header(1, "a"), header(2, "b", "c"), header(3, "d", is_last=False)]
    one, two, three = desk(executor).run_lot(lot)
    assert executor.calls == [["a", "b", "c", "d"]]
    assert outcomes(one) == [("k1-1", "A")]
    assert outcomes(two) == [("k2-1", "B"), ("k2-2", "C")]
    parts, frames = three  # type: ignore[misc]
    assert read_body(parts, frames, 1, Call(), 0).docs[0].texts == ["D"]


def test_new_documents_are_taken_apart_by_row() -> None:
    lot = [header(1, "a", on="/new"), header(2, "b", "c", on="/new")]
    one, two = desk(Busy()).run_lot(lot)
    assert [text for _, text in outcomes(one)] == ["A"]
    assert [text for _, text in outcomes(two)] == ["B", "C"]


def test_lines_that_cannot_be_read_stay_with_their_request() -> None:
    executor = Busy()
    lot = [header(1, "!", "a"), header(2, "!"), header(3, "b", "!", "c")]
    one, two, three = desk(executor).run_lot(lot)
    assert executor.calls == [["a", "b", "c"]]
    assert outcomes(one) == [("k1-1", "jina.excepts.BadLine"), ("k1-2", "A")]
    assert outcomes(two) == [("k2-1", "jina.excepts.BadLine")]
    assert [name for name, _ in outcomes(three)] == ["k3-1", "k3-2", "k3-3"]


def test_a_request_larger_than_the_preferred_size_is_cut_into_calls() -> None:
    executor = Busy()
    assert len(outcomes(desk(executor).run(header(1, *"abcdefghi")))) == 9
    assert executor.calls == [["a", "b", "c", "d"], ["e", "f", "g", "h"], ["i"]]


def test_a_lot_is_cut_too_across_its_requests() -> None:
    executor = Busy()
    one, two, three = desk(executor).run_lot([header(1, *"abc"), header(2, *"def"), header(3, "g")])
    assert executor.calls == [["a", "b", "c", "d"], ["e", "f", "g"]]
    assert [text for _, text in outcomes(one)] == ["A", "B", "C"]
    assert [text for _, text in outcomes(two)] == ["D", "E", "F"]
    assert [text for _, text in outcomes(three)] == ["G"]


@pytest.mark.parametrize(
    ("batching", "said"), [(Batching(4, 10, True), {}), (FOUR, {"use_dynamic_batching": False})]
)
def test_nothing_is_cut_with_flush_all_or_where_the_request_goes_around(
    batching: Batching, said: dict[str, Any]
) -> None:
    executor = Busy()
    desk(executor, batching).run(header(1, *"abcdefghi", parameters=said))
    assert list(map(len, executor.calls)) == [9]


def test_every_call_has_parameters_of_its_own() -> None:
    written = desk(Busy(), Batching(1, 10)).run(
        header(1, "a", "b", parameters={"end": "!", "list": []})
    )
    assert [text for _, text in outcomes(written)] == ["A!x", "B!x"]


def test_when_the_call_raises_each_is_to_be_done_alone() -> None:
    executor = Busy()
    assert desk(executor).run_lot([header(1, "a"), header(2, "bad")]) == [None, None]
    assert outcomes(desk(executor).run(header(1, "a"))) == [("k1-1", "A")]
    with pytest.raises(ValueError, match="a bad one"):
        desk(executor).run(header(2, "bad"))


def test_whoever_had_no_part_in_the_call_that_raised_keeps_its_result() -> None:
    executor = Busy()
    lot = [header(1, *"abcd"), header(2, "e", "bad"), header(3, *"fg"), header(4, *"hij")]
    one, two, three, four = desk(executor).run_lot(lot)
    assert executor.calls == [["a", "b", "c", "d"], ["e", "bad", "f", "g"], ["h", "i", "j"]]
    assert [text for _, text in outcomes(one)] == ["A", "B", "C", "D"]
    assert (two, three) == (None, None)
    assert [text for _, text in outcomes(four)] == ["H", "I", "J"]


def test_a_request_alone_is_not_gone_on_with_after_an_error() -> None:
    executor = Busy()
    with pytest.raises(ValueError, match="a bad one"):
        desk(executor).run(header(1, "bad", *"abcdef"))
    assert len(executor.calls) == 1


@pytest.mark.parametrize(
    ("on", "given", "named"), [("/first", 1, "1 Document"), ("/grow", 3, "3 Documents")]
)
def test_another_number_of_documents_is_refused_with_what_to_do(
    on: str, given: int, named: str
) -> None:
    results = desk(Busy()).run_lot([header(1, "a", on=on), header(2, "b", on=on)])
    for result in results:
        assert isinstance(result, BatchingError)
        assert f"the method of {on} returned {named} for 2" in str(result)
        assert f"turn dynamic batching off for {on}" in str(result)
    with pytest.raises(BatchingError):
        desk(Busy()).run(header(1, "a", "b", on=on))
    around = header(1, "a", "b", on=on, parameters={"use_dynamic_batching": False})
    assert len(outcomes(desk(Busy()).run(around))) == given


def test_documents_that_the_method_has_sorted_go_back_to_whom_they_belong() -> None:
    lot = [header(1, "z", on="/sorted"), header(2, "b", "a", on="/sorted")]
    one, two = desk(Busy()).run_lot(lot)
    assert outcomes(one) == [("k1-1", "z")]
    assert outcomes(two) == [("k2-1", "b"), ("k2-2", "a")]
    # One alone is answered alike: nobody sees who else was in the call.
    alone = desk(Busy()).run(header(2, "b", "a", on="/sorted"))
    assert outcomes(alone) == [("k2-1", "b"), ("k2-2", "a")]


@pytest.mark.parametrize("on", ["/sorted", "/copies"])
def test_sorted_documents_with_equal_ids_are_told_apart_or_refused(on: str) -> None:
    """Nobody gets a Document of somebody else who chose the same id."""

    def body(*pairs: tuple[str, str]) -> Any:
        docs = DocumentArray([Document(id=name, text=text) for name, text in pairs])
        return write_body(docs, None, None)

    bodies = [body(("1", "z")), body(("1", "x"), ("2", "y"))]
    one, two = desk(Busy()).run_lot([header(n, on=on, body=b) for n, b in enumerate(bodies, 1)])
    if on == "/sorted":
        assert outcomes(one) == [("1", "z")]
        assert outcomes(two) == [("1", "x"), ("2", "y")]
    else:
        assert isinstance(one, BatchingError)
        assert "their ids do not identify them" in str(two)


def test_groundtruths_go_with_their_documents() -> None:
    def body(*texts: str, truths: Sequence[str] = ()) -> Any:
        docs = DocumentArray([Document(text=text) for text in texts])
        return write_body(docs, DocumentArray([Document(text=t) for t in truths]) or None, None)

    executor = Busy()
    lot = [
        header(1, on="/truth", body=body("a", truths="x"), is_last=False),
        header(2, on="/truth", body=body("b"), is_last=False),
        header(3, on="/truth", body=body("c", "d", truths="yz"), is_last=False),
        header(4, on="/truth", body=body("e", truths="vw"), is_last=False),
    ]
    results = desk(executor).run_lot(lot)
    assert sorted(executor.calls) == [["a", "c", "d"], ["b"]]
    assert results[3] is None  # its groundtruths are not those of its rows: it goes alone
    found = [read_body(*result, 1, Call(), 0) for result in results[:3]]  # type: ignore[misc]
    assert [each.docs[0].texts for each in found] == [["a?x"], ["b"], ["c?y", "d?z"]]
    truths = [[array.texts for array in each.groundtruths] for each in found]
    assert truths == [[["X"]], [], [["Y", "Z"]]]


def test_groundtruths_that_belong_to_no_row_keep_a_request_whole() -> None:
    docs = DocumentArray([Document(text=text) for text in "abcdefgh"])
    body = write_body(docs, DocumentArray([Document(text="truth")]), None)
    executor = Busy()
    parts, frames = desk(executor).run(header(1, on="/count", body=body, is_last=False))
    assert executor.calls == [["truth"]]
    assert [array.texts for array in read_body(parts, frames, 1, Call(), 0).groundtruths] == [
        ["truth"]
    ]


def test_a_request_that_turns_out_to_have_no_documents_is_done_alone() -> None:
    blank = header(2, body=([Part(LINES, DOCS, 1, 1)], [b"\n"]))
    one, two = desk(Busy()).run_lot([header(1, "a"), blank])
    assert outcomes(one) == [("k1-1", "A")]
    assert two is None


def test_a_body_that_cannot_be_read_is_the_error_of_its_request_alone() -> None:
    broken = header(2, body=([Part(1, DOCS, 1, 1)], [b"no batch"]))
    one, two = desk(Busy()).run_lot([header(1, "a"), broken])
    assert outcomes(one) == [("k1-1", "A")]
    assert isinstance(two, Exception)


def test_columns_come_apart_as_well() -> None:
    docs = [DocumentArray([Document(text=text * 50) for text in texts]) for texts in ("ab", "cde")]
    lot = [
        header(n, body=([Part(1, DOCS, len(frames), len(array))], frames), is_last=False)
        for n, (array, frames) in enumerate(((each, codec.encode(each)) for each in docs), 1)
    ]
    results = desk(Busy()).run_lot(lot)
    found = [read_body(*result, 1, Call(), 0).docs[0] for result in results]  # type: ignore[misc]
    assert [[doc.text[0] for doc in each] for each in found] == [["A", "B"], ["C", "D", "E"]]


def test_a_part_of_a_request_and_one_that_is_blamed_are_done_as_ever() -> None:
    executor = Busy()
    written = desk(executor).run(header(1, *"abcdefghi", first=2, stop=8))
    assert [text for _, text in outcomes(written)] == list("CDEFGH")
    assert executor.calls == [["c", "d", "e", "f"], ["g", "h"]]
    blame = ErrorInfo("jina.excepts.WorkerDied", "it died", "a")
    written = desk(executor).run(header(1, "a", "b", first=0, stop=1, blame=blame))
    assert outcomes(written) == [("k1-1", "jina.excepts.WorkerDied")]
    assert len(executor.calls) == 2


# --- how they arrive ----------------------------------------------------------------------------


def numbers(arrivals: Arrivals, *headers: Header) -> list[list[int]]:
    return [[each.number for each in lot] for one in headers for lot in arrivals.add(one)]


def test_a_lot_is_complete_with_its_last() -> None:
    arrivals = Arrivals()
    assert numbers(arrivals, header(1), header(5, lot=3), header(2, lot=3)) == [[1]]
    assert numbers(arrivals, header(3, lot=3), header(4)) == [[5, 2, 3], [4]]


def test_after_its_gateways_death_a_lot_is_forgotten() -> None:
    arrivals = Arrivals()
    assert numbers(arrivals, header(1, lot=3)) == []
    arrivals.drop()
    assert numbers(arrivals, header(7, lot=8), header(8, lot=8)) == [[7, 8]]


def test_what_is_left_of_a_lot_does_not_mix_with_another() -> None:
    arrivals = Arrivals()
    assert numbers(arrivals, header(1, lot=3), header(7, lot=8)) == [[1]]
    assert numbers(arrivals, header(8, lot=8)) == [[7, 8]]


@pytest.mark.parametrize("is_last", [True, False])
def test_at_an_end_fields_that_the_client_leaves_out_are_not_sent(is_last: bool) -> None:
    asked = header(1, "a", "!", "b", is_last=is_last, is_end=True, select=["text"])
    parts, frames = desk(Busy()).run(asked)
    body = read_body(parts, frames, 1, Call(), 1)
    if not is_last:
        (docs,) = body.docs
        assert [set(doc.dict()) for doc in docs] == [{"text"}] * 2
        assert docs.texts == ["A", "B"]
        assert body.failures is not None
        assert [failure.place for failure in body.failures.failures] == [1]
    else:
        assert frames[0].splitlines()[::2] == [b'{"text":"A"}', b'{"text":"B"}']
    parts, frames = desk(Busy()).run(header(2, "a", is_last=False, select=["text"]))
    assert read_body(parts, frames, 1, Call(), 1).docs[0][0].id  # another worker reads it
    assert [part.kind for part in parts] == [BATCH]  # lines would pass for the client's
