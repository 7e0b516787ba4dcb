"""What `jina post` reads besides JSON lines: every format, good and bad, packed and not."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.shell import ZOO, Done, Shell

ROWS = ["one", "two, with a comma", 'three "quoted"\nand long', "four é"]


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow that serves /index."""
    with shared_shell.up(shared_shell.flow("Status")):
        yield shared_shell


def post(flow: Shell, *options: str | Path, stdin: bytes | None = None) -> Done:
    return flow.call("post", "/index", *options, stdin=stdin)


def texts_as(form: str) -> bytes:
    """The rows in a format."""
    if form == "json":
        return json.dumps([{"text": text} for text in ROWS], indent=2).encode()
    if form in ("csv", "tsv"):
        separator = "," if form == "csv" else "\t"
        cells = ['"' + text.replace('"', '""') + '"' for text in ROWS]
        return "".join(f"{cell}{separator}\n" for cell in ["text", *cells]).encode()
    if form == "txt":
        return "\r\n".join(text.replace("\n", " ") for text in ROWS).encode()
    return "".join(json.dumps({"text": text}) + "\n" for text in ROWS).encode()


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "txt"])
def test_texts_come_back_in_order(flow: Shell, form: str, packed: str) -> None:
    data = texts_as(form)
    flow.write(f"a.{form}{packed}", gzip.compress(data) if packed else data)
    done = post(flow, "--inputs", f"a.{form}{packed}")
    assert (done.code, done.said) == (0, "")
    expected = [text.replace("\n", " ") for text in ROWS] if form == "txt" else ROWS
    assert [line["text"] for line in done.lines] == expected
    again = post(flow, "--inputs", f"a.{form}{packed}", "--request-size", "1")
    assert [line["id"] for line in again.lines] == [line["id"] for line in done.lines]


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("form", ["npy", "npz", "parquet", "arrow"])
def test_vectors_come_back_in_order(flow: Shell, form: str, packed: str) -> None:
    vectors = np.arange(12, dtype="f4").reshape(4, 3)
    path = flow.folder / f"v.{form}"
    if form in ("npy", "npz"):
        (np.save if form == "npy" else np.savez)(path, vectors)
        names = {"npy": "blob", "npz": "arr_0"}[form]
    else:
        pa = pytest.importorskip("pyarrow", reason="the extra `columnar`")
        feather = pytest.importorskip("pyarrow.feather")
        parquet = pytest.importorskip("pyarrow.parquet")
        table = pa.table({"vector": pa.array(vectors.tolist(), pa.list_(pa.float32()))})
        (parquet.write_table if form == "parquet" else feather.write_feather)(table, path)
        names = "vector"
    if packed:
        path = flow.write(f"v.{form}.gz", gzip.compress(path.read_bytes()))
    done = post(flow, "--inputs", path, "--field-resolver", f"{names}=embedding")
    assert (done.code, done.said) == (0, "")
    assert [line["embedding"] for line in done.lines] == vectors.tolist()


QUESTIONS = '{"id": "a", "question": "x"}\n\n[]\n{"id": "b", "q": "y"}\n'
PAIR = '[{"document": {"id": "a"}, "groundtruth": {"q": "x"}}]'


@pytest.mark.parametrize(
    ("name", "content", "names", "note"),
    [
        ("a.jsonl", QUESTIONS, "question=text,q=uri", ""),
        (
            "a.jsonl",
            QUESTIONS,
            "quesstion=text,q=uri",
            'note: --field-resolver: no input has a column or key "quesstion"; did you mean '
            '"question"?\nhelp: the first input without it has id, question\n',
        ),
        ("a.json", PAIR, "q=text", ""),
        (
            "a.json",
            PAIR,
            "z=text",
            'note: --field-resolver: no input has a column or key "z"\n'
            "help: the first input without it has id\n",
        ),
        ("a.txt", "one\n", "text=uri", ""),
        (
            "a.txt",
            "one\n",
            "line=uri",
            'note: --field-resolver: no input has a column or key "line"\n'
            "help: the first input without it has text\n",
        ),
        (
            "a.html",
            "<p>",
            "name=uri",
            'note: --field-resolver: no input has a column or key "name"\n',
        ),
        ("a.csv", "q\none\n", "q=text", ""),
    ],
)
def test_a_name_that_nothing_had_is_told(
    flow: Shell, name: str, content: str, names: str, note: str
) -> None:
    flow.write(name, content)
    done = post(flow, "--inputs", name, "--field-resolver", names)
    assert done.said.partition("1 of 3 failed; ")[0] == note
    quiet = post(flow, "--inputs", name, "--field-resolver", names, "--quiet")
    assert "note" not in quiet.err


