"""Inputs that are cut into parts: read on their own, they give what one reader gives."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import InputError
from jina.readers import Chunk, LineSource, ReadOptions, open_inputs
from jina.readers.ranges import Range, parts_of, whole_files
from jina.readers.rows import Rows

LINE = st.text("aö\r ", max_size=12).map(str.encode)


def read(source: LineSource) -> list[tuple[str, int, bytes]]:
    """Each line with the key and the number that make its id."""
    found = []
    with source:
        while not source.at_end:
            chunk = source.next_chunk(max_lines=3, max_bytes=1 << 20)
            if isinstance(chunk, Chunk):
                lines = chunk.data.split(b"\n")[:-1]
                found += [
                    (chunk.key, chunk.first_line + row, line) for row, line in enumerate(lines)
                ]
            elif isinstance(chunk, Rows):
                found += [("", 0, doc.id.encode()) for doc in chunk.docs]
    return found


def read_parts(parts: list[list[Range]]) -> list[tuple[str, int, bytes]]:
    return [line for part in parts for line in read(LineSource([one.as_input() for one in part]))]


@given(
    files=st.lists(st.tuples(st.lists(LINE, max_size=30), st.booleans()), min_size=1, max_size=4),
    part_bytes=st.integers(1, 200),
    known=st.integers(0, 8),
)
def test_parts_together_are_the_inputs(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[tuple[list[bytes], bool]],
    part_bytes: int,
    known: int,
) -> None:
    folder = tmp_path_factory.mktemp("in")
    names = []
    for number, (lines, ends) in enumerate(files):
        names.append(str(folder / f"{number}.jsonl"))
        Path(names[-1]).write_bytes(b"\n".join(lines) + (b"\n" if ends else b""))
    whole = whole_files(names, ReadOptions("jsonl"))
    parts = list(parts_of(whole, part_bytes))
    assert read_parts(parts) == read(open_inputs(names))
    assert all(sum(one.size for one in part) >= part_bytes for part in parts[:-1])
    # A later run knows the first parts, from a file, and makes the others.
    first = msgspec.json.decode(msgspec.json.encode(parts[:known]), type=list[list[Range]])
    after = first[-1][-1] if first else None
    assert [*first, *parts_of(whole, part_bytes, after=after)] == parts


def test_files_that_cannot_be_cut_are_parts_as_a_whole(tmp_path: Path) -> None:
    table, text = tmp_path / "a.csv", tmp_path / "b.txt"
    table.write_text('id,text\na,"x\ny"\nb,z\n' * 10)
    text.write_text("one\ntwo\nthree\n")
    parts = list(parts_of(whole_files([str(table), str(text)], ReadOptions()), 8))
    assert [[(one.name, one.is_whole, one.lines) for one in part] for part in parts] == [
        [(str(table), True, 0)],
        [(str(text), False, 2)],
        [(str(text), False, 1)],
    ]


def test_equal_files_have_different_ids(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text("{}\n")
    first, second = whole_files([str(tmp_path / "*.jsonl")], ReadOptions())
    assert first.key != second.key
    assert [key for key, *_ in read_parts([[first, second]])] == [first.key, second.key]


def test_a_renamed_key_keeps_its_line_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"q": "1"}\n{"q": "2"}\n')
    options = ReadOptions(resolver={"q": "text"})
    parts = list(parts_of(whole_files([str(path)], options), 1))
    (last,) = read(LineSource([one.as_input() for one in parts[1]], options=options))
    assert last[1:] == (2, b'{"text":"2"}')


def test_a_pipe_is_refused() -> None:
    with pytest.raises(InputError, match="only be read once"):
        whole_files(["-"], ReadOptions())
