"""What `jina post` reads, line by line, and what it says of what it cannot read."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shell import JINA, WAIT_S, Shell, json_lines, peak_bytes
from tests.terminal import Terminal

MIB = 1 << 20


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow that serves /moody, /status and /index."""
    with shared_shell.up(shared_shell.flow("Status", "Moody")):
        yield shared_shell


def bad_line(name: str, message: str, endpoint: str = "/moody") -> dict[str, Any]:
    error = {
        "type": "jina.excepts.BadLine",
        "message": message,
        "executor": "",
        "endpoint": endpoint,
    }
    return {"id": name, "error": error}


_COUNT = """
import os
from jinacli.post.inputs import load_numpy
load_numpy()
import numpy
print(len(os.listdir("/proc/self/task")), os.environ.get("OPENBLAS_NUM_THREADS"))
"""


@pytest.mark.parametrize(("given", "told"), [(None, "1 None"), ("1", "1 1")])
def test_numpy_is_loaded_without_threads_that_take_cores_from_workers(
    given: str | None, told: str
) -> None:
    name = "OPENBLAS_NUM_THREADS"
    environment = {key: value for key, value in os.environ.items() if key != name}
    environment |= {name: given} if given else {}
    command = [sys.executable, "-c", _COUNT]
    assert subprocess.check_output(command, env=environment, text=True).strip() == told


# --- what cannot be opened -----------------------------------------------------------------------


def test_a_missing_file(flow: Shell) -> None:
    flow.write("data.jsonl", "")
    assert flow.call("post", "/moody", "--inputs", "dta.jsonl") == (
        2,
        "",
        'error: dta.jsonl: no such file\nhelp: did you mean "data.jsonl"?\n',
    )


def test_a_directory(flow: Shell) -> None:
    (flow.folder / "data").mkdir()
    assert flow.call("post", "/moody", "--inputs", "data") == (
        2,
        "",
        "error: data: there are no files in this folder\n"
        "help: files and folders that start with a dot are skipped\n",
    )


def test_no_permission(flow: Shell) -> None:
    path = flow.write("closed.jsonl", "{}\n")
    path.chmod(0)
    done = flow.call("post", "/moody", "--inputs", "closed.jsonl")
    if os.access(path, os.R_OK):  # the superuser may read everything
        assert done.code == 0
    else:
        assert done == (
            2,
            "",
            "error: closed.jsonl: no permission to read it\nhelp: chmod u+r closed.jsonl\n",
        )


def test_inputs_and_texts_at_once(flow: Shell) -> None:
    assert flow.call("post", "/moody", "--inputs", "x", "--text", "y") == (
        2,
        "",
        "error: --text: use --inputs or --text, not both\nhelp: see `jina post --help`\n",
    )


# --- nothing to read -----------------------------------------------------------------------------


def test_without_inputs_a_terminal_is_told_what_happens(flow: Shell) -> None:
    said = "no inputs: calling /status once, without Documents\n"
    with Terminal(flow, "post", "/status", owns=True) as terminal:
        terminal.wait_for(said)
        assert terminal.process.wait(WAIT_S) == 0
    with Terminal(flow, "post", "/status", "--quiet", owns=True) as terminal:
        assert terminal.process.wait(WAIT_S) == 0
        assert said not in terminal.shown
    with Terminal(flow, "post", "/index", owns=True) as terminal:  # what has no results says so
        terminal.wait_for("0 results in ")
        assert terminal.process.wait(WAIT_S) == 0


@pytest.mark.parametrize("content", ["", "\n\r\n  \n", "\ufeff"])
def test_an_empty_file_sends_nothing(flow: Shell, content: str) -> None:
    flow.write("empty.jsonl", content)
    assert flow.call("post", "/moody", "--inputs", "empty.jsonl") == (
        0,
        "",
        "nothing to post: the input is empty\n",
    )


def test_an_empty_pipe_sends_nothing(flow: Shell) -> None:
    assert flow.call("post", "/moody", stdin="") == (0, "", "nothing to post: the input is empty\n")


def test_without_inputs_one_request_without_documents_is_sent(flow: Shell) -> None:
    done = flow.call("post", "/status")
    assert (done.code, done.said) == (0, "")
    assert [line["tags"] for line in done.lines] == [{"docs": -1, "given": {}}]


# --- lines ---------------------------------------------------------------------------------------


