"""Which lines are posted, how many requests at once, in which order; and a post that only looks."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

import pytest

from tests.jinacli.post.test_output import on_terminal
from tests.shell import Shell, json_lines


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow, and some lines."""
    shared_shell.write("many.jsonl", json_lines(3_000))
    with shared_shell.up(shared_shell.flow("Status", "Moody, replicas: 2")):
        yield shared_shell


def ids(flow: Shell, *options: str) -> list[str]:
    done = flow.call("post", "/moody", "-i", "many.jsonl", *options)
    assert done.code == 0, done.err
    return [line["id"] for line in done.lines]


@pytest.mark.parametrize(
    ("options", "first", "stop"),
    [
        (("--skip", "10", "--limit", "5"), 10, 15),
        (("--skip", "2990"), 2_990, 3_000),
        (("--skip", "3000"), 0, 0),
        (("--skip", "250", "--limit", "300", "--request-size", "7"), 250, 550),
    ],
)
def test_some_of_the_lines(flow: Shell, options: tuple[str, ...], first: int, stop: int) -> None:
    assert ids(flow, *options) == [f"d{number}" for number in range(first, stop)]


def test_what_is_left_out_whole_is_not_said_to_be_empty(flow: Shell) -> None:
    for given in (("-i", "many.jsonl", "--skip", "3000"), ("--text", "a", "--skip", "1")):
        done = flow.call("post", "/moody", *given)
        assert done == (0, "", "nothing to post: --skip left out the whole input\n")


def test_some_of_the_texts(flow: Shell) -> None:
    texts = [word for letter in "abcde" for word in ("--text", letter)]
    done = flow.call("post", "/moody", *texts, "--skip", "1", "--limit", "2")
    assert [line["text"] for line in done.lines] == ["B", "C"]


def test_lines_that_were_left_out_are_another_post(flow: Shell) -> None:
    post = ("post", "/moody", "-i", "many.jsonl", "-o", "out.jsonl", "--skip")
    place = json.dumps({"lines": 20, "size": 2, "outcomes": 1, "failed": 0, "went_on": 0})
    head = json.dumps({"schema": "jina/progress/v1", "post": {"skip": "7"}})
    flow.write("out.jsonl", "{}\n")
    flow.write("out.jsonl.progress", f"{head}\n{place}\n")
    done = flow.call(*post, "10")
    assert done.code == 2
    assert "\n  skip: 7 then, 10 now\n" in done.err
    (flow.folder / "out.jsonl.progress").unlink()


@pytest.mark.parametrize("window", ["1", "48"])
def test_any_window_gives_all_in_order(flow: Shell, window: str) -> None:
    options = ("--request-size", "10", "--window", window)
    assert ids(flow, *options) == [f"d{number}" for number in range(3_000)]


def test_results_may_come_in_any_order(flow: Shell) -> None:
    for options in ((), ("-o", "any.jsonl")):
        done = flow.call(
            "post", "/moody", "-i", "many.jsonl", "--request-size", "10", "--unordered", *options
        )
        text = (flow.folder / "any.jsonl").read_text() if options else done.out
        found = [json.loads(line)["id"] for line in text.splitlines()]
        assert sorted(found) == sorted(f"d{number}" for number in range(3_000))
    assert not (flow.folder / "any.jsonl.progress").exists()
    done = flow.call("post", "/vectors", "-i", "many.jsonl", "--unordered", "-o", "a.npy")
    assert done.code == 2
    assert "the rows of an array have the order of the inputs" in done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--request-size", "-1"), "--request-size: must be from 0 to 10,000, not -1"),
        (("--request-size", "a"), '--request-size: must be a whole number, not "a"'),
        (("--window", "0"), "--window: must be from 1 to 48, not 0"),
        (("--skip", "x"), '--skip: must be a whole number, not "x"'),
    ],
)
def test_numbers_that_are_none(flow: Shell, options: tuple[str, ...], message: str) -> None:
    done = flow.call("post", "/moody", "-i", "many.jsonl", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {message}\nhelp: see `jina post --help`\n"


def test_a_dry_run_sends_nothing(flow: Shell) -> None:
    flow.write("few.csv", "id,text,price\na,x,3\nb,y,4\nc,z,5\n")
    options = ("--skip", "2", "-o", "out.csv.gz", "-p", "top_k=3")
    done = flow.call("post", "/moody", "-i", "few.csv", "--dry-run", *options)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        'post to     /moody of the Flow "flow" (flow.yml)',
        "inputs      few.csv: csv, 32 bytes",
        "Documents   1",
        'the first   {"id":"c","text":"z","tags":{"price":"5"}}',
        'parameters  {"top_k":3}',
        "output      out.csv.gz, as csv.gz",
        "Dry run: nothing was sent.",
    ]
    assert not (flow.folder / "out.csv.gz").exists()


def test_a_dry_run_starts_no_flow_and_reads_no_pipe(shell: Shell) -> None:
    shell.flow("Status")
    done = shell.fork("post", "/status", "-f", "flow.yml", "--dry-run", stdin=json_lines(2))
    assert (done.code, done.err) == (0, "")
    assert "/status of flow.yml, which would be started for this command\n" in done.out
    assert "inputs     <stdin>: jsonl\n" in done.out
    done = shell.fork("post", "/status", "-f", "flow.yml", "--dry-run", "-t", "hi", "-t", "x")
    assert '"text":"hi"' in done.out
    done = shell.call("post", "/status", "--dry-run", "-t", "hi")
    assert (done.code, done.out) == (4, "")


