"""`jina post --output`: the name says the format; some are resumed, others whole or not there."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.polling import wait_until
from tests.shell import Shell, json_lines

LINES = 20_000


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow of a Status and a Moody, and many lines, one of them broken."""
    shared_shell.write("many.jsonl", json_lines(LINES - 1) + "no JSON\n")
    shared_shell.write("few.jsonl", json_lines(3) + "no JSON\n")
    with shared_shell.up(shared_shell.flow("Status", "Moody")):
        yield shared_shell


def read(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "tsv"])
def test_every_format_can_be_posted_again(flow: Shell, ending: str) -> None:
    for name in (f"again.{ending}", f"again.{ending}.gz"):
        done = flow.call("post", "/moody", "-i", "few.jsonl", "-o", name)
        assert done.code == 3
        again = flow.call("post", "/index", "-i", name)
        texts = [line["text"] for line in again.lines[:-1]]
        assert texts == ["LINE 0", "LINE 1", "LINE 2"]
        assert "few.jsonl:4: not JSON" in json.dumps(again.lines[-1])
        assert not list(flow.folder.glob("*.part"))


def test_a_table_has_a_column_of_errors(flow: Shell) -> None:
    done = flow.call("post", "/moody", "-i", "few.jsonl", "-o", "few.csv")
    assert done.code == 3
    head, *rows = read(flow.folder / "few.csv").splitlines()
    assert head == "id,mime_type,text,error"
    assert rows[0] == "d0,text/plain,LINE 0,"
    assert rows[3].endswith(",,,BadLine: few.jsonl:4: not JSON: expecting value at byte 1")
    done = flow.call("post", "/moody", "-i", "few.jsonl", "--output-format", "csv")
    assert done.out == read(flow.folder / "few.csv")


def test_embeddings_become_an_array(flow: Shell) -> None:
    done = flow.call("post", "/vectors", "-i", "few.jsonl", "-o", "few.npy")
    assert done.code == 3
    assert "there is a row of NaN for each of these Documents: 1 failed\n" in done.err
    array = np.load(flow.folder / "few.npy")
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, [[1.5, -2]] * 3 + [[np.nan] * 2])
    flow.write("old.npy", "old")
    done = flow.call("post", "/moody", "-i", "few.jsonl", "-o", "old.npy", "--restart")
    assert (done.code, done.out) == (1, "")
    assert "error: no result has an embedding, so there is no array to write\n" in done.err
    assert read(flow.folder / "old.npy") == "old"


def test_parquet_has_the_types_of_the_values(flow: Shell) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `columnar`")
    flow.write("tags.jsonl", '{"id": "a", "tags": {"n": 1, "any": "x"}}\n{"id": "b", "any": 2}\n')
    assert flow.call("post", "/vectors", "-i", "tags.jsonl", "-o", "tags.parquet").code == 0
    rows = parquet.read_table(flow.folder / "tags.parquet").to_pylist()
    assert rows == [
        {"id": "a", "embedding": [1.5, -2.0], "tags.n": 1, "tags.any": '"x"'},
        {"id": "b", "embedding": [1.5, -2.0], "tags.n": None, "tags.any": "2"},
    ]
    again = flow.call("post", "/index", "-i", "tags.parquet")
    assert [line["tags"] for line in again.lines] == [{"n": 1, "any": "x"}, {"any": 2}]
    done = flow.run("post", "/vectors", "-i", "tags.jsonl", "-o", "t.pq", PYTHONPATH=_without(flow))
    assert done.code == 1
    assert done.err.endswith("help: pip install 'jinacli[columnar]'\n")


def _without(flow: Shell) -> str:
    """A folder for PYTHONPATH from where pyarrow cannot be found."""
    folder = flow.folder / "without"
    folder.mkdir()
    code = "import sys\nsys.modules['pyarrow'] = None\n"
    (folder / "sitecustomize.py").write_text(code)
    return str(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("-o", "a.xlsx"),
            "error: a.xlsx: .xlsx is not a known format for results\nhelp: known endings: ",
        ),
        (("-o", "a.parquet.gz"), "error: a.parquet.gz: Parquet is compressed already\n"),
        (("--output-format", "npy"), "error: <stdout>: npy cannot be written to a pipe or device"),
    ],
)
def test_a_name_that_cannot_be_is_refused_before_anything(
    flow: Shell, options: tuple[str, ...], message: str
) -> None:
    done = flow.call("post", "/moody", "-i", "few.jsonl", "--flow", "no-such-flow", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)
    assert not list(flow.folder.glob("a.*"))


def test_a_format_may_have_any_name(flow: Shell) -> None:
    for ending in (".xlsx", ".out", ""):
        options = ("--output-format", "jsonl") if ending == ".xlsx" else ()
        flow.call("post", "/moody", "-i", "few.jsonl", "-o", f"any{ending}", *options)
        assert json.loads(read(flow.folder / f"any{ending}").splitlines()[0])["id"] == "d0"


@pytest.mark.parametrize("name", ["out.csv", "out.tsv.gz", "out.jsonl.gz", "out.txt"])
def test_a_killed_post_is_resumed(flow: Shell, name: str) -> None:
    out, progress = flow.folder / name, flow.folder / f"{name}.progress"
    post = ("post", "/moody", "--inputs", "many.jsonl", "--output")
    with flow.start(*post, name) as running:
        wait_until(lambda: progress.exists() and b'"size":              0' not in _last(progress))
        running.end(signal.SIGKILL)
    assert progress.exists()
    with out.open("ab") as file:
        file.write(b'half "a row')
    done = flow.call(*post, name)
    assert done.code == 3
    assert done.err.startswith("Resuming after ")
    assert not progress.exists()
    assert flow.call(*post, f"whole-{name}").code == 3
    assert read(out) == read(flow.folder / f"whole-{name}")
    out.unlink()


