"""`Client.post_files` writes results to a file, and the same call resumes after a kill -9."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jina import Client
from jina.client.resume import Journal, Place, find_place, identity_of
from jina.excepts import BadClientInput, InputError, OutputError, WireError
from jina.readers import ReadOptions
from tests.polling import wait_until
from tests.shell import Running, Shell, json_lines

LINES = 20_000
BROKEN = (17, 9_000, 19_999)  # lines that are no JSON
POST = """
import sys
from jina import Client
print(*Client(sys.argv[1]).post_files("/moody", "many.jsonl", "out.jsonl"))
"""


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow that serves /moody, and many lines."""
    lines = json_lines(LINES).splitlines(keepends=True)
    for number in BROKEN:
        lines[number] = "no JSON\n"
    lines[100] = lines[12_345] = "\n"  # blank lines count, and have no outcome
    shared_shell.write("many.jsonl", "".join(lines))
    with shared_shell.up(shared_shell.flow("Moody, replicas: 2")):
        yield shared_shell


@pytest.fixture(scope="module")
def address(flow: Shell) -> str:
    return str(flow.ps()[0]["addresses"][0])


@pytest.fixture
def here(flow: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Flow's folder, without results, as the current one: relative names have a meaning."""
    for name in ("out.jsonl", "out.jsonl.progress"):
        (flow.folder / name).unlink(missing_ok=True)
    monkeypatch.chdir(flow.folder)
    return flow.folder


@pytest.fixture(scope="module")
def whole(flow: Shell) -> bytes:
    """What `jina post` writes if nobody stops it."""
    post = ("post", "/moody", "--inputs", "many.jsonl", "--output", "whole.jsonl")
    assert flow.fork(*post).code == 3
    return (flow.folder / "whole.jsonl").read_bytes()


def noted(folder: Path) -> dict[str, int]:
    """How far the progress file says that the post has come."""
    try:
        place: dict[str, int] = json.loads(
            (folder / "out.jsonl.progress").read_bytes().splitlines()[1]
        )
    except FileNotFoundError:
        return {"size": 0, "outcomes": 0}
    return place


def is_due(folder: Path, enough: int, post: Running) -> bool:
    """Whether so many bytes are noted, or the post is through."""
    return noted(folder)["size"] >= enough or post.process.poll() is not None


def killed(shell: Shell, size: int, *arguments: str, program: tuple[str, ...]) -> int:
    """Kill a post -9 once the results have so many bytes more; the outcomes that it leaves."""
    for _ in range(10):
        enough = noted(shell.folder)["size"] + size
        with shell.start(*arguments, program=program) as post:
            wait_until(partial(is_due, shell.folder, enough, post))
            post.end(signal.SIGKILL)
        if found := noted(shell.folder)["outcomes"]:
            return found
        (shell.folder / "out.jsonl").unlink()  # it was through before the signal came
    raise AssertionError("it is never killed in the middle")


def killed_in_python(shell: Shell, address: str, size: int) -> int:
    return killed(shell, size, "-c", POST, address, program=(sys.executable,))


def test_a_killed_post_is_resumed_by_the_same_call(
    flow: Shell, address: str, here: Path, whole: bytes
) -> None:
    killed_in_python(flow, address, len(whole) // 8)
    outcomes = killed_in_python(flow, address, len(whole) // 8)
    with Client(address) as client:
        done = client.post_files("/moody", "many.jsonl", "out.jsonl")
    assert done == (LINES - 2, len(BROKEN), outcomes, 0)
    assert Path("out.jsonl").read_bytes() == whole
    assert not Path("out.jsonl.progress").exists()


def test_the_command_resumes_what_a_program_began(
    flow: Shell, address: str, here: Path, whole: bytes
) -> None:
    outcomes = killed_in_python(flow, address, 1)
    done = flow.call("post", "/moody", "--inputs", "many.jsonl", "--output", "out.jsonl")
    assert done.code == 3
    assert done.err.startswith(f"Resuming after {outcomes:,} results in out.jsonl\n")
    assert Path("out.jsonl").read_bytes() == whole


def test_a_program_resumes_what_the_command_began(
    flow: Shell, address: str, here: Path, whole: bytes
) -> None:
    post = ("post", "moody", "--inputs", "many.jsonl", "--output", "out.jsonl")
    outcomes = killed(flow, 1, *post[1:], program=(*_jina(), post[0]))
    with Client(address) as client:
        done = client.post_files("moody", [Path("many.jsonl")], Path("out.jsonl"), request_size=70)
    assert done.resumed == outcomes
    assert Path("out.jsonl").read_bytes() == whole


def test_the_name_of_the_output_says_the_format(address: str, here: Path) -> None:
    with Client(address) as client:
        post = partial(client.post_files, "/moody", "many.jsonl")
        done = post("out.csv", select=["tags.none", "text"])
        with Path("out.csv").open(newline="") as file:
            head, *rows = csv.reader(file)
        assert (head, len(rows)) == (["tags.none", "text", "error"], done.outcomes)
        assert sum(bool(row[2]) for row in rows) == done.failed == len(BROKEN)
        Path("out.csv").unlink()
        with pytest.raises(InputError, match="is not a known format for results"):
            post("out.xlsx")
        with pytest.raises(BadClientInput, match="Documents have no field"):
            post("out.jsonl", exclude="txt")
    assert not Path("out.jsonl").exists()


def _jina() -> tuple[str, ...]:
    return (sys.executable, "-m", "jinacli")


def test_another_post_does_not_overwrite_what_is_unfinished(
    flow: Shell, address: str, here: Path, whole: bytes
) -> None:
    killed_in_python(flow, address, 1)
    before = Path("out.jsonl").read_bytes()
    changes: list[dict[str, Any]] = [{"parameters": {"a": 1}}, {"tensors": "base64"}]
    with Client(address) as client:
        for change in changes:
            with pytest.raises(InputError, match="has the results of another"):
                client.post_files("/moody", "many.jsonl", "out.jsonl", **change)
        assert Path("out.jsonl").read_bytes() == before
        done = client.post_files("/moody", "many.jsonl", "out.jsonl", restart=True)
    assert done.resumed == 0
    assert Path("out.jsonl").read_bytes() == whole


def test_a_post_that_cannot_begin_leaves_the_output_as_it_was(address: str, here: Path) -> None:
    Path("out.jsonl").write_text("precious\n")
    wrong: list[dict[str, Any]] = [
        {"target_peapod": "("},
        {"target_peapod": "nobody"},
        {"request_size": -1},
        {"request_size": 10_001},
        {"request_size": "9"},
        {"tensors": "lists"},
        {"format": "yaml"},
        {"parameters": 3},
    ]
    with Client(address) as client:
        for options in wrong:
            with pytest.raises(BadClientInput):
                client.post_files("/moody", "many.jsonl", "out.jsonl", restart=True, **options)
        with pytest.raises(BadClientInput, match="does not name a file"):
            client.post_files("/moody", [], "out.jsonl", restart=True)
        bad = {"a": object()}
        with pytest.raises(WireError, match="parameters that cannot be carried"):
            client.post_files("/moody", "many.jsonl", "out.jsonl", parameters=bad, restart=True)
        with pytest.raises(InputError, match="an input, so the results cannot be written to it"):
            client.post_files("/moody", "out.jsonl", "out.jsonl", restart=True)
        with pytest.raises(InputError, match="it already has content"):
            client.post_files("/moody", "many.jsonl", "out.jsonl")
    assert Path("out.jsonl").read_text() == "precious\n"


def test_beginning_anew_from_a_pipe_forgets_how_far_an_earlier_post_came(
    flow: Shell, address: str, here: Path
) -> None:
    killed_in_python(flow, address, 1)
    reading, writing = os.pipe()
    os.write(writing, b'{"id": "a", "text": "new"}\n')
    os.close(writing)
    with Client(address) as client:
        done = client.post_files("/moody", f"/dev/fd/{reading}", "out.jsonl", restart=True)
    os.close(reading)
    assert done == (1, 0, 0, 0)
    assert not Path("out.jsonl.progress").exists()


def test_parameters_may_have_numbers_for_keys() -> None:
    words = identity_of([], ReadOptions(), parameters={"boost": {2: 0.5, 1: 1}})
    assert words is not None
    assert words["parameters"] == '{"boost":{"1":1,"2":0.5}}'


def test_columns_are_read_under_other_names(address: str, here: Path) -> None:
    Path("faq.csv").write_text("question,answer\nWhat?,That\n")
    with Client(address) as client:
        done = client.post_files(
            "/moody", "faq.csv", "out.jsonl", field_resolver={"question": "text"}
        )
    assert done == (1, 0, 0, 0)
    (line,) = map(json.loads, Path("out.jsonl").read_text().splitlines())
    assert line["text"] == "WHAT?"


def test_inputs_that_cannot_be_read_twice_have_no_identity(tmp_path: Path) -> None:
    fifo, file = tmp_path / "fifo", tmp_path / "a.jsonl"
    os.mkfifo(fifo)
    file.write_text("{}\n")
    assert identity_of([str(file), str(fifo)], ReadOptions()) is None
    identity = identity_of([str(file)], ReadOptions(), target="x" * 100, parameters={"b": 1})
    assert identity is not None
    assert identity["parameters"] == '{"b":1}'
    assert len(identity["target"]) == 16
    assert identity["inputs"].endswith("(3 bytes)")


def test_a_progress_file_is_these_bytes(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_bytes(b"x" * 7)
    journal = Journal(str(output), {"endpoint": "/index"}, Place())
    journal.note(Place(lines=12, size=7, outcomes=11, failed=2, went_on=3))
    journal.close()
    assert Path(f"{output}.progress").read_bytes() == (
        b'{"schema":"jina/progress/v1","post":{"endpoint":"/index"}}\n'
        b'{"lines":             12,"size":              7,"outcomes":             11,'
        b'"failed":              2,"went_on":              3,"errors":              0}\n'
    )
    place = find_place(str(output), {"endpoint": "/index"}, None)
    assert place == Place(lines=12, size=7, outcomes=11, failed=2, went_on=3)


def test_a_journal_that_is_finished_or_empty_leaves_nothing(tmp_path: Path) -> None:
    output = str(tmp_path / "out.jsonl")
    for place, is_finished in ((Place(), False), (Place(lines=1), True)):
        journal = Journal(output, {}, place)
        if is_finished:
            journal.finish()
        journal.close()
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError):
        Journal(str(tmp_path / "missing" / "out.jsonl"), {}, Place())
