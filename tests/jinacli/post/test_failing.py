"""What `jina post` does about Documents that fail: errors to a file, limits, further attempts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell import Done, Shell

BAD = (1, 250, 399)


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder with a running Flow, and inputs of which some fail."""
    shell = shared_shell
    shell.write("data.jsonl", lines(400, *BAD))
    shell.write("fixed.jsonl", lines(400))
    with shell.up(shell.flow("Picky", "Fickle")):
        yield shell


@pytest.fixture
def out(flow: Shell) -> Iterator[Path]:
    """Where the results go."""
    path = flow.folder / "out.jsonl"
    yield path
    for each in flow.folder.glob("out.jsonl*"):
        each.unlink()
    (flow.folder / "errors.jsonl").unlink(missing_ok=True)


def lines(count: int, *bad: int) -> str:
    rows = ({"id": f"d{n}", "text": "bad" if n in bad else f"t{n}"} for n in range(count))
    return "".join(json.dumps(row) + "\n" for row in rows)


def post(flow: Shell, *options: str, inputs: str = "data.jsonl", output: str = "out.jsonl") -> Done:
    return flow.call("post", "/pick", "-i", inputs, "-o", output, *options)


def failed(path: Path) -> list[str]:
    found = map(json.loads, path.read_text().splitlines())
    return [line["id"] for line in found if "error" in line]


IDS = [f"d{n}" for n in BAD]

# --- --errors-to ----------------------------------------------------------------------------------


def test_errors_go_to_a_file_and_stay_in_their_places(flow: Shell, out: Path) -> None:
    errors = flow.folder / "errors.jsonl"
    assert post(flow, "--errors-to", "errors.jsonl").code == 3
    assert len(out.read_text().splitlines()) == 400
    assert failed(out) == failed(errors) == IDS
    # Other errors may be overwritten, and a post without any leaves none.
    assert post(flow, "--errors-to", "errors.jsonl", "--restart", inputs="fixed.jsonl").code == 0
    assert errors.read_text() == ""


def test_a_post_that_is_gone_on_with_leaves_each_error_once(flow: Shell, out: Path) -> None:
    errors = flow.folder / "errors.jsonl"
    stopped = post(flow, "--errors-to", "errors.jsonl", "--fail-fast")
    assert (stopped.code, failed(errors)) == (1, IDS[:1])
    with errors.open("ab") as file:
        file.write(b"torn")
    errors.rename(flow.folder / "elsewhere.jsonl")
    gone = post(flow, "--errors-to", "errors.jsonl")
    assert gone.code == 2
    assert "the errors of the earlier run" in gone.err
    (flow.folder / "elsewhere.jsonl").rename(errors)
    assert post(flow, "--errors-to", "errors.jsonl").code == 3
    assert failed(out) == failed(errors) == IDS


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("out.jsonl", "must be a separate file"),
        ("-", "must be a separate file"),
        ("data.jsonl", "it is an input, so errors cannot be written to it"),
        ("fixed.jsonl", "it is not a file with errors of a post"),
    ],
)
def test_errors_overwrite_nothing_else(flow: Shell, out: Path, target: str, message: str) -> None:
    before = (flow.folder / "data.jsonl").read_bytes()
    done = post(flow, "--errors-to", target)
    assert done.code == 2
    assert message in " ".join(done.err.replace("│", " ").split())
    assert not out.exists()
    assert (flow.folder / "data.jsonl").read_bytes() == before


# --- --fail-fast, --max-errors --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "count", "name"),
    [
        (["--fail-fast"], 100, "--fail-fast"),
        (["--max-errors", "1"], 100, "--fail-fast"),
        (["--max-errors", "2"], 300, "--max-errors 2"),
    ],
)
def test_it_stops_and_the_same_command_goes_on(
    flow: Shell, out: Path, options: list[str], count: int, name: str
) -> None:
    done = post(flow, *options, "--request-size", "100")
    assert done.code == 1
    assert f"{count} results were written before {name} stopped it" in done.err
    assert len(out.read_text().splitlines()) == count
    assert post(flow).code == 3
    assert failed(out) == IDS


