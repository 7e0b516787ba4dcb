"""A post to a file that was stopped, whatever stopped it: the same command finishes the job."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.polling import wait_until
from tests.readers.pages import CERTIFICATE, served
from tests.shell import JINA, Shell, json_lines

LINES = 20_000
POST = ("post", "/moody", "--inputs", "many.jsonl", "--output", "out.jsonl")
BROKEN = (17, 9_000, 19_999)  # lines that are no JSON


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow that serves /moody, and many lines."""
    lines = json_lines(LINES).splitlines(keepends=True)
    for number in BROKEN:
        lines[number] = "no JSON\n"
    lines[100] = lines[12_345] = "\n"  # blank lines count, and have no outcome
    lines[101] = '{"text": "no id"}\n'
    shared_shell.write("many.jsonl", "".join(lines))
    with shared_shell.up(shared_shell.flow("Moody, replicas: 2")):
        yield shared_shell


@pytest.fixture
def out(flow: Shell) -> Iterator[Path]:
    """Where the results go."""
    path = flow.folder / "out.jsonl"
    yield path
    for each in (path, progress_of(path)):
        each.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def whole(flow: Shell) -> bytes:
    """What a run that nobody stops writes."""
    done = flow.call(*POST[:-1], "whole.jsonl")
    assert done.code == 3
    return (flow.folder / "whole.jsonl").read_bytes()


def progress_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.progress")


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def stopped(flow: Shell, out: Path, signum: int, size: int = 1, *options: str) -> str:
    """Run the post and signal it once so many bytes are written; what it said."""
    with flow.start(*POST, *options) as post:
        wait_until(lambda: noted_in(out) >= size or post.process.poll() is not None)
        return post.end(signum).err


def noted_in(out: Path) -> int:
    """Bytes of results that the progress file tells of."""
    try:
        place: dict[str, int] = json.loads(progress_of(out).read_bytes().splitlines()[1])
    except FileNotFoundError:
        return 0
    return place["size"]


