"""Broken YAML and Python, each with the whole message that a user reads.

The cases stand in `tests/config/broken/*.case`: a title, the files, and what `check` prints about
the first of them. `JINA_WRITE_CASES=1 pytest tests/test_check.py` writes the messages as they are
now; read the difference before it is kept.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from jina.check import check_executor, check_flow

FOLDER = Path(__file__).parent / "config" / "broken"
WANTED = ">>> check says"


class Case(NamedTuple):
    file: Path
    title: str
    text: str  # the case as it stands, without the message
    files: dict[str, str]
    message: str


def cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.case")) for case in read(path)]


def read(path: Path) -> list[Case]:
    found = []
    for block in re.split(r"^### ", path.read_text(), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        body, _, message = rest.partition(f"{WANTED}\n")
        parts = re.split(r"^--- (\S+)\n", body, flags=re.MULTILINE)[1:]
        files = dict(zip(parts[::2], parts[1::2], strict=True))
        # Blank lines end a case; they belong to no file.
        files = {name: text.rstrip("\n") + "\n" for name, text in files.items()}
        found.append(Case(path, title, body.rstrip("\n"), files, message.rstrip("\n")))
    return found


def said(case: Case, folder: Path) -> str:
    for name, text in case.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    first = next(iter(case.files))
    check = check_flow if first == "flow.yml" else check_executor
    text = "\n\n".join(map(str, check(first).problems))
    return text.replace(str(folder), "<folder>")


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file.stem}: {case.title}")
def test_the_whole_message(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORPUS_SET", "x")
    monkeypatch.delenv("CORPUS_UNSET", raising=False)
    message = said(case, tmp_path)
    if os.environ.get("JINA_WRITE_CASES"):
        write(case, message)
    else:
        assert message == case.message
    assert capsys.readouterr().out == ""


def write(case: Case, message: str) -> None:
    written = read(case.file)
    text = ""
    for each in written:
        shown = message if each.title == case.title else each.message
        text += f"### {each.title}\n{each.text}\n{WANTED}\n{shown}\n\n"
    case.file.write_text(text.rstrip("\n") + "\n")


def test_there_are_enough_cases() -> None:
    titles = [(case.file, case.title) for case in cases()]
    assert len(titles) == len(set(titles)) >= 60


def test_every_case_says_something_with_a_place() -> None:
    for case in cases():
        assert re.match(r"\S+:\d+:\d+: (error|warning)\[", case.message), case.title


def test_no_message_shows_our_own_frames() -> None:
    for case in cases():
        assert "/jina/" not in case.message, case.title