def test_fewer_errors_do_not_stop_it(flow: Shell, out: Path) -> None:
    assert post(flow, "--max-errors", "4").code == 3
    assert len(out.read_text().splitlines()) == 400


def test_one_limit_is_enough(flow: Shell) -> None:
    done = post(flow, "--fail-fast", "--max-errors", "3")
    assert (done.code, "not both" in done.err) == (2, True)


# --- --retries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_fails_is_posted_again_and_stands_in_its_place(flow: Shell, form: str) -> None:
    """Of three calls with a `busy` one, the third succeeds."""
    texts = ["a", "busy", "b", "never", "c"]
    if form == "csv":
        flow.write(
            "busy.csv", "id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts))
        )
    else:
        rows = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
        flow.write("busy.jsonl", "\n".join([*rows, "no JSON"]) + "\n")
    arguments = ("post", "/act", "-i", f"busy.{form}", "--on-error", "split")
    alone = flow.call(*arguments)
    done = flow.call(*arguments, "--retries", "3")
    errors = [line["id"] for line in done.lines if "error" in line]
    assert [line["id"] for line in done.lines][:5] == list("01234")
    assert len(alone.lines) == len(done.lines)
    assert errors[0] == "3"
    assert len(errors) == (2 if form == "jsonl" else 1)  # nor is the line that is no JSON read
    assert done.code == 3
    assert f"{len(errors)} of {len(done.lines)} failed" in done.err


# --- --only-failed --------------------------------------------------------------------------------


def test_only_what_failed_is_posted_again(flow: Shell, out: Path) -> None:
    assert post(flow).code == 3
    again = flow.call("post", "/pick", "-i", "fixed.jsonl", "--only-failed", "out.jsonl")
    assert again.code == 0
    assert [(line["id"], line["text"]) for line in again.lines] == [(f"d{n}", f"T{n}") for n in BAD]
    done = post(
        flow, "--only-failed", "out.jsonl", inputs="fixed.jsonl", output="out.jsonl.second.jsonl"
    )
    assert (done.code, failed(flow.folder / "out.jsonl.second.jsonl")) == (0, [])
    nothing = post(
        flow, "--only-failed", "out.jsonl.second.jsonl", inputs="fixed.jsonl", output="-"
    )
    assert (nothing.code, nothing.out) == (0, "")
    assert "nothing to post: there are no errors in out.jsonl.second.jsonl" in nothing.err


def test_lines_without_ids_and_tables_are_found_too(flow: Shell, out: Path) -> None:
    flow.write("plain.jsonl", '{"text": "a"}\n\n{"text": "bad"}\nno JSON\n{"text": "b"}\n')
    assert post(flow, inputs="plain.jsonl").code == 3
    wanted = failed(out)
    assert len(wanted) == 2
    again = flow.call("post", "/pick", "-i", "plain.jsonl", "--only-failed", "out.jsonl")
    assert [line["id"] for line in again.lines] == wanted
    assert "plain.jsonl:4:" in again.lines[1]["error"]["message"]  # where it stands
    flow.write("table.csv", "text,n\na,1\nbad,2\nb,x\n")
    assert post(flow, "--restart", inputs="table.csv").code == 3
    wanted = failed(out)
    again = flow.call("post", "/pick", "-i", "table.csv", "--only-failed", "out.jsonl")
    assert [line["id"] for line in again.lines] == wanted