def test_a_line_that_cannot_be_read_is_the_outcome_of_that_line_alone(flow: Shell) -> None:
    flow.write(
        "odd.jsonl",
        b'\xef\xbb\xbf{"id": "a", "text": "one"}\r\n\r\n   \n[1]\nnonsense\n'
        b'{"id": "f", "text": "\xff"}\nnull\n{"id": "h", "text": "two"}\n{"text": "three"}',
    )
    done = flow.call("post", "/moody", "--inputs", "odd.jsonl")
    key = done.lines[1]["id"].rpartition("-")[0]
    assert len(key) == 16
    assert [line.get("error", line["id"]) and line for line in done.lines] == [
        {"id": "a", "mime_type": "text/plain", "text": "ONE"},
        bad_line(f"{key}-4", "odd.jsonl:4: a JSON list, expected an object"),
        bad_line(f"{key}-5", "odd.jsonl:5: not JSON: expecting value at byte 1"),
        bad_line("f", "odd.jsonl:6: not valid UTF-8: byte 0xff at byte 22"),
        bad_line(f"{key}-7", "odd.jsonl:7: a JSON null, expected an object"),
        {"id": "h", "mime_type": "text/plain", "text": "TWO"},
        {"id": f"{key}-9", "mime_type": "text/plain", "text": "THREE"},
    ]
    assert (done.code, done.said) == (
        3,
        "4 of 7 failed; the first reasons:\n"
        "  BadLine: odd.jsonl:4: a JSON list, expected an object\n"
        "  BadLine: odd.jsonl:5: not JSON: expecting value at byte 1\n"
        "  BadLine: odd.jsonl:6: not valid UTF-8: byte 0xff at byte 22\n",
    )


@pytest.mark.parametrize("size", [1, 2, 100])
def test_line_numbers_are_true_in_every_request(flow: Shell, size: int) -> None:
    flow.write("numbers.jsonl", "\n".join(["{}", "oops", "", "{}", "oops", "{}"]))
    done = flow.call("post", "/index", "--inputs", "numbers.jsonl", "--request-size", str(size))
    assert [line["id"].rpartition("-")[2] for line in done.lines] == ["1", "2", "4", "5", "6"]
    assert ["error" in line for line in done.lines] == [False, True, False, True, False]
    assert done.code == 3


def test_when_every_line_is_bad_no_method_is_called(flow: Shell) -> None:
    done = flow.call("post", "/status", stdin="oops\n[]\n")
    assert [line["error"]["message"] for line in done.lines] == [
        "<stdin>:1: not JSON: expecting value at byte 1",
        "<stdin>:2: a JSON list, expected an object",
    ]
    assert done.code == 3


def test_ids_of_lines_without_one_are_the_same_at_every_run(flow: Shell) -> None:
    flow.write("anonymous.jsonl", '{"text": "x"}\n' * 3)
    first, second = (flow.call("post", "/moody", "--inputs", "anonymous.jsonl") for _ in range(2))
    assert first.out == second.out
    assert len({line["id"] for line in first.lines}) == 3


def test_several_files_and_a_pattern_are_read_in_order(flow: Shell) -> None:
    for name in "cab":
        flow.write(f"part-{name}.jsonl", f'{{"id": "{name}"}}\n')
    done = flow.call("post", "/index", "--inputs", "part-c.jsonl", "--inputs", "part-[ab]*")
    assert [line["id"] for line in done.lines] == ["c", "a", "b"]


@pytest.mark.parametrize("arguments", [[], ["--inputs", "-"]])
def test_standard_input_is_read_from_a_pipe(flow: Shell, arguments: list[str]) -> None:
    done = flow.call("post", "/moody", *arguments, stdin=json_lines(250))
    assert (done.code, done.said) == (0, "")
    assert [line["text"] for line in done.lines] == [f"LINE {n}" for n in range(250)]


def test_standard_input_is_read_from_a_file(flow: Shell) -> None:
    path = flow.write("three.jsonl", json_lines(3))
    with path.open("rb") as file:
        done = flow.run("post", "/moody", stdin=file.fileno())
    assert [line["id"] for line in done.lines] == ["d0", "d1", "d2"]


@pytest.mark.parametrize(("limit", "count"), [("0", 0), ("1", 1), ("150", 150), ("1000", 300)])
def test_limit_stops_after_so_many_lines(flow: Shell, limit: str, count: int) -> None:
    done = flow.call("post", "/moody", "--limit", limit, stdin=json_lines(300))
    assert done.code == 0
    assert [line["id"] for line in done.lines] == [f"d{n}" for n in range(count)]


