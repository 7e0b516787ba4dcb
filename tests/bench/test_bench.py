"""Every case of the benchmark runs end to end at a tiny size; times are not judged here."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench.calibrate import effective_cores
from tests.bench.cases.lanes import VENV
from tests.bench.measure import (
    BenchError,
    Sample,
    cpu_s,
    descendants,
    interleave,
    run_client,
    server,
)
from tests.bench.options import Options, check_equal, line_key
from tests.bench.page import write_figures
from tests.bench.report import Figure, Table
from tests.bench.styles import STYLES, rows, write_lines


@pytest.mark.parametrize("name", list(bench.CASES))
def test_a_case_runs_and_its_outputs_are_equal(name: str, tmp_path: Path) -> None:
    if name == "http":
        pytest.importorskip("mosec", reason="of the extra bench")
    if name == "lanes" and not os.environ.get(VENV):
        pytest.skip(f"{VENV} names no environment with Ray")
    for table in bench.CASES[name].run(Options(tmp_path, docs=250, repeats=1)):
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert table.samples
        assert table.text().startswith(f"### {table.title}\n")


@pytest.mark.parametrize("style", list(STYLES))
def test_all_rivals_write_the_same(style: str, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in", style, 250)
    key = line_key(source)
    address = f"ipc://{tmp_path}/w"
    names = ("json", "orjson", "msgspec")
    for name in names:
        program = [sys.executable, "-m", "tests.bench.rivals.scripts", name]
        run_client([*program, style, key, str(source), str(tmp_path / name)])
    module = "tests.bench.rivals.handwritten"
    with server(module, "worker", address, style):
        program = [sys.executable, "-m", module, "client", address]
        run_client([*program, style, key, str(source), str(tmp_path / "handwritten")])
    check_equal(*(tmp_path / name for name in (*names, "handwritten")))

    found = [json.loads(line) for line in (tmp_path / "json").read_bytes().splitlines()]
    assert len(found) == 250
    for number, (row, document) in enumerate(zip(rows(style, 250), found, strict=True), 1):
        assert document["text"] == (row.get("text") or row["body"]).upper()
        assert document["mime_type"] == "text/plain"
        if style == "ids":
            assert (document["id"], document["tags"]) == (row["id"], row["tags"])
        else:
            assert document["id"] == f"{key}-{number}"
            assert document["tags"]["url"] == row["url"]


def test_lines_are_the_same_at_every_run_and_look_real(tmp_path: Path) -> None:
    first = write_lines(tmp_path / "a", "ids", 500).read_bytes()
    assert first == write_lines(tmp_path / "b", "ids", 500).read_bytes()
    lines = [json.loads(line) for line in first.splitlines()]
    assert len({line["id"] for line in lines}) == 500
    assert len({line["text"] for line in lines}) > 450
    assert 100 < sum(len(line["text"]) for line in lines) / 500 < 300


def test_outputs_that_differ_are_refused(tmp_path: Path) -> None:
    contents = {
        "a": b'{"x": 1, "y": 2}\n',
        "same": b'{"y":2,"x":1}\n',
        "other": b'{"x": 1, "y": 3}\n',
        "short": b"",
        "long": b'{"x": 1, "y": 2}\n{}\n',
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    check_equal(tmp_path / "a", tmp_path / "same")
    for name, reason in (
        ("other", "differ in line 1"),
        ("short", "line 1"),
        ("long", "more lines"),
    ):
        with pytest.raises(BenchError, match=reason):
            check_equal(tmp_path / "a", tmp_path / name)


def test_a_failing_program_fails_the_case_with_its_words() -> None:
    with pytest.raises(BenchError, match=r"exit 1\n(.|\n)*no such thing"):
        run_client([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_processor_time_of_another_process_is_counted(tmp_path: Path) -> None:
    """A busy server shows in the sample of the client that waits for it."""
    address = f"ipc://{tmp_path}/e"
    module = "tests.bench.rivals.echo"
    with server(module, "server", address) as echo:
        client = [sys.executable, "-m", module, "blobs", address, "100000", "300"]
        sample = run_client(client, {"worker": echo}, watch_memory=True)
    assert 0 < sample.cpu_s["worker"] < 5
    assert sample.total_cpu_s == pytest.approx(sample.cpu_s["worker"] + sample.cpu_s["client"])
    assert 5 << 20 < sample.extra["peak_rss_bytes"] < 500 << 20


def test_processor_time_of_this_process_grows() -> None:

    before = cpu_s(os.getpid())
    sum(range(100_000))
    assert cpu_s(os.getpid()) > before
    assert descendants(os.getpid()) == []


def test_variants_take_turns_after_a_round_that_is_not_counted() -> None:
    order: list[str] = []

    def variant(name: str) -> Sample:
        order.append(name)
        return Sample(0.0, {})

    samples = interleave({name: lambda name=name: variant(name) for name in "abc"}, 3)  # type: ignore[misc]
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert {name: len(runs) for name, runs in samples.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_table_says_which_figures_are_reached() -> None:
    table = Table("T", ["", "x"], [["a", 1.234], ["b", None]], ["Note."])
    table.figures = [Figure("good", 1.0, 1.0), Figure("bad", 1.1, 1.0)]
    assert table.text() == (
        "### T\n\n|   |    x |\n| - | ---: |\n| a | 1.23 |\n| b |      |\n\nNote.\n\n"
        "- good: 1.00 (at most 1): reached\n- bad: 1.10 (at most 1): MISSED\n"
    )


@pytest.mark.parametrize("value", [-7.91, 0.0, float("nan")])
def test_a_figure_that_is_not_positive_is_no_verdict(value: float) -> None:
    """What was measured was less than the cost of the start alone."""
    table = Table("T", ["", "x"], figures=[Figure("odd", value, 1.0)])
    assert table.text().endswith(
        f"- odd: {value:.2f} (at most 1): no verdict, too few Documents to tell\n"
    )


def test_a_difference_may_be_negative() -> None:
    table = Table("T", ["", "x"], figures=[Figure("less", -0.2, 8.0, is_difference=True)])
    assert table.text().endswith("- less: -0.20 (at most 8): reached\n")


def test_the_calibrator_gives_a_number_of_cores() -> None:
    assert 0.05 < effective_cores(turns=200_000) < 4


def test_the_command_prints_tables_and_keeps_every_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n## Figures\n\nold\n")
    options = ["--repeats", "1", "--json", str(report), "--page", str(page)]
    assert bench.main(["--case", "help", *options]) == 0

    printed = capsys.readouterr().out
    assert "Effective cores before: " in printed
    assert "| python -c pass " in printed
    written = json.loads(report.read_bytes())
    (table,) = written["cases"]["help"]
    assert len(table["samples"]["jina --help"]) == 1
    assert len(written["effective_cores"]) == 2
    command = "    python -m tests.bench --case help --docs 100000 --repeats 1\n"
    assert page.read_text().startswith(f"# Title\n\n## Figures\n\n{command}")
    assert "### jina --help\n" in page.read_text()


def test_a_page_without_its_heading_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n")
    with pytest.raises(ValueError, match="has no heading '## Figures'"):
        write_figures(page, ["x"])
    assert page.read_text() == "# Title\n"


def test_the_cases_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(bench.CASES)
