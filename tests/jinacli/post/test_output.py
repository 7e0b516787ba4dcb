"""What `jina post` writes: lines for programs, a table for people, files, exit codes."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import select
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest

from tests.shell import JINA, WAIT_S, Shell, json_lines


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow of a Status and a Moody."""
    with shared_shell.up(shared_shell.flow("Status", "Moody")):
        yield shared_shell


def on_terminal(shell: Shell, *arguments: str) -> str:
    """Run a command whose standard output and error are a terminal; what appears there."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [JINA, *arguments],
            cwd=shell.folder,
            env={**shell.environment, "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            theirs = -1
            shown = b""
            while select.select([ours], [], [], WAIT_S)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:  # how Linux says that the other side has closed
                    break
            assert process.wait(WAIT_S) == 0
    finally:
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)
    return shown.decode()


def test_tensors_are_lists_or_base64(flow: Shell) -> None:
    (line,) = flow.call("post", "/vectors", "--text", "x").lines
    assert line["embedding"] == [1.5, -2.0]
    (line,) = flow.call("post", "/vectors", "--text", "x", "--tensors", "base64").lines
    data = base64.b64decode(line["embedding"].pop("data"))
    assert line["embedding"] == {"dtype": "<f4", "shape": [2]}
    assert np.frombuffer(data, "<f4").tolist() == [1.5, -2.0]
    (line,) = flow.call("post", "/vectors", "--text", "x", "--tensors", "typed").lines
    assert line["embedding"] == {"dtype": "<f4", "shape": [2], "data": [1.5, -2.0]}


def test_what_was_written_can_be_posted_again(flow: Shell) -> None:
    for tensors in ("list", "typed", "base64"):
        first = flow.call("post", "/vectors", "--text", "x", "--tensors", tensors)
        again = flow.call("post", "/index", "--tensors", tensors, stdin=first.out)
        assert again.lines == first.lines


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--tensors", "hex", "must be list, typed or base64"),
        (
            "--output-format",
            "xml",
            "must be one of auto, table, jsonl, json, csv, tsv, text, npy, parquet",
        ),
    ],
)
def test_an_unknown_form(flow: Shell, option: str, value: str, message: str) -> None:
    done = flow.call("post", "/index", option, value)
    assert (done.code, done.out) == (2, "")
    assert done.said == f"error: {option}: {message}\nhelp: see `jina post --help`\n"


def test_a_table_for_people(flow: Shell) -> None:
    done = flow.call(
        "post", "/matches", "--output-format", "table", stdin='{"id": "q", "text": "a question"}'
    )
    assert (done.code, done.said) == (0, "")
    assert done.out.splitlines() == [
        "a question",
        "  q",
        "",
        "  1  0.250  a match",
        "            m",
        "",
    ]


def test_a_table_shows_failures(flow: Shell) -> None:
    done = flow.call(
        "post", "/moody", "--output-format", "table", stdin='{"id": "q", "text": "raise"}'
    )
    assert done.code == 3
    assert done.out.splitlines() == ["failed q", "  ValueError: a bad mood", ""]


def test_on_a_terminal_results_are_shown_as_a_table(flow: Shell) -> None:
    flow.write("one.jsonl", '{"id": "q", "text": "a question \\u001b[31m"}\n')
    shown = on_terminal(flow, "post", "/matches", "--inputs", "one.jsonl")
    assert "a match" in shown
    assert "0.250" in shown
    assert '"id"' not in shown
    assert "a question \N{REPLACEMENT CHARACTER}[31m" in shown  # no control of the terminal


def test_progress_is_shown_where_a_person_looks(flow: Shell) -> None:
    flow.write("many.jsonl", json_lines(2000))
    options = ("post", "/moody", "--inputs", "many.jsonl", "--output", "results.jsonl")
    assert "  0 documents\r" in on_terminal(flow, *options)
    assert flow.call(*options[:-2]).said == ""
    for quiet in ("--no-progress", "--quiet"):
        assert " documents" not in on_terminal(flow, *options, quiet)


def test_results_go_to_a_file(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--output", "out.jsonl", "--quiet", stdin=json_lines(250))
    assert done == (0, "", "")
    written = (flow.folder / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in written] == [f"LINE {n}" for n in range(250)]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing/out.jsonl", "cannot be written: No such file or directory"),
        (".", "cannot be written: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_written(flow: Shell, path: str, message: str) -> None:
    done = flow.call("post", "/moody", "--output", path, stdin=json_lines(1))
    assert done == (2, "", f"error: {path}: {message}\n")


def test_a_full_disk(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--output", "/dev/full", stdin=json_lines(300))
    assert (done.code, done.out) == (1, "")
    assert done.said == "error: /dev/full: cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    "command",
    ["post /moody --text x", "post /moody --text x --output-format table", "flow ps --json"],
)
def test_a_full_disk_behind_standard_output(flow: Shell, command: str) -> None:
    with open("/dev/full", "wb") as full, flow.start(*command.split(), stdout=full) as running:
        assert running.process.wait(WAIT_S) == 1
        assert running.err == "error: <stdout>: cannot be written: No space left on device\n"


@pytest.mark.parametrize("size", [0, 1, 7, 1000])
def test_the_size_of_requests_does_not_show_in_the_results(flow: Shell, size: int) -> None:
    done = flow.call("post", "/moody", "--request-size", str(size), stdin=json_lines(50))
    assert done.code == 0
    assert [line["text"] for line in done.lines] == [f"LINE {n}" for n in range(50)]


@pytest.mark.parametrize(
    ("options", "failed"), [((), 100), (("--request-size", "0"), 250), (("--request-size", "9"), 9)]
)
def test_a_size_of_zero_is_all_in_one_request(
    flow: Shell, options: tuple[str, ...], failed: int
) -> None:
    """As for `request_size=0` in Python; a request fails as a whole."""
    options = (*options, "--on-error", "stop")
    flow.write("first.jsonl", '{"text": "raise"}\n' + json_lines(249))
    done = flow.call("post", "/moody", "--inputs", "first.jsonl", *options)
    assert done.said.startswith(f"{failed} of 250 failed")
    texts = [word for n in range(250) for word in ("--text", "raise" if n == 0 else "x")]
    done = flow.call("post", "/moody", *texts, *options)
    assert done.said.startswith(f"{failed} of 250 failed")


def test_requests_that_fail_are_told_line_by_line_and_the_rest_is_right(flow: Shell) -> None:
    lines = json_lines(3) + '{"id": "bad", "text": "raise"}\n' + json_lines(4, 3)
    done = flow.call("post", "/moody", "--request-size", "2", "--on-error", "stop", stdin=lines)
    error = {
        "type": "ValueError",
        "message": "a bad mood",
        "executor": "moody",
        "endpoint": "/moody",
    }
    assert done.lines == [
        {"id": "d0", "mime_type": "text/plain", "text": "LINE 0"},
        {"id": "d1", "mime_type": "text/plain", "text": "LINE 1"},
        {"id": "d2", "error": error},
        {"id": "bad", "error": error},
        *({"id": f"d{n}", "mime_type": "text/plain", "text": f"LINE {n}"} for n in range(3, 7)),
    ]
    summary, _, trace = done.said.partition("\n")
    assert done.code == 3
    assert summary == "2 of 8 failed; the first: ValueError in moody: a bad mood"
    # The user's own frames and no other, once.
    assert re.fullmatch(
        r'Traceback \(most recent call last\):\n  File ".*zoo\.py", line \d+, in act\n'
        r'    raise ValueError\("a bad mood"\)\nValueError: a bad mood\n',
        trace,
    )


def test_an_error_without_a_text_is_named_alone(flow: Shell) -> None:
    done = flow.call("post", "/moody", stdin='{"text": "mute"}\n')
    assert done.said.startswith("1 of 1 failed; the first: MemoryError in moody\n")


def test_a_reader_that_leaves_is_no_error(flow: Shell) -> None:
    """`jina post … | head -1`, with far more results than the pipe holds."""
    flow.write("many.jsonl", json_lines(5000))
    with flow.start("post", "/moody", "--inputs", "many.jsonl") as post:
        assert b'"LINE 0"' in post.read_line()
        assert post.process.stdout
        post.process.stdout.close()
        assert post.process.wait(WAIT_S) == 0
        assert post.err == ""


@pytest.mark.parametrize(
    "command",
    [("--help",), ("--version",), ("flow", "ps", "--json"), ("flow", "check", "flow.yml")],
)
def test_a_reader_that_has_left_is_no_error(flow: Shell, command: tuple[str, ...]) -> None:
    with flow.start(*command) as running:
        assert running.process.stdout
        running.process.stdout.close()
        assert running.process.wait(WAIT_S) == 0
        assert running.err in ("", "no problems in flow.yml\n")


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_a_closed_stream_is_no_error(flow: Shell, closed: str) -> None:
    flow.write("wrong.jsonl", "no JSON\n")
    done = subprocess.run(
        ["sh", "-c", f"exec {JINA} post /moody --inputs wrong.jsonl {closed}"],
        cwd=flow.folder,
        env=flow.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    out, err = done.stdout.decode(), done.stderr.decode()
    assert '"error"' in out
    assert "1 of 1" not in out
    assert err == "" if "2>&-" in closed else "\n1 of 1 failed" in err


@pytest.mark.parametrize(
    ("arguments", "code", "err"),
    [
        (
            "--text x >&-",
            1,
            "error: standard output is closed\nhelp: use --output FILE\n",
        ),
        ("--text x -q -o out.jsonl --restart >&-", 0, ""),
        ("--inputs - <&-", 2, "error: <stdin>: standard input is closed\n"),
    ],
)
def test_a_closed_stream_that_is_needed_is_an_error(
    flow: Shell, arguments: str, code: int, err: str
) -> None:
    with flow.start(
        "-c", f"exec {JINA} post /moody {arguments}", program=("sh",), stdin=subprocess.PIPE
    ) as running:
        assert running.end() == (code, "", err)


@pytest.mark.parametrize(
    ("output", "err"),
    [
        ("no/out.jsonl", "error: no/out.jsonl: cannot be written: No such file or directory\n"),
        ("new.jsonl", "error: "),
        ("old.jsonl", "error: "),
    ],
)
def test_a_flow_that_does_not_start_costs_no_results(flow: Shell, output: str, err: str) -> None:
    """Where they go is looked at before a Flow is started, and cut only once it is up."""
    flow.write("broken.py", "from jina import Executor\nclass A(Executor): x = 1 / 0\n")
    flow.write("broken.yml", "executors: [{name: a, uses: {jtype: A, py_modules: broken.py}}]\n")
    flow.write("old.jsonl", "{}\n")
    done = flow.call(
        "post", "/", "--text", "x", "--flow", "broken.yml", "--output", output, "--restart"
    )
    assert done.code == (2 if output.startswith("no/") else 1)
    assert f"\n{err}" in f"\n{done.said.removeprefix(STARTING)}"  # the traceback comes first
    assert (STARTING in done.said) == (not output.startswith("no/"))
    assert (flow.folder / "old.jsonl").read_text() == "{}\n"
    assert not (flow.folder / "new.jsonl").exists()


STARTING = (
    "Starting broken.yml for this command only; use `jina flow up broken.yml` to keep it running\n"
)


def test_an_input_is_not_written_to(flow: Shell) -> None:
    path = flow.write("precious.jsonl", json_lines(3))
    (flow.folder / "other.jsonl").symlink_to(path)
    done = flow.call("post", "/moody", "--inputs", "prec*.jsonl", "--output", "other.jsonl")
    assert (done.code, done.out) == (2, "")
    assert done.said == (
        "error: other.jsonl: this is an input, so the results cannot be written to it\n"
        "help: write to another file and rename it afterwards\n"
    )
    with path.open("ab") as end, flow.start("post", "/moody", "-i", str(path), stdout=end) as post:
        assert post.process.wait(WAIT_S) == 2
        assert post.err.startswith("error: <stdout>: this is an input, ")
    assert path.read_text() == json_lines(3)


def test_only_nodes_of_the_target_take_part(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--target", "stat", stdin=json_lines(1))
    assert (done.code, done.lines) == (2, [])
    assert 'no Executor of the Flow "flow" that --target matches serves /moody\n' in done.said
    unserved = ("--target", "stat", "--allow-unserved")
    done = flow.call("post", "/moody", *unserved, stdin=json_lines(1))
    assert done.lines == [{"id": "d0", "text": "line 0"}]
    done = flow.call("post", "/moody", "--target", "mo+", stdin=json_lines(1))
    assert done.lines[0]["text"] == "LINE 0"


def test_a_target_that_is_no_expression(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--target", "mo(", stdin=json_lines(1))
    assert (done.code, done.out) == (2, "")
    assert done.said == (
        "error: --target: not a regular expression: missing ), unterminated "
        "subpattern\n  mo(\n    ^\nhelp: see `jina post --help`\n"
    )


@pytest.mark.parametrize("target", ["(" * 5000 + ")" * 5000, "a{99999999999999999999}"])
def test_a_target_that_is_too_much(flow: Shell, target: str) -> None:
    done = flow.call("post", "/moody", "--target", target, stdin=json_lines(1))
    assert (done.code, done.out) == (2, "")
    assert done.said.startswith("error: --target: not a usable regular expression: ")


def test_a_target_that_names_nobody(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--target", "oody", stdin=json_lines(1))
    assert (done.code, done.out) == (2, "")
    assert done.said == (
        'error: --target: no Executor of the Flow "flow" has a name that starts '
        "with 'oody'; the names are: moody, status\nhelp: see `jina post --help`\n"
    )