def test_a_dry_run_finds_mistakes(flow: Shell) -> None:
    done = flow.call("post", "/mody", "-i", "many.jsonl", "--dry-run")
    assert (done.code, done.out) == (2, "")
    assert 'did you mean "/moody"?' in done.err
    flow.write("bad.jsonl", "no JSON\n")
    done = flow.call("post", "/moody", "-i", "bad.jsonl", "--dry-run")
    assert "the first  bad.jsonl:1: not JSON: expecting value at byte 1\n" in done.out


def test_a_folder_is_all_its_files(flow: Shell) -> None:
    folder = flow.folder / "data"
    (folder / "b" / "c").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.jsonl").write_text(json_lines(1))
    (folder / "b" / ".x.jsonl").write_text(json_lines(1))
    (folder / "b" / "lines.jsonl").write_text(json_lines(2))
    (folder / "b" / "c" / "page.md").write_text("# Title\n")
    (folder / "README").write_text("Read\nme.\n")
    (folder / "z.csv").write_text("text\nlast\n")
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "gone").symlink_to(folder / "nothing")
    os.mkfifo(folder / "pipe")
    done = flow.call("post", "/moody", "-i", "data")
    assert done.code == 0, done.err
    texts = [line["text"] for line in done.lines]
    assert texts == ["READ\nME.\n", "# TITLE\n", "LINE 0", "LINE 1", "LAST"]


def test_a_folder_without_files(flow: Shell) -> None:
    (flow.folder / "empty" / ".git").mkdir(parents=True)
    done = flow.call("post", "/moody", "-i", "empty")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: empty: there are no files in this folder\n")


def test_a_device_without_line_ends_is_given_up(flow: Shell) -> None:
    done = flow.call("post", "/moody", "-i", "/dev/zero", "--limit", "1")
    assert (done.code, done.out) == (1, "")
    assert done.said == (
        "error: /dev/zero: a line does not end within 128 MiB; the limit is 16 MiB\n"
        "help: is it text? each line is one Document\n"
    )


def test_the_sum_is_said_unless_quiet(flow: Shell) -> None:
    done = flow.call("post", "/moody", "-i", "many.jsonl")
    assert re.fullmatch(r"3,000 results in [\d.]+ s \([\d,.]+/s\)\n", done.err)
    done = flow.call("post", "/moody", "-i", "many.jsonl", "-o", "sum.jsonl")
    assert done.err.endswith("/s); sum.jsonl now holds 3,000\n")
    assert flow.call("post", "/moody", "-i", "many.jsonl", "-q").err == ""


def test_the_first_distinct_reasons_are_said(flow: Shell) -> None:
    bad = ["no JSON", "[]", '{"text": 1}', "no JSON", '{"id": []}']
    flow.write("bad.jsonl", "".join(f"{line}\n" for line in bad))
    done = flow.call("post", "/moody", "-i", "bad.jsonl")
    assert done.code == 3
    title, *reasons = done.said.splitlines()[:4]
    assert title == "5 of 5 failed; the first reasons:"
    assert [reason.split(": ")[1] for reason in reasons] == [f"bad.jsonl:{n}" for n in (1, 2, 3)]


def test_verbose_says_where_and_how_far(flow: Shell) -> None:
    done = flow.call("post", "/moody", "-i", "many.jsonl", "-v")
    assert done.err.startswith('posting to /moody of the Flow "flow" at ipc://')
    assert flow.call("post", "/moody", "-i", "many.jsonl", "-v", "-q").err == ""


def test_the_bar_is_shown_where_results_are_not(flow: Shell) -> None:
    """On a terminal, with standard output in a file, and not where results are shown."""
    post = ("post", "/moody", "-i", "many.jsonl")
    shown = on_terminal(flow, *post, "--output", "bar.jsonl")
    assert "  0 documents\r" in shown
    assert " documents" not in on_terminal(flow, *post, "--output-format", "jsonl")
    assert " documents" not in on_terminal(flow, *post, "-o", "bar.jsonl", "--no-progress")


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_search_shows_rank_score_and_text(
    flow: Shell, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "what is the longest question that anybody would ever ask at a terminal of forty?"
    monkeypatch.setitem(flow.environment, "COLUMNS", columns)
    shown = on_terminal(flow, "post", "/matches", "-q", "--text", query).replace("\r\n", "\n")
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    first = plain.splitlines()[0]
    assert query.startswith(first)
    assert "  1  0.250  a match\n            m" in plain
    assert max(map(len, plain.splitlines())) <= int(columns)
    assert shown != plain


def test_colours_can_be_turned_off(flow: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(flow.environment, "NO_COLOR", "1")
    assert "\x1b" not in on_terminal(flow, "post", "/matches", "-q", "--text", "a")


def test_lines_that_are_none_are_told_from_the_first_on(flow: Shell) -> None:
    help_ = "help: notes.xyz was read as JSON lines; use --format to choose another format"
    flow.write("notes.xyz", "hello\nworld\n")
    assert help_ in flow.call("post", "/moody", "-i", "notes.xyz").err
    assert flow.call("post", "/moody", "-i", "notes.xyz", "--format", "text").code == 0
    flow.write("notes.xyz", "{}\nworld\n")
    assert help_ not in flow.call("post", "/moody", "-i", "notes.xyz").err
    broken = json.dumps([{"text": "x"}] * 300)[:-1]
    flow.write("broken.json", broken)
    done = flow.call("post", "/moody", "-i", "broken.json", "-o", "out.json")
    assert done.code == 1
    assert "out.json was not written: json is only written when all results are there" in done.err
    assert not (flow.folder / "out.json").exists()
    assert flow.call("post", "/moody", "-i", "many.jsonl", "--limit", "0", "-o", "0.json").code == 0
    assert (flow.folder / "0.json").read_text() == "[]\n"