def test_a_killed_post_is_finished_by_the_same_command(
    flow: Shell, out: Path, whole: bytes
) -> None:
    """Killed -9 several times at random places; every line has its one outcome in its place."""
    chance = random.Random(8)
    kills = 0
    for _ in range(20):
        size = size_of(out) + chance.randrange(1, len(whole) // 8)
        stopped(flow, out, signal.SIGKILL, size)
        if progress_of(out).exists():
            kills += 1
        else:  # on a busy machine it may be through before the signal: from the beginning
            kills = 0
            out.unlink()
        if kills == 4:
            break
    assert kills == 4
    place = json.loads(progress_of(out).read_bytes().splitlines()[1])
    before, failed = place["outcomes"], place["failed"]
    done = flow.call(*POST)
    assert done.code == 3  # a line of the first run was no JSON
    assert done.err.startswith(f"Resuming after {before:,} results in out.jsonl\n")
    assert done.err.splitlines()[1].endswith(f"; out.jsonl now holds {LINES - 2:,}")
    told = f"{len(BROKEN)} of {LINES - 2:,} failed, {failed} of them in an earlier run"
    if failed < len(BROKEN):
        told += "; the first of this run: BadLine: many.jsonl:"
    assert done.err.splitlines()[2].startswith(told)
    assert out.read_bytes() == whole
    assert not progress_of(out).exists()


def test_a_killed_post_of_a_page_is_finished_by_the_same_command(
    flow: Shell, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(flow.environment, "SSL_CERT_FILE", str(CERTIFICATE))
    with served() as server:
        server.files["many.jsonl"] = (flow.folder / "many.jsonl").read_bytes()
        words = ["post", "/moody", "--inputs", server.url("half/many.jsonl"), "--output"]
        assert flow.run(*words, "page.jsonl").code == 3
        with flow.start(*words, out.name) as post:
            wait_until(lambda: noted_in(out) > 0 or post.process.poll() is not None)
            post.end(signal.SIGKILL)
        done = flow.run(*words, out.name)
    assert (done.code, "now holds" in done.err or "already complete" in done.err) == (3, True)
    assert out.read_bytes() == (flow.folder / "page.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_says_that_one_can_go_on(
    flow: Shell, out: Path, whole: bytes, signum: int, code: int
) -> None:
    with flow.start(*POST) as post:
        wait_until(lambda: size_of(out) > 0)
        done = post.end(signum)
    assert done.code == code
    assert "written before the interruption; rerun the same command to resume\n" in done.err
    assert flow.call(*POST, "--quiet").code == 3
    assert out.read_bytes() == whole


@pytest.mark.parametrize("tail", [b"", b'{"id": "torn', b"\0" * 5000])
def test_what_was_written_after_the_last_whole_request_is_cut(
    flow: Shell, out: Path, whole: bytes, tail: bytes
) -> None:
    stopped(flow, out, signal.SIGKILL)
    with out.open("ab") as file:
        file.write(tail)
    assert flow.call(*POST).code == 3
    assert out.read_bytes() == whole


def test_the_size_of_requests_may_change_and_the_limit_too(
    flow: Shell, out: Path, whole: bytes
) -> None:
    stopped(flow, out, signal.SIGKILL, 1, "--request-size", "70")
    done = flow.call(*POST, "--request-size", "33", "--limit", "15000")
    assert done.code == 3
    assert whole.startswith(out.read_bytes())
    assert len(out.read_bytes().splitlines()) == 15_000 - 2


def test_a_limit_below_what_has_its_outcomes_changes_nothing(
    flow: Shell, out: Path, whole: bytes
) -> None:
    stopped(flow, out, signal.SIGKILL)
    before, progress = out.read_bytes(), progress_of(out).read_bytes()
    lines = json.loads(progress.splitlines()[1])["lines"]
    done = flow.call(*POST, "--limit", "5")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: out.jsonl: already has the results of {lines} lines of this post, more than "
        "--limit 5\nhelp: continue without --limit or with a larger one, write to another file, "
        "or start over with --restart\n"
    )
    assert (out.read_bytes(), progress_of(out).read_bytes()) == (before, progress)
    done = flow.call(*POST)
    assert done.err.startswith("Resuming after ")
    assert out.read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--target", "mo"), "\n  target:  then, mo now\n"),
        (("-p", "a=1"), '\n  parameters: {} then, {"a":1} now\n'),
        (("--tensors", "base64"), "\n  tensors: list then, base64 now\n"),
        (("--inputs", "other.jsonl"), "\n  inputs: "),
        (("--text", "x"), ""),
    ],
)
def test_another_post_does_not_overwrite_what_is_unfinished(
    flow: Shell, out: Path, whole: bytes, change: tuple[str, ...], words: str
) -> None:
    flow.write("other.jsonl", json_lines(5))
    stopped(flow, out, signal.SIGKILL)
    before = out.read_bytes()
    arguments = POST if "--text" not in change else ("post", "/moody", "--output", "out.jsonl")
    done = flow.call(*arguments, *change)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: out.jsonl: has the results of ")
    assert words in done.err
    assert done.err.endswith("help: write to another file, or start over with --restart\n")
    assert out.read_bytes() == before
    assert flow.call(*arguments, *change, "--restart").code in (0, 3)
    assert not progress_of(out).exists()
    assert out.read_bytes() != before


def test_inputs_that_have_changed_are_another_post(flow: Shell, out: Path) -> None:
    path = flow.write("grows.jsonl", json_lines(LINES))
    post = ("post", "/moody", "--inputs", "grows.jsonl", "--output", "out.jsonl")
    with flow.start(*post) as running:
        wait_until(lambda: noted_in(out) > 0)
        running.end(signal.SIGKILL)
    with path.open("a") as file:
        file.write(json_lines(1))
    done = flow.call(*post)
    assert done.code == 2
    assert f"({path.stat().st_size} bytes) now\n" in done.err


@pytest.mark.parametrize("form", ["csv", "npy"])
def test_every_format_is_gone_on_with(flow: Shell, out: Path, form: str) -> None:
    path = flow.folder / f"many.{form}"
    if form == "csv":
        path.write_text("text\n" + "".join(f'"line\n{n}"\n' for n in range(20_000)))
    else:
        np.save(path, np.arange(60_000, dtype=np.float32).reshape(20_000, 3))
    post = ("post", "/moody", "--inputs", path.name, "--output")
    assert flow.call(*post, "whole.out", "--restart").code == 0
    with flow.start(*post, "out.jsonl") as running:
        wait_until(lambda: noted_in(out) > 0)
        running.end(signal.SIGKILL)
    done = flow.call(*post, "out.jsonl")
    assert done.code == 0
    assert done.err.startswith("Resuming after ")
    assert out.read_bytes() == (flow.folder / "whole.out").read_bytes()


def test_results_that_are_shorter_than_they_were_are_not_gone_on_with(
    flow: Shell, out: Path
) -> None:
    stopped(flow, out, signal.SIGKILL)
    os.truncate(out, 10)
    done = flow.call(*POST)
    assert done.code == 2
    assert "error: out.jsonl.progress: records " in done.err
    out.unlink()  # nothing is left to be lost
    assert flow.call(*POST).code == 3


