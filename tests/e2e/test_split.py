"""Through real processes: an exception fails the Documents that fail alone, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jina import Document, DocumentArray
from jina.client.post import Client
from jina.runtime.verdicts import ONCE
from tests.shell import Shell

BATCHED = "uses_dynamic_batching: {/pick: {preferred_batch_size: 8, timeout: 50}}"


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow, and one more for each way that a request may take."""
    with shared_shell.up(shared_shell.flow("Picky")):
        yield shared_shell


def lines(count: int, *bad: int, word: str = "bad") -> str:
    rows = ({"id": f"d{n}", "text": word if n in bad else f"t{n}"} for n in range(count))
    return "".join(json.dumps(row) + "\n" for row in rows)


def errors(found: list[dict[str, Any]]) -> dict[str, str]:
    return {line["id"]: line["error"]["message"] for line in found if "error" in line}


def sizes(shell: Shell) -> list[int]:
    (line,) = shell.call("post", "/calls").lines
    return [int(size) for size in line["tags"]["sizes"]]


def test_three_of_400_lines_fail_and_the_others_have_their_results(flow: Shell) -> None:
    flow.write("data.jsonl", lines(400, 17, 200, 399))
    sizes(flow)
    done = flow.call("post", "/pick", "-i", "data.jsonl", "--request-size", "400")
    assert done.code == 3
    assert errors(done.lines) == dict.fromkeys(["d17", "d200", "d399"], "a bad one")
    assert [line["id"] for line in done.lines] == [f"d{n}" for n in range(400)]
    assert all(line["text"] == f"T{line['id'][1:]}" for line in done.lines if "text" in line)
    assert "3 of 400 failed; the first: ValueError in picky: a bad one" in done.err
    assert "zoo.py" in done.err  # the place in the user's code
    calls = sizes(flow)
    assert len(calls) < 3 * 2 * 9 + 1
    assert calls[0] == 400


def test_one_that_fails_on_everything_is_called_less_than_twice_as_often(flow: Shell) -> None:
    sizes(flow)
    done = flow.call("post", "/pick", "--request-size", "50", stdin=lines(50, *range(50)))
    assert len(errors(done.lines)) == 50
    assert len(sizes(flow)) == 99


@pytest.mark.parametrize(("mode", "failed", "code"), [("stop", 4, 3), ("continue", 0, 3)])
def test_who_wants_it_otherwise_says_so(flow: Shell, mode: str, failed: int, code: int) -> None:
    done = flow.call("post", "/pick", "--on-error", mode, stdin=lines(4, 1))
    assert (len(errors(done.lines)), done.code) == (failed, code)


def test_what_must_not_see_a_document_twice_fails_as_a_whole(flow: Shell) -> None:
    sizes(flow)
    done = flow.call("post", "/once", stdin=lines(4, 1))
    why = f"a bad one (the whole request fails: {ONCE})"
    assert errors(done.lines) == dict.fromkeys(["d0", "d1", "d2", "d3"], why)
    assert sizes(flow) == [4]


def test_nor_is_it_called_again_after_a_death(flow: Shell) -> None:
    done = flow.call("post", "/once", stdin=lines(4, 1, word="deadly"))
    found = errors(done.lines)
    assert len(found) == 4
    assert ONCE in found["d0"]
    assert sizes(flow) == []  # the next worker


def test_in_python_it_is_asked_for(flow: Shell) -> None:
    (record,) = flow.ps()
    texts = ["a", "bad", "c"]
    with Client(record["addresses"][0]) as client:
        (whole,) = client.post("/pick", texts, continue_on_error=True, return_results=True) or []
        assert whole.is_error
        assert whole.failures == []
        (some,) = (
            client.post(
                "/pick",
                [Document(id=text, text=text) for text in texts],
                continue_on_error=True,
                return_results=True,
                failure_mode="split",
            )
            or []
        )
        assert some.docs.texts == ["A", "C"]
        assert [(each.id, each.type) for each in some.failures] == [("bad", "ValueError")]
        many = DocumentArray(
            [Document(id=str(n), text="bad" if n % 2 else "x") for n in range(300)]
        )
        (some,) = (
            client.post(
                "/pick",
                many,
                continue_on_error=True,
                return_results=True,
                request_size=300,
                failure_mode="split",
            )
            or []
        )
        assert [doc.id for doc in some.docs] == [str(n) for n in range(0, 300, 2)]
        assert [each.id for each in some.failures] == [str(n) for n in range(1, 300, 2)]


@pytest.mark.parametrize(
    "executors",
    [
        [f"Picky, {BATCHED}"],
        ["Picky, retries: {times: 1, backoff: 1}", "Upper"],
        ["Picky, name: a", "Picky, name: b, needs: gateway", "Merge, needs: [a, b]"],
        ["Picky, shards: 2, polling: ALL"],
        ["Picky, on_error: split, timeout: 60000", "Picky, name: p2"],
    ],
    ids=["batched", "retries", "join", "shards", "timeout"],
)
def test_it_works_together_with(shell: Shell, executors: list[str]) -> None:
    with shell.up(shell.flow(*executors)):
        done = shell.call("post", "/pick", "--request-size", "40", stdin=lines(100, 3, 41, 42, 99))
        assert errors(done.lines) == dict.fromkeys(["d3", "d41", "d42", "d99"], "a bad one")
        good = [line for line in done.lines if "error" not in line]
        assert [line["id"] for line in good] == [
            f"d{n}" for n in range(100) if n not in (3, 41, 42, 99)
        ]
        assert all(line["text"] == f"T{line['id'][1:]}" for line in good)
        assert done.code == 3