def test_texts_have_no_keys_to_rename(flow: Shell) -> None:
    done = post(flow, "--text", "a", "--field-resolver", "question=text")
    assert (done.code, done.said) == (
        0,
        'note: --field-resolver: no input has a column or key "question"\n',
    )


def test_a_pattern_of_pictures(flow: Shell) -> None:
    folder = flow.folder / "images" / "deep"
    folder.mkdir(parents=True)
    for name in ("images/a.png", "images/deep/b.png"):
        flow.write(name, b"\x89PNG")
    (flow.folder / "images" / "c.html.gz").write_bytes(gzip.compress(b"<b>"))
    done = post(flow, "--inputs", "images/**/*.*")
    assert (done.code, done.said) == (0, "")
    assert [(line["uri"], line["mime_type"]) for line in done.lines] == [
        (str(flow.folder / "images/a.png"), "image/png"),
        (str(flow.folder / "images/c.html.gz"), "text/html"),
        (str(flow.folder / "images/deep/b.png"), "image/png"),
    ]
    assert done.lines[1]["text"] == "<b>"
    alone = post(flow, "--inputs", "images/a.png", "--content", "none")
    assert "buffer" not in alone.lines[0]


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "text"])
def test_lines_of_every_format_come_from_standard_input(flow: Shell, form: str) -> None:
    data = texts_as("txt" if form == "text" else form)
    done = post(flow, "--format", form, stdin=data)
    assert (done.code, done.said) == (0, "")
    assert len(done.lines) == len(ROWS)


def test_a_table_that_grows_is_answered_as_it_grows(flow: Shell) -> None:
    with flow.start("post", "/index", "--inputs", "-", "--format", "csv", stdin=-1) as running:
        running.tell(b"question,n\n")
        for number in range(3):
            running.tell(b'"what\nis it",%d\n' % number)
            assert json.loads(running.read_line())["tags"]["n"] == str(number)
        running.tell(b'"never closed')
        assert running.process.stdin
        running.process.stdin.close()
        running.process.stdin = None
        done = running.end()
    assert (done.code, done.out) == (1, "")
    assert "<stdin>:8: a quote opened in this row is never closed" in done.said


def test_a_bad_row_of_each_format_is_one_outcome(flow: Shell) -> None:
    bad = {
        "a.json": (b'[{"text":"a"},\n {"text":1}, {"text":"c"}]', "a.json:2:2: "),
        "a.csv": (b"text,n\na,1\nb\nc,3\n", "a.csv:3: 1 column, but the header has 2"),
        "a.tsv": (b'text\tn\na\t1\n"b"b\t2\nc\t3\n', "a.tsv:3: not a row of a table: "),
        "a.txt": (b"a\n\xff\nc\n", "a.txt:2: not valid UTF-8: byte 0xff at byte 1"),
    }
    for name, (data, message) in bad.items():
        flow.write(name, data)
        done = post(flow, "--inputs", name)
        assert done.code == 3, name
        first, second, third = done.lines
        assert (first["text"], third["text"]) == ("a", "c")
        assert second["error"]["message"].startswith(message)
        assert second["id"]
        assert done.said.startswith("1 of 3 failed; the first: ")


@pytest.mark.parametrize(
    ("form", "data", "place"),
    [
        ("jsonl", b'{"id":"a"}\nno\n', "2: not JSON"),
        ("csv", b"id,n\na,1\nb\n", "3: 1 column, but"),
        ("json", b'[{"id":"a"}, 1]', "1:14: a JSON number, expected"),
        ("parquet", b"", " row 2: `tags.n` is NaN"),
    ],
)
def test_a_name_that_is_no_utf8_is_escaped_in_messages(
    flow: Shell, form: str, data: bytes, place: str
) -> None:
    name = os.fsdecode(b"caf\xe9." + form.encode())
    flow.write(name, data)
    if form == "parquet":
        pa = pytest.importorskip("pyarrow", reason="the extra `columnar`")
        parquet = pytest.importorskip("pyarrow.parquet")
        with open(flow.folder / name, "wb") as file:
            parquet.write_table(pa.table({"id": ["a", "b"], "n": [1.0, float("nan")]}), file)
    done = post(flow, "--inputs", name)
    assert done.code == 3, done.said
    good, bad = done.lines
    assert good["id"] == "a"
    assert bad["error"]["message"].startswith(rf"caf\xe9.{form}:{place}")


