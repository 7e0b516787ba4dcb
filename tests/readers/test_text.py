"""Lines of text, and JSON lines with other names for their keys."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.readers.options import Renames
from jina.readers.text import RenamingCutter, TextCutter
from tests.readers.drained import read


def test_each_line_is_a_text_and_keeps_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b'\xef\xbb\xbfone\r\n\r\n  two "2"\n\t\nthr\xc3\xa9e')
    found = read(path)
    assert found.texts == ["one", '  two "2"', "thrée"]
    assert [doc.id.rpartition("-")[2] for doc in found.docs] == ["1", "3", "5"]
    assert not found.failures


def test_a_line_that_is_no_utf8_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\nt\xffwo\nthree\n")
    found = read(path)
    assert found.texts == ["one", "three"]
    assert found.failures == [f"{path}:2: not valid UTF-8: byte 0xff at byte 2"]
    assert found.places == [1]


def test_a_line_that_is_too_long_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n" + b"x" * 100 + b"\nthree")
    found = read(path, max_line_bytes=50)
    assert found.texts == ["one", "three"]
    assert len(found.failures) == 1
    assert found.failures[0].startswith(f"{path}:2: a line of more than")


def test_packed_text_is_unpacked_and_keeps_what_lies_before_a_cut(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"line {n}\n" for n in range(5000)).encode())
    path = tmp_path / "a.txt.gz"
    path.write_bytes(whole)
    assert len(read(path).docs) == 5000
    path.write_bytes(whole[: len(whole) // 2])
    found = read(path)
    assert found.texts == [f"line {n}" for n in range(len(found.docs))]
    assert len(found.docs) > 100
    assert found.broken.startswith(f"{path}: the gzip file is cut off before its end")


def test_keys_of_json_lines_get_other_names_and_values_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"q":"a","n":12345678901234567890}\nnope\n{"q":"b","text":"c"}\n'
        '{"document":{"q":"d"},"groundtruth":{"q":"e"}}\n'
    )
    found = read(path, resolver={"q": "text"})
    assert found.texts == ["a", "d"]
    assert found.docs[0].tags == {"n": 12345678901234567890}
    assert found.failures == [
        f"{path}:2: not JSON: expecting value at byte 1",
        f"{path}:3: both `q` and `text` set the field `text`",
    ]


def test_the_text_of_lines_may_become_a_tag(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x\n")
    assert read(path, resolver={"text": "line"}).docs[0].tags == {"line": "x"}


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))),
    st.integers(1, 40),
    st.integers(1, 5),
)
def test_any_lines_in_any_blocks_are_the_same_texts(lines: list[str], size: int, most: int) -> None:
    data = "\n".join(lines).encode()
    whole = _cut(TextCutter(1 << 20), data, len(data) or 1, 1000)
    assert _cut(TextCutter(1 << 20), data, size, most) == whole
    assert whole.count(b'{"text":') == sum(1 for line in lines if line.strip("\ufeff").strip())


@pytest.mark.parametrize("size", [1, 2, 7])
def test_renamed_lines_come_in_any_blocks(size: int) -> None:
    data = b'{"a": 1}\n\n[2]\n{"a": {"a": 3}}'
    assert _cut(RenamingCutter(100, Renames({"a": "b"})), data, size, 2) == (
        b'{"b":1}\n\n[2]\n{"b":{"a": 3}}\n'
    )


def _cut(cutter: TextCutter | RenamingCutter, data: bytes, size: int, most: int) -> bytes:
    """All lines that come out when blocks of this size go in."""
    out = []
    for start in range(0, len(data), size):
        cutter.feed(data[start : start + size])
        while (cut := cutter.take(most, 1 << 20)) is not None:
            out.append(cut.data)
    cutter.finish()
    while (cut := cutter.take(most, 1 << 20)) is not None:
        out.append(cut.data)
    return b"".join(out)
