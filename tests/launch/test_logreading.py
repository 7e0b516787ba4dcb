"""A log is read from its older part on, and followed into the next file when one is full."""

from __future__ import annotations

import os
from pathlib import Path

from jina.launch.events import Output, RequestFailed, Stopping, WorkerDied
from jina.launch.logreading import LogReader, line_from
from jina.launch.runlog import LogLine, _as_json, line_of


def write(path: Path, *texts: str) -> None:
    with path.open("a") as file:
        file.writelines(_as_json(LogLine(at=1.5, text=text)) + "\n" for text in texts)


def read(reader: LogReader) -> list[str]:
    return [line.text for line in reader.read()]


def test_the_older_part_comes_first_and_a_new_file_is_followed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(tmp_path / "log.1", "a")
    write(log, "b", "c")
    with LogReader(log) as reader:
        assert read(reader) == ["a", "b", "c"]
        assert read(reader) == []
        write(log, "d")
        with log.open("a") as file:
            file.write('{"at": 1.5, "te')  # no whole line yet
        assert read(reader) == ["d"]
        with log.open("a") as file:
            file.write('xt": "e"}\n')
        os.replace(log, tmp_path / "log.1")
        write(log, "f")
        assert read(reader) == ["e", "f"]
    assert LogReader(log).is_over  # there is no run of that log


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    with LogReader(tmp_path / "log") as reader:
        assert read(reader) == []
        write(tmp_path / "log", "a")
        assert read(reader) == ["a"]


def test_any_text_comes_back_and_no_line_can_do_anything() -> None:
    text = "\x1b[2J tab\t \x7f\x9b31m \u2028 \ud800 ü\u202e"
    line = _as_json(LogLine(at=1.0, worker="a/0", text=text))
    assert line.isprintable()
    assert line_from(line.encode()).text in (text, text.replace("\ud800", "\ufffd"))


def test_what_is_no_line_of_ours_is_shown_as_it_is() -> None:
    assert line_from(b"Traceback \xff").text == "Traceback \ufffd"


def test_names_stand_in_the_prefix_alone() -> None:
    def text(event: object) -> tuple[str, str]:
        line = line_of(event)  # type: ignore[arg-type]
        assert line is not None
        return line.worker, line.text

    assert text(Output(worker="a/0", text="10%\r20%")) == ("a/0", "20%")
    died = WorkerDied(worker="a/0", reason="was killed", restart_in_s=0.1)
    assert text(died) == ("a/0", "was killed; restarting in 0.1 s")
    failed = RequestFailed(worker="a/0", text="/x failed: E: no", left_out=2)
    assert text(failed)[1] == "error: /x failed: E: no; 2 more failures before it not shown"
    assert text(Stopping(reason="SIGINT")) == ("", "Stopping (SIGINT)")
