"""Calls that hang, calls that are tried again, requests that go on or run out of time."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from jina import Document, Flow
from jina.defaults import RESTART_BUDGET
from tests.polling import wait_until
from tests.shell import Shell

HANG = "jina.excepts.ExecutorTimeout"


def lines(*texts: str) -> str:
    return "".join(json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts))


def test_calls_that_hang_are_ended_and_their_document_is_found(shell: Shell) -> None:
    """However often that happens: it is the Documents' fault, not their worker's."""
    flow = shell.flow("Fickle, timeout: {/hang: 200, /other: 600000}", "Hog, timeout: 200")
    with shell.up(flow) as up:
        post = ("post", "/hang", "--target", "fickle")
        done = shell.fork(*post, stdin=lines("a", "hang", "b", "hang"))
        assert done.code == 3
        assert [line["id"] for line in done.lines] == ["d0", "d1", "d2", "d3"]
        assert [line.get("tags") for line in done.lines[::2]] == [{"acted": True}] * 2
        for line, deaths in zip(done.lines[1::2], (4, 6), strict=True):
            assert line["error"] == {
                "type": HANG,
                "message": f"This Document exceeded the timeout of 0.2 s ({deaths} attempts); the "
                "Flow's log shows where it was stopped",
                "executor": "fickle",
                "endpoint": "/hang",
            }
        done = shell.fork(*post, "--text", "hang")
        assert done.lines[0]["error"]["type"] == HANG
        # The answer may come before the supervisor has told of the last death.
        told = "fickle/0 was killed by SIGKILL; restarting in 0.1 s"
        deaths = 8
        assert deaths > RESTART_BUDGET
        wait_until(lambda: up.err.count(told) == deaths, what="each death is told")
        assert up.err.count("fickle/0 exceeded its timeout of 0.2 s ") == deaths
        assert up.err.count(" in act\n") == deaths  # the stacks
        assert shell.call("post", "/other", "--target", "fickle", "--text", "x").code == 0
        # A method that never lets go of the interpreter.
        begun = f"begun={shell.folder / 'begun'}"
        done = shell.call("post", "/", "--target", "hog", "-p", begun, "--text", "x")
        assert done.lines[0]["error"]["type"] == HANG
        assert up.err.count(" in hold\n") == 2


def test_errors_are_tried_again_or_passed_over(shell: Shell) -> None:
    flow = shell.flow(
        "Fickle, name: db, retries: {times: 2, on: ConnectionError, backoff: 1}",
        "Fickle, name: extra, on_error: continue",
    )
    with shell.up(flow):
        done = shell.call("post", "/", "--target", "db", stdin=lines("busy"))
        assert (done.code, done.said) == (0, "")
        done = shell.call("post", "/", "--target", "db", stdin=lines("never"))
        assert (done.code, done.lines[0]["error"]["type"]) == (3, "ValueError")

        texts = lines("a", "never") + "bad\n"
        done = shell.call("post", "/", "--target", "extra", "--output", "out.jsonl", stdin=texts)
        assert done.code == 3
        first, second, third = map(
            json.loads, (shell.folder / "out.jsonl").read_text().splitlines()
        )
        assert (first["id"], first["text"]) == ("d0", "a")
        assert (second["id"], second["text"]) == ("d1", "never")
        assert third["error"]["type"] == "jina.excepts.BadLine"
        assert (
            "1 of 3 failed; the first: BadLine: <stdin>:3: not JSON: expecting value at byte 1\n"
            "2 of 3 went on after an error; the first: ValueError in extra: not this one\n"
            "Traceback (most recent call last):\n"
        ) in done.err
        assert done.err.endswith("ValueError: not this one\n")


def test_a_resumed_post_knows_what_went_on_before(shell: Shell) -> None:
    shell.write("in.jsonl", lines("never", "a"))
    command = ("post", "/", "--inputs", "in.jsonl", "--output", "out.jsonl", "--request-size", "1")
    with shell.up(shell.flow("Fickle, on_error: continue")):
        limited = shell.fork(*command, "--limit", "1")
        assert limited.code == 3
        progress = shell.folder / "out.jsonl.progress"
        assert not progress.exists()
        assert shell.fork(*command).code == 3


def test_a_request_fails_when_its_time_is_over(shell: Shell, tmp_path: Path) -> None:
    flow = shell.flow(f"Gate, uses_with: {{folder: {tmp_path}}}")
    with shell.up(flow):
        done = shell.fork(
            *("post", "/", "--request-size", "1", "--request-timeout", "300ms", "--quiet"),
            stdin=lines("a", "b", "c"),
        )
        assert done.code == 3
        late = {
            "type": "jina.excepts.RequestTimeout",
            "message": "The request took longer than 0.3 s",
            "executor": "",
            "endpoint": "/",
        }
        assert [line["error"] for line in done.lines] == [late] * 3
        (tmp_path / "go").touch()
        done = shell.call("post", "/", "--request-timeout", "2m", stdin=lines("d"))
        assert done.lines[0]["text"] == "passed"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--request-timeout", "0", "must be at least 0.001 s"),
        ("--request-timeout", "soon", "'soon' is not a duration, such as 30s, 500ms, 2m or 1h"),
        ("--request-timeout", "1 week", "'1 week' is not a duration, such as 30s, 500ms, 2m or 1h"),
        ("--timeout", "50ms", "must be at least 0.1 s"),
        ("--timeout", "-1", "'-1' is not a duration, such as 30s, 500ms, 2m or 1h"),
    ],
)
def test_what_is_no_duration_is_wrong_usage(
    shell: Shell, option: str, value: str, message: str
) -> None:
    done = shell.call("post", "/", option, value)
    assert done.code == 2
    assert done.err == f"error: {option}: {message}\nhelp: see `jina post --help`\n"


def test_a_stopped_worker_is_replaced_where_there_is_a_timeout(shell: Shell) -> None:
    """It has not begun the request, so nobody is charged with it."""
    with shell.up(shell.flow("Upper, timeout: 500")) as up:
        worker = shell.workers()["upper/0"]
        os.kill(worker, signal.SIGSTOP)
        done = shell.call("post", "/", stdin=lines("a", "b"))
        assert (done.code, [line["text"] for line in done.lines]) == (0, ["A", "B"])
        wait_until(lambda: "upper/0 was killed by SIGKILL; restarting" in up.err)
        assert shell.workers()["upper/0"] != worker


def test_a_stopped_worker_is_waited_for_where_there_is_none(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")) as up:
        worker = shell.workers()["upper/0"]
        os.kill(worker, signal.SIGSTOP)
        done = shell.call("post", "/", "--request-timeout", "300ms", stdin=lines("a"))
        assert done.lines[0]["error"]["type"] == "jina.excepts.RequestTimeout"
        os.kill(worker, signal.SIGCONT)
        assert shell.call("post", "/", stdin=lines("b")).lines[0]["text"] == "B"
        assert shell.workers()["upper/0"] == worker
        assert "killed" not in up.err


def test_a_post_shows_where_its_time_went(shell: Shell) -> None:
    with shell.up(shell.flow("Slow, name: s", "Upper, name: u")):
        done = shell.call("post", "/", "--timing", "--request-size", "2", stdin=lines(*"abcde"))
    assert done.code == 0
    title, head, *rows = done.said.splitlines()
    assert title == "Times in ms, of single calls:"
    assert " ".join(head.split()) == "node calls Documents waiting p50 p99 running p50 p99"
    cells = [row.split() for row in rows]
    assert [row[:3] for row in cells] == [["s", "3", "5"], ["u", "3", "5"]]
    assert float(cells[0][5]) >= 19  # it sleeps for 20 ms


def test_a_response_tells_its_way(runtime_dir: Path) -> None:
    zoo = str(Path(__file__).parent / "zoo.py")
    flow = (
        Flow()
        .add(name="a", uses={"jtype": "Fickle", "py_modules": zoo}, replicas=2)
        .add(name="b", uses={"jtype": "Fickle", "py_modules": zoo}, on_error="continue")
    )
    with flow:
        seen: list[str] = []
        (response,) = (
            flow.post(
                "/",
                Document(text="x"),
                on_done=lambda done: seen.append("done"),
                return_results=True,
                timing=True,
            )
            or ()
        )
        gateway, a, b = response.routes
        assert (gateway.pod, a.pod, b.pod) == ("gateway", "a", "b")
        assert a.pod_id in ("a/0", "a/1")
        times = [gateway.start_time, a.start_time, a.end_time, b.start_time, b.end_time]
        assert [*times, gateway.end_time] == sorted([*times, gateway.end_time])
        assert a.start_time.ToDatetime() == a.start_time.replace(tzinfo=None)
        assert a.start_time.seconds + a.start_time.nanos / 1e9 == a.start_time.timestamp()
        assert {route.status.code for route in response.routes} == {0}

        for timing in (False, True):
            (response,) = (
                flow.post(
                    "/",
                    [Document(text="never")],
                    on_done=lambda done: seen.append("on"),
                    target_peapod="b",
                    return_results=True,
                    timing=timing,
                )
                or ()
            )
            assert (response.is_error, response.status.code) == (False, 0)
            assert response.status.description == "went on after ValueError in b: not this one"
            gateway, b = response.routes
            assert (gateway.pod, b.pod, b.status.code) == ("gateway", "b", 3)
            assert b.status.description == "ValueError: not this one"
            assert b.status.exception.name == "ValueError"
            assert (b.start_time is not None) is timing
            assert response.docs[0].text == "never"
        assert seen == ["done", "on", "on"]

        responses = flow.post(
            "/", Document(text="never"), return_results=True, continue_on_error=True, timing=True
        )
        assert responses is not None
        gateway, a = responses[0].routes
        assert (gateway.status.code, a.status.code) == (3, 3)