def test_a_container_whose_name_is_no_utf8_is_refused_by_it(flow: Shell) -> None:
    name = os.fsdecode(b"caf\xe9.npy")
    flow.write(name, b"no")
    done = post(flow, "--inputs", name)
    assert (done.code, done.out) == (1, "")
    assert done.said.startswith(r"error: caf\xe9.npy: not a valid .npy file: "), done.said


def test_a_bad_row_keeps_its_place_when_its_request_fails(shared_shell: Shell, flow: Shell) -> None:
    flow.write("fails.csv", "id\na\n\n\nb,c\nd\n")
    done = post(flow, "--inputs", "fails.csv", "--target", "nobody.*|status")
    assert [line["id"].rpartition("-")[2] for line in done.lines] == ["a", "5", "d"]


def test_damage_keeps_what_lies_before_it(flow: Shell) -> None:
    file = io.BytesIO()
    np.save(file, np.eye(3))
    damaged = {
        "b.json": (b'[{"text":"a"},{"text":"b"} {}]', 2, "b.json:1:28: expected a comma or ]"),
        "b.csv": (b'text\na\nb\n"c\n', 2, "b.csv:4: a quote opened in this row"),
        "b.npy": (file.getvalue()[:-4], 2, "b.npy: the array is damaged: the file ends after row"),
    }
    for name, (data, count, message) in damaged.items():
        flow.write(name, data)
        done = post(flow, "--inputs", name)
        assert (done.code, len(done.lines)) == (1, count), name
        assert done.said.startswith(f"error: {message}"), done.said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "xml"), "error: --format: must be one of auto, jsonl, json"),
        (("--content", "bytes"), "error: --content: must be one of auto, text"),
        (("--field-resolver", "text"), "'text' is not column=field, such as question=text"),
        (("--field-resolver", "a=b,a=c"), "a is given twice"),
    ],
)
def test_options_that_say_nothing(flow: Shell, options: tuple[str, ...], message: str) -> None:
    done = post(flow, *options, stdin=b"{}")
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.said.replace("│", " ").split())


def test_a_trial_reads_the_same(flow: Shell) -> None:
    flow.write("trial.yml", f"jtype: Upper\nmetas: {{py_modules: [{ZOO}]}}\n")
    flow.write("trial.json", '[{"text":"a"}, 5, {"text":"b"}]')
    flow.write("trial.csv", "text\na\nb,c\nd\n")
    for name, message in (("trial.json", "trial.json:1:16: "), ("trial.csv", "trial.csv:3: ")):
        done = flow.call("executor", "check", "trial.yml", "--run", "/x", "--inputs", name)
        assert done.code == 1, done.said
        assert [line.get("text") for line in done.lines][::2] == [
            "A",
            "B" if "json" in name else "D",
        ]
        assert done.lines[1]["error"]["message"].startswith(message)


def test_a_table_that_was_stopped_goes_on_where_it_was(shared_shell: Shell, flow: Shell) -> None:
    rows = [(f"{n}", "x\ny" if n % 7 == 0 else "x", "" if n % 11 else "bad") for n in range(2000)]
    text = "id,text,weight\n" + "".join(f'{a},"{b}",{c}\n' for a, b, c in rows)
    flow.write("long.csv", text)
    options = ("--inputs", "long.csv", "--output", "long.jsonl", "--quiet", "--request-size", "7")
    with flow.start("post", "/index", *options) as running:
        while not (flow.folder / "long.jsonl").exists():
            assert running.process.poll() is None
        running.end(signal.SIGKILL)
    assert post(flow, *options).code == 3
    lines = [json.loads(line) for line in (flow.folder / "long.jsonl").read_text().splitlines()]
    assert len(lines) == len(rows)
    failed = [index for index, line in enumerate(lines) if "error" in line]
    assert failed == [index for index, row in enumerate(rows) if row[2]]
    good = [line["id"] for line in lines if "error" not in line]
    assert good == [row[0] for row in rows if not row[2]]