def test_results_are_completed_in_place(flow: Shell, out: Path) -> None:
    assert post(flow).code == 3
    out.chmod(0o640)
    done = post(flow, "--only-failed", "out.jsonl", inputs="fixed.jsonl")
    assert done.code == 0
    assert "3 errors were replaced by results, 0 are left" in done.err
    found = list(map(json.loads, out.read_text().splitlines()))
    assert [line["id"] for line in found] == [f"d{n}" for n in range(400)]
    assert all(line["text"].startswith("T") for line in found)
    assert out.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in flow.folder.glob("out.jsonl*")] == ["out.jsonl"]
    assert "is already complete: 400 results;" in post(flow).err


def test_what_cannot_be_told_apart_is_refused(flow: Shell, out: Path) -> None:
    flow.write("twins.jsonl", '{"id": "x", "text": "a"}\n{"id": "x", "text": "bad"}\n')
    assert post(flow, inputs="twins.jsonl").code == 3
    done = flow.call("post", "/pick", "-i", "twins.jsonl", "--only-failed", "out.jsonl")
    assert (done.code, done.out) == (2, "")
    assert "the id 'x' has both a result and an error" in done.err


def test_whatever_is_not_in_the_inputs_is_told(flow: Shell, out: Path) -> None:
    assert post(flow).code == 3
    flow.write("short.jsonl", lines(300))
    done = flow.call("post", "/pick", "-i", "short.jsonl", "--only-failed", "out.jsonl")
    assert done.code == 1
    assert [line["id"] for line in done.lines] == IDS[:2]
    assert (
        "1 Document that failed in out.jsonl could not be found in the inputs: 'd399'" in done.err
    )


@pytest.mark.parametrize("content", ["no results\n", "[1]\n"])
def test_a_file_of_something_else_is_refused(flow: Shell, content: str) -> None:
    flow.write("other.txt", content)
    done = flow.call("post", "/pick", "-i", "data.jsonl", "--only-failed", "other.txt")
    assert done.code == 2
    assert "these are not the results of a post" in done.err


# --- a finished output ----------------------------------------------------------------------------


def test_a_finished_output_is_complete_for_its_own_post_alone(flow: Shell, out: Path) -> None:
    assert post(flow).code == 3
    before = out.read_bytes()
    done = post(flow)
    assert done.code == 3
    assert done.err.startswith("out.jsonl is already complete: 400 results, 3 of them errors;")
    for options, told in [
        (["/some", "-i", "data.jsonl"], "endpoint: /pick then, /some now"),
        (["/pick", "-i", "fixed.jsonl"], "inputs: "),
        (["/pick", "-i", "data.jsonl", "-p", "a=1"], 'parameters: {} then, {"a":1} now'),
    ]:
        other = flow.call("post", *options, "-o", "out.jsonl")
        assert other.code == 2
        assert "out.jsonl: it has the results of another post" in other.err
        assert told in other.err
    piped = flow.call("post", "/pick", "-o", "out.jsonl", stdin='{"text": "a"}\n')
    assert piped.code == 2
    assert out.read_bytes() == before
    assert post(flow, "--restart", inputs="fixed.jsonl").code == 0
    assert failed(out) == []


def test_what_nobody_knows_is_not_overwritten(flow: Shell, out: Path) -> None:
    out.write_text("my notes\n")
    done = post(flow)
    assert (done.code, out.read_text()) == (2, "my notes\n")
    assert "it already has content" in done.err
    out.write_text("")
    assert post(flow).code == 3
    with out.open("a") as file:  # somebody has changed it
        file.write("my notes\n")
    assert post(flow).code == 2
    assert out.read_text().endswith("my notes\n")


def test_a_limit_is_gone_on_behind(flow: Shell, out: Path) -> None:
    assert post(flow, "--limit", "100").code == 3
    assert "is already complete: 100 results" in post(flow, "--limit", "100").err
    assert post(flow, "--limit", "50").code == 2
    assert post(flow, "--limit", "300").code == 3
    assert len(out.read_text().splitlines()) == 300
    assert post(flow).code == 3
    assert failed(out) == IDS
    assert len(out.read_text().splitlines()) == 400