def _last(progress: Path) -> bytes:
    return progress.read_bytes().splitlines()[-1]


@pytest.mark.parametrize("name", ["out.json", "out.json.gz", "out.npy", "out.parquet"])
def test_a_half_written_file_never_looks_finished(flow: Shell, name: str) -> None:
    if name == "out.parquet":
        pytest.importorskip("pyarrow", reason="the extra `columnar`")
    out, part = flow.write(name, "precious"), flow.folder / f"{name}.part"
    post = ("post", "/vectors", "--inputs", "many.jsonl", "--output", name, "--restart")
    with flow.start(*post) as running:
        wait_until(lambda: part.exists() and part.stat().st_size)
        assert read(flow.write("copy", out.read_bytes())) == "precious"
        assert f"{name} was not written: " in running.end(signal.SIGINT).err
    assert not part.exists()
    with flow.start(*post) as running:
        wait_until(lambda: part.exists() and part.stat().st_size)
        running.process.send_signal(signal.SIGSTOP)
        done = flow.call(*post)
        assert (done.code, part.exists()) == (2, True)
        assert f"error: {name}: another `jina post` is writing to it\n" in done.err
        os.kill(running.pid, signal.SIGKILL)
    assert out.read_bytes() == b"precious"
    out.chmod(0o640)
    done = flow.call(*post)
    assert done.code == 3
    assert (out.read_bytes() != b"precious", out.stat().st_mode & 0o777) == (True, 0o640)
    assert not part.exists()
    assert not (flow.folder / f"{name}.progress").exists()
    out.unlink()


@pytest.mark.parametrize("name", ["out.json", "out.jsonl"])
def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_typed(
    flow: Shell, name: str
) -> None:
    done = flow.call("post", "/vectors", "--text", "a", "--output", f"none/{name}")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: none/{name}: cannot be written: No such file or directory\n"


def test_fields_are_selected_before_they_are_sent(flow: Shell) -> None:
    flow.write("rich.jsonl", '{"id": "a", "text": "x", "tags": {"b": 1, "c": {"d": 2}}, "e": 3}\n')
    post = ("post", "/vectors", "-i", "rich.jsonl")
    expected = {"id": "a", "text": "x", "tags": {"b": 1, "c": {"d": 2}, "e": 3}}
    vector = {"embedding": [1.5, -2.0]}
    for options, fields in [
        (("--select", "id,embedding"), {"id": "a", **vector}),
        (
            ("--select", "text,tags.e", "--select", "tags.b"),
            {"text": "x", "tags": {"e": 3, "b": 1}},
        ),
        (("--select", "tags"), {"tags": expected["tags"]}),
        (("--exclude", "embedding"), expected),
        (("--exclude", "content, tags.b"), {"id": "a", "tags": {"c": {"d": 2}, "e": 3}, **vector}),
        (("--exclude", "id,text,tags"), vector),
    ]:
        done = flow.call(*post, *options)
        assert done.lines == [{**fields}]
    assert flow.call(*post, "--select", "text,tags.e", "--output-format", "csv").out == (
        "text,tags.e,error\nx,3,\n"
    )
    # Those that nobody serves are written here.
    unserved = ("post", "/none", "-i", "rich.jsonl", "--allow-unserved", "--select", "id,tags.e")
    assert flow.call(*unserved).lines == [{"id": "a", "tags": {"e": 3}}]


def test_results_that_mostly_are_the_input_are_told(flow: Shell) -> None:
    rows = [{"id": f"d{n}", "buffer": "aGk9" * 250_000, "tags": {"n": n}} for n in range(12)]
    flow.write("large.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    post = ("post", "/vectors", "-i", "large.jsonl", "-o", "large.out", "--restart")
    note = (
        "note: 100 % of the output is buffer, just as in the input; to leave it out, use "
        "--exclude buffer\n"
    )
    assert note in flow.call(*post).err
    for options in (("--exclude", "buffer"), ("--select", "id,buffer"), ("--limit", "8"), ("-q",)):
        assert "of the output" not in flow.call(*post, *options).err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--select", "embeding"),
            'Documents have no field "embeding"\nhelp: did you mean ',
        ),
        (
            ("--select", "id,matches.id"),
            'no field "matches.id"\nhelp: write "matches": only tags have parts that can be named',
        ),
        (("--select", "id", "--exclude", "text"), "use --select or --exclude, not both\n"),
        (
            ("--exclude", "embedding", "-o", "a.npy"),
            "needs the field `embedding`, and --exclude leaves it out\n",
        ),
    ],
)
def test_fields_that_cannot_be_selected(
    flow: Shell, options: tuple[str, ...], message: str
) -> None:
    done = flow.call("post", "/vectors", "-i", "few.jsonl", *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_whole_file_of_a_post_that_gave_up_is_not_there(flow: Shell) -> None:
    done = flow.call("post", "/moody", "-i", "few.jsonl", "-o", "gave-up.json", "--fail-fast")
    assert done.code == 1
    assert done.err.count("gave-up.json was not written: ") == 1
    assert "now holds" not in done.err
    assert not list(flow.folder.glob("gave-up*"))


def test_only_json_lines_are_completed_in_place(flow: Shell) -> None:
    assert flow.call("post", "/moody", "-i", "few.jsonl", "-o", "in-place.jsonl.gz").code == 3
    post = ("post", "/moody", "-i", "few.jsonl", "-o", "in-place.jsonl.gz")
    done = flow.call(*post, "--only-failed", "in-place.jsonl.gz")
    assert (done.code, done.out) == (2, "")
    assert "only JSON lines that are not compressed can be completed in place" in done.err