def test_a_limit_of_nothing_is_told_and_empties_the_output(flow: Shell) -> None:
    flow.write("lines.jsonl", json_lines(3))
    output = flow.write("earlier.jsonl", "of yesterday\n")
    done = flow.call(
        "post",
        "/moody",
        "--inputs",
        "lines.jsonl",
        "--limit",
        "0",
        "--output",
        "earlier.jsonl",
        "--restart",
    )
    assert (done.code, done.out) == (0, "")
    assert done.said == "nothing to post: --limit is 0\n"
    assert done.err.endswith("; earlier.jsonl now holds 0\n")
    assert output.read_bytes() == b""


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_limit_counts_texts_too(flow: Shell, limit: int) -> None:
    done = flow.call("post", "/moody", "--text", "a", "--text", "b", "--limit", str(limit))
    assert done.code == 0
    assert [line["text"] for line in done.lines] == ["A", "B"][:limit]


def test_lines_of_a_slow_pipe_come_back_at_once(flow: Shell) -> None:
    """A line is answered while the pipe stays open; nobody waits for a hundred of them."""
    with flow.start("post", "/moody", stdin=subprocess.PIPE) as post:
        for number in range(3):
            post.tell(json_lines(1, number).encode())
            assert f'"LINE {number}"'.encode() in post.read_line()
        done = post.end()
    assert (done.code, done.out, done.said) == (0, "", "")


def test_a_line_of_50_mb_is_the_outcome_of_that_line_and_nobody_holds_it(flow: Shell) -> None:
    with flow.start("post", "/moody", stdin=subprocess.PIPE) as post:
        post.tell(json_lines(1).encode())
        assert b'"LINE 0"' in post.read_line()
        before = {pid: peak_bytes(pid) for pid in (post.pid, flow.gateway())}
        post.tell(b'{"text": "' + b"x" * (50 * MIB) + b'"}\n' + json_lines(1, 1).encode())
        outcome = post.read_line()
        assert b'"LINE 1"' in post.read_line()
        grown = {pid: peak_bytes(pid) - held for pid, held in before.items()}
        done = post.end()
    assert b"<stdin>:2: a line of more than 16 MiB (52428812 bytes seen), which is too long" in (
        outcome
    )
    assert done.code == 3
    assert max(grown.values()) < 40 * MIB, grown


def test_a_line_just_below_the_limit_is_carried(flow: Shell) -> None:
    done = flow.call("post", "/moody", stdin='{"text": "' + "x" * (15 * MIB) + '"}\n')
    assert (done.code, done.said) == (0, "")
    assert len(done.lines[0]["text"]) == 15 * MIB


def test_an_input_that_breaks_off_has_the_outcomes_of_what_was_read(flow: Shell) -> None:
    """Also of the requests that were under way at that moment."""
    packed = gzip.compress(random.Random(1).randbytes(30_000).hex().encode())  # hardly shrinks
    lines = json_lines(3000).encode() + packed.hex().encode()
    flow.write("whole.jsonl.gz", gzip.compress(lines)[:-2000])
    done = flow.call("post", "/moody", "--inputs", "whole.jsonl.gz")
    assert [line["text"] for line in done.lines] == [f"LINE {n}" for n in range(3000)]
    assert (done.code, done.said) == (
        1,
        "error: whole.jsonl.gz: the gzip file is cut off before its end\n"
        "help: the lines before it were read; copy or download the file again\n",
    )


# --- texts and parameters ------------------------------------------------------------------------


def test_texts_become_documents(flow: Shell) -> None:
    done = flow.call("post", "/moody", "--text", "one", "-t", "two")
    assert [line["text"] for line in done.lines] == ["ONE", "TWO"]


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        (["top_k=3"], {"top_k": 3}),
        (["name=word", "flag=true", "none=null"], {"name": "word", "flag": True, "none": None}),
        (["query=a=b"], {"query": "a=b"}),
        (["text="], {"text": ""}),
        (['list=[1, "x"]', '{"a": {"b": 1.5}}'], {"list": [1, "x"], "a": {"b": 1.5}}),
        (["a=1", "a=2"], {"a": 2}),
        (['quoted="3"'], {"quoted": "3"}),
        (["a=True", "b=False", "c=yes", "d=~"], {"a": True, "b": False, "c": True, "d": None}),
        (["zip=01234", "x=1e3", "y=.5", "z=[1,"], {"zip": "01234", "x": 1e3, "y": 0.5, "z": "[1,"}),
        (["ranker.top_k=3", '{"ranker": {"by": "x"}}'], {"ranker": {"top_k": 3, "by": "x"}}),
    ],
)
def test_parameters(flow: Shell, given: list[str], parameters: dict[str, Any]) -> None:
    options = [word for text in given for word in ("-p", text)]
    done = flow.call("post", "/status", *options)
    assert done.code == 0, done.said
    assert done.lines[0]["tags"]["given"] == parameters


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("word", "'word' is neither key=value nor a map such as '{\"top_k\": 3}'"),
        ("a..b=3", "'a..b=3' is neither key=value nor a map such as '{\"top_k\": 3}'"),
        ("=3", "'=3' is neither key=value nor a map such as '{\"top_k\": 3}'"),
        ("{a: 1}", "not a JSON map: JSON is malformed: object keys must be strings (byte 1)"),
    ],
)
def test_parameters_that_are_none(flow: Shell, given: str, message: str) -> None:
    done = flow.call("post", "/status", "-p", given)
    assert (done.code, done.out) == (2, "")
    assert done.said == f"error: -p: {message}\nhelp: see `jina post --help`\n"