@pytest.mark.parametrize("content", [b"", b"no JSON\n", b'{"schema": "x"}\n{}\n', b"{}\n\0\0\0"])
def test_a_damaged_progress_file_is_told(flow: Shell, out: Path, content: bytes) -> None:
    out.write_bytes(b"precious")
    progress_of(out).write_bytes(content)
    done = flow.call(*POST)
    assert done.code == 2
    assert done.err.startswith("error: out.jsonl.progress: is damaged\n")
    assert out.read_bytes() == b"precious"


def test_a_file_has_one_writer(flow: Shell, out: Path, whole: bytes) -> None:
    with flow.start(*POST) as post:
        wait_until(lambda: size_of(out) > 0)
        post.process.send_signal(signal.SIGSTOP)
        done = flow.call(*POST)
        assert done.code == 2
        assert "error: out.jsonl: another `jina post` is writing to it\n" in done.err
        post.process.send_signal(signal.SIGCONT)
        assert post.end().code == 3
    assert out.read_bytes() == whole


def test_a_full_disk_is_gone_on_with_when_there_is_room_again(
    flow: Shell, out: Path, whole: bytes
) -> None:
    limit = f"ulimit -f 512; exec {JINA} {' '.join(POST)}"  # of 512 or 1024 bytes each
    with flow.start("-c", limit, program=("sh",)) as post:
        done = post.end()
    assert done.code == 1, done.err
    assert "before this; rerun the same command to resume:\n" in done.err
    assert done.err.endswith("error: out.jsonl: cannot be written: File too large\n")
    assert flow.call(*POST).code == 3
    assert out.read_bytes() == whole


def test_what_cannot_be_read_twice_leaves_no_progress(flow: Shell, out: Path) -> None:
    assert flow.call("post", "/moody", "--output", "out.jsonl", stdin=json_lines(5)).code == 0
    assert not progress_of(out).exists()
    out.unlink()
    with flow.start("post", "/moody", "--output", "out.jsonl", stdin=-1) as post:
        post.tell(json_lines(200).encode())
        wait_until(lambda: out.exists() and out.read_bytes().count(b"\n") == 200)
        assert post.end(signal.SIGINT).err.startswith("200 results were written before the ")
    assert not progress_of(out).exists()


def test_where_no_progress_can_be_written_the_post_does_without(flow: Shell) -> None:
    folder = flow.folder / "no room"
    folder.mkdir()
    (folder / "out.jsonl.progress.new").mkdir()  # in the way, for the superuser too
    done = flow.call("post", "/moody", "-i", "many.jsonl", "--output", "no room/out.jsonl")
    assert done.code == 3
    assert done.err.startswith(
        "note: no room/out.jsonl.progress: cannot be written: Is a directory; "
        "if this post is interrupted, it cannot be resumed\n"
    )
    assert len((folder / "out.jsonl").read_bytes().splitlines()) == LINES - 2


def test_standard_output_under_another_name_leaves_nothing(flow: Shell, out: Path) -> None:
    with out.open("wb") as file, flow.start(*POST[:-1], "/dev/stdout", stdout=file) as post:
        assert post.process.wait(60) == 3
        assert ".progress" not in post.err
    assert len(out.read_bytes().splitlines()) == LINES - 2


def test_restart_is_about_a_file(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--restart")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --restart: needs --output\n")


def test_a_killed_flow_is_gone_on_with(shell: Shell) -> None:
    """The supervisor is killed -9 in the middle of a post."""
    shell.flow("Slow")
    shell.write("many.jsonl", json_lines(5_000))
    post = ("post", "/", "--inputs", "many.jsonl", "--output", "out.jsonl")
    out = shell.folder / "out.jsonl"
    with shell.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        with shell.start(*post) as running:
            wait_until(lambda: size_of(out) > 0)
            os.kill(up.pid, signal.SIGKILL)
            done = running.end()
        up.end()
    assert done.code == 4
    assert "written before this; rerun the same command to resume:\nerror: ipc://" in done.err
    with shell.up("flow.yml"):
        assert shell.fork(*post).code == 0
    texts = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert texts == [f"d{n}" for n in range(5_000)]


def test_an_input_that_can_be_opened_and_not_read_is_named(flow: Shell, out: Path) -> None:
    """Nothing is mapped at the beginning of a process's memory."""
    done = flow.call("post", "/moody", "--inputs", "/proc/self/mem", "--output", out.name)
    assert done.code == 2
    assert "error: /proc/self/mem: cannot be read: Input/output error" in done.err
    assert "Traceback" not in done.err