def test_parameters_from_a_file(flow: Shell) -> None:
    flow.write("more.yml", "filter: {lang: en, old: no}\ntop_k: 3\n")
    done = flow.call("post", "/status", "-p", "filter.lang=de", "-p", "@more.yml", "-p", "top_k=5")
    assert (done.code, done.said) == (0, "")
    assert done.lines[0]["tags"]["given"] == {"filter": {"lang": "en", "old": False}, "top_k": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "wrong.yml:1:1: error[wrong-type]: expected a map of parameters, got a list"),
        ("a: 1\na: 2\n", "wrong.yml:2:1: error[duplicate-key]: "),
    ],
)
def test_a_file_that_holds_no_parameters(shell: Shell, text: str, message: str) -> None:
    shell.write("wrong.yml", text)
    done = shell.call("post", "/status", "-p", "@wrong.yml")
    assert (done.code, done.out) == (2, "")
    assert message in done.said


def test_a_file_of_parameters_that_is_not_there(shell: Shell) -> None:
    done = shell.call("post", "/status", "-p", "@none.yml")
    assert (done.code, done.said) == (
        2,
        "error[no-source]: no such file: none.yml\n"
        "help: give the path of a YAML or JSON file of parameters\n",
    )


def test_values_that_may_be_meant_otherwise_are_told(flow: Shell) -> None:
    given = ("-p", "a=None", "-p", "b=no", "-p", "c=[1, x]")
    done = flow.call("post", "/status", *given)
    assert done.lines[0]["tags"]["given"] == {"a": "None", "b": False, "c": "[1, x]"}
    assert done.said == (
        "note: -p a=None is the text 'None'; write null for no value\n"
        "note: -p b=no is false; for the text write '\"no\"'\n"
        "note: -p c=[1, x] is text, because it is not valid JSON\n"
    )
    assert flow.call("post", "/status", *given, "-q").err == ""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "x" * 70_000,
            "the parameters of a request take 70024 bytes, more than 65536\n"
            "help: send large values as Documents instead",
        ),
        (
            "9" * 30,
            "parameters that cannot be carried: can't serialize ints < -2**63 or > 2**64 - 1\n"
            "help: see `jina post --help`",
        ),
    ],
)
def test_parameters_that_cannot_be_carried(shell: Shell, value: str, message: str) -> None:
    """Known before a Flow is looked for."""
    done = shell.call("post", "/status", "-p", f"text={value}")
    assert (done.code, done.out) == (2, "")
    assert done.said == f"error: -p: {message}\n"


# --- which Flow ----------------------------------------------------------------------------------


def test_no_flow_is_running(shell: Shell) -> None:
    assert shell.call("post", "/") == (
        4,
        "",
        "error: no Flow is running\n"
        "help: start one with `jina flow up flow.yml`, or use --flow flow.yml\n",
    )


def test_two_flows_are_running(shell: Shell) -> None:
    for name in ("one", "two"):
        shell.flow("Upper", name=f"{name}.yml")
    with shell.up("one.yml"), shell.up("two.yml"):
        assert shell.call("post", "/", "--text", "x") == (
            4,
            "",
            "error: 2 Flows are running: one, two\nhelp: choose one, as in --flow one\n",
        )
        for named in ("two", "two.yml", str(shell.folder / "two.yml")):
            assert shell.fork("post", "/", "--text", "x", "--flow", named).lines[0]["text"] == "X"
        done = shell.fork("post", "/", "--flow", "tow")
        assert (done.code, done.said) == (
            4,
            'error: no running Flow is named "tow"\nhelp: did you mean "two"?\n',
        )
        assert [flow["name"] for flow in shell.ps()] == ["one", "two"]
        shell.call("flow", "down", "--all")


def test_nobody_at_the_address(shell: Shell) -> None:
    done = shell.call("post", "/", JINA_ADDRESS="ipc:///nowhere/front.ipc")
    assert done == (
        4,
        "",
        "error: ipc:///nowhere/front.ipc: no Flow listens there\nhelp: `jina flow ps` lists the "
        "running Flows\nnote: from the environment: JINA_ADDRESS=ipc:///nowhere/front.ipc\n",
    )


def test_flow_and_address_at_once(shell: Shell) -> None:
    done = shell.fork("post", "/", "--flow", "x", "--address", "ipc:///y")
    assert (done.code, done.out) == (2, "")
    assert done.said.startswith("error: --flow: use --flow or --address, not both\n")


def test_a_flow_that_does_not_run_is_started_for_the_command(shell: Shell) -> None:
    path: Path = shell.flow("Upper")
    done = shell.fork("post", "/", "--flow", path.name, stdin=json_lines(2))
    assert done.code == 0
    assert (
        done.said
        == "Starting flow.yml for this command only; use `jina flow up flow.yml` to keep it "
        "running\n"
    )
    assert [line["text"] for line in done.lines] == ["LINE 0", "LINE 1"]
    assert not shell.directories()
    assert not shell.processes()


def test_an_endpoint_that_nobody_serves_is_a_mistake(flow: Shell) -> None:
    done = flow.call("post", "/indx", stdin=json_lines(1))
    assert (done.code, done.lines) == (2, [])
    assert done.said == (
        'error: ENDPOINT: no Executor of the Flow "flow" serves /indx\n'
        'help: did you mean "/index"? served: '
        "/environment, /index, /matches, /moody, /status, /vectors; --allow-unserved passes the "
        "Documents through\n"
    )


def test_an_endpoint_that_nobody_serves_may_be_meant(flow: Shell) -> None:
    done = flow.call("post", "/indx", "--allow-unserved", stdin=json_lines(1))
    assert (done.code, done.lines) == (0, [{"id": "d0", "text": "line 0"}])
    assert done.said == (
        "note: no Executor of this Flow serves /indx; the Documents came back unchanged\n"
        'help: did you mean "/index"? this Flow serves '
        "/environment, /index, /matches, /moody, /status, /vectors\n"
    )


def test_commands_that_start_the_same_flow_at_once_share_it(shell: Shell) -> None:
    path = shell.flow("Upper")
    options = ["--flow", path, "--quiet", "--inputs", "-"]
    with contextlib.ExitStack() as stack:
        posts = [
            stack.enter_context(shell.start("post", "/", *options, stdin=subprocess.PIPE))
            for _ in range(3)
        ]
        for number, one in enumerate(posts):
            one.tell(json.dumps({"id": f"d{number}", "text": "hi"}).encode() + b"\n")
        # Each has its answer before any of them ends, and with it the Flow of the one that won.
        answers = [json.loads(one.read_line()) for one in posts]
        ended = [one.end() for one in posts]
    assert [answer["id"] for answer in answers] == ["d0", "d1", "d2"]
    assert [(done.code, done.said) for done in ended] == [(0, "")] * 3


@pytest.mark.parametrize("options", [(), ("-q",)])
def test_an_input_that_cannot_be_unpacked_is_not_called_empty(
    flow: Shell, options: tuple[str, ...]
) -> None:
    flow.write("bad.jsonl.gz", b"no gzip at all\n")
    done = flow.call("post", "/moody", "--inputs", "bad.jsonl.gz", *options)
    assert done.code == 1
    assert done.said.startswith("error: bad.jsonl.gz:")
    assert "nothing to post" not in done.said


@pytest.mark.parametrize("pattern", ["shut/*.jsonl", "sh*/*.jsonl", "sh*/**/*.jsonl"])
def test_a_pattern_in_a_folder_that_may_not_be_read(flow: Shell, pattern: str) -> None:
    folder = flow.folder / "shut"
    folder.mkdir(exist_ok=True)
    (folder / "x.jsonl").write_text("{}\n")
    folder.chmod(0)
    powerless = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all") * (os.getuid() == 0)
    with flow.start("post", "/moody", "-i", pattern, program=(*powerless, JINA)) as running:
        done = running.end()
    folder.chmod(0o700)
    assert done == (
        2,
        "",
        f"error: {pattern}: no file matches this pattern, but the folder shut is not readable\n"
        "help: chmod u+rx shut\n",
    )
