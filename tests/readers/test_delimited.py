"""Tables of text: a row is a Document, or else an error of its own."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import InputError
from jina.readers.delimited import DelimitedCutter
from tests.readers.drained import read


def table(tmp_path: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_columns_are_fields_or_tags_and_empty_cells_of_fields_are_unset(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id,text,uri,weight,granularity,embedding,tags,color\n"
        'x,"a, ""b""",http://u,0.5,2,"[1, 2]","{""n"": 1}",red\n'
        ",,,,,,,\n",
    )
    found = read(path)
    first, second = found.docs
    assert (first.id, first.text, first.uri) == ("x", 'a, "b"', "http://u")
    assert (first.weight, first.granularity, first.embedding.tolist()) == (0.5, 2, [1, 2])
    assert second.id.endswith("-3")
    assert second.content is None
    assert second.tags == {"color": ""}
    # Both a column of tags and one that becomes a tag: the two must not be mixed up.
    assert found.failures == []
    assert first.tags == {"n": 1, "color": "red"}


def test_columns_get_other_names(tmp_path: Path) -> None:
    path = table(tmp_path, "question\tsource\nwhy?\thttp://u\n", "a.tsv")
    (doc,) = read(path, resolver={"question": "text", "source": "uri"}).docs
    assert (doc.text, doc.uri, doc.tags) == ("why?", "http://u", {})


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("above", ["", "sep={}"])
@pytest.mark.parametrize("max_lines", [2, 100])
def test_a_csv_may_have_semicolons_or_tabs_as_its_head_has(
    tmp_path: Path, delimiter: str, above: str, max_lines: int
) -> None:
    rows = [
        f"{above.format(delimiter)}\r",
        delimiter.join(['"id, or not"', "text", "tags"]),
        delimiter.join(["a", '"x, ; \n\ty"', ""]),
        delimiter.join(["b", "1,5 é", '"{""n"": 1}"']),
        delimiter.join(["c", "z"]),
    ]
    path = table(tmp_path, "\n".join(rows))
    found = read(path, resolver={"id, or not": "id"}, max_lines=max_lines)
    assert [(doc.id, doc.text, doc.tags) for doc in found.docs] == [
        ("a", "x, ; \n\ty", {}),
        ("b", "1,5 é", {"n": 1}),
    ]
    assert found.failures == [f"{path}:6: 2 columns, but the header has 3"]


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("a,b;c\n", ["a", "b;c"]),
        ('"a;b"\n', ["a;b"]),
        ('"a,b;c";d\n', ["a,b;c", "d"]),
        ("a;b\tc;d\n", ["a", "b\tc", "d"]),
        ("a\tb;c\td\n", ["a", "b;c", "d"]),
        ("sep=,\na;b\n", ["a;b"]),
        ("\n \nsep=;\na,b;c\n", ["a,b", "c"]),
        ("sep=|\n", ["sep=|"]),
        ("only\n", ["only"]),
        ("only\t\n", ["only", ""]),
    ],
)
def test_what_stands_between_the_cells_is_told_by_the_head(
    tmp_path: Path, head: str, columns: list[str]
) -> None:
    path = table(tmp_path, head + "x\n")
    found = read(path, resolver={"none": "text"})
    assert found.broken.endswith(f"help: the columns are: {', '.join(columns)}")


def test_a_tsv_has_tabs(tmp_path: Path) -> None:
    path = table(tmp_path, "text;a\nx;y\n", "a.tsv")
    assert [doc.tags for doc in read(path).docs] == [{"text;a": "x;y"}]


def test_quoted_line_ends_stay_and_line_numbers_are_those_of_the_table(tmp_path: Path) -> None:
    path = table(tmp_path, '\r\nid,text\r\n,"a\r\nb\n"\r\n\r\n,c\r\n,"d, ""e"""')
    found = read(path)
    assert found.texts == ["a\r\nb\n", "c", 'd, "e"']
    assert [doc.id.rpartition("-")[2] for doc in found.docs] == ["3", "7", "8"]


def test_a_bad_row_is_an_outcome_of_its_own_at_its_line(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        b'text,weight,embedding\na,1,\nb\nc,1,,4\nd,heavy,\ne,,"[1,"\nf\xff,,\n"g"h,,\n"i\nj",1,\n',
    )
    found = read(path)
    assert found.texts == ["a", "i\nj"]
    assert found.failures == [
        f"{path}:3: 1 column, but the header has 3",
        f"{path}:4: 4 columns, but the header has 3",
        f"{path}:5: `weight` is 'heavy', expected a number",
        f"{path}:6: `embedding` is not JSON: Input data was truncated",
        f"{path}:7: not valid UTF-8: byte 0xff at byte 2",
        f"{path}:8: not a row of a table: ',' expected after '\"'",
    ]
    assert found.places == [1, 2, 3, 4, 5, 6]


def test_what_a_worker_refuses_has_the_line_of_the_table_too(tmp_path: Path) -> None:
    path = table(tmp_path, 'text,embedding\n"a\nb","[1]"\nc,"[[1],[1,2]]"\n')
    found = read(path)
    assert found.texts == ["a\nb"]
    assert len(found.failures) == 1
    assert found.failures[0].startswith(f"{path}:4: ")


@pytest.mark.parametrize(
    ("text", "resolver", "expected"),
    [
        ("a,b,a\n1,2,3\n", {}, '1: the column "a" appears twice\nhelp: give each'),
        ("q,text\n1,2\n", {"q": "text"}, '1: the columns "q" and "text" both set `text`'),
        (
            "question\n1\n",
            {"qestion": "text"},
            '1: there is no column "qestion"\nhelp: the columns are: question',
        ),
        (b"\n\xff,a\n1,2\n", {}, "2: not valid UTF-8: byte 0xff at byte 1"),
        ('"a"b\n', {}, "1: not a head of a table: ',' expected after '\"'"),
        ("x" * 300_000 + "\n1\n", {}, "1: the names of the columns take more than 256 KiB"),
    ],
)
def test_a_head_that_is_wrong_is_said(
    tmp_path: Path, text: str | bytes, resolver: dict[str, str], expected: str
) -> None:
    path = table(tmp_path, text)
    found = read(path, resolver=resolver)
    assert not found.docs
    assert found.broken.startswith(f"{path}:{expected}")


def test_carriage_returns_alone_end_no_line(tmp_path: Path) -> None:
    path = table(tmp_path, "a,b\r1,2\r")
    assert read(path).broken == (
        f"{path}:1: not a head of a table: a carriage return without a line feed after it"
    )
    path = table(tmp_path, "a,b\n1\r2,3\n4,5\n")
    found = read(path)
    assert [doc.tags for doc in found.docs] == [{"a": "4", "b": "5"}]
    assert found.failures == [
        f"{path}:2: not a row of a table: a carriage return without a line feed after it"
    ]


def test_a_quote_that_is_never_closed_ends_the_table_there(tmp_path: Path) -> None:
    path = table(tmp_path, 'text\na\nb\n"c\nd\n')
    found = read(path)
    assert found.texts == ["a", "b"]
    assert found.broken == (
        f"{path}:4: a quote opened in this row is never closed\n"
        "help: the rows before it were read; write a quote inside a cell twice"
    )


def test_a_row_of_many_lines_is_bounded(tmp_path: Path) -> None:
    path = table(tmp_path, "text\na\n" + '"' + "x\n" * 100)
    found = read(path, max_line_bytes=64)
    assert found.texts == ["a"]
    assert found.broken.startswith(f"{path}:3: a quote opened")


def test_a_line_that_is_too_long_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    path = table(tmp_path, "text\na\n" + "x" * 100 + "\nb\n")
    found = read(path, max_line_bytes=64)
    assert found.texts == ["a", "b"]
    assert len(found.failures) == 1
    assert found.failures[0].startswith(f"{path}:3: a line of more than")
    assert found.failures[0].endswith("; put the content in a file, and its path in `uri`")


def test_a_head_alone_and_nothing_at_all_are_no_rows(tmp_path: Path) -> None:
    for text in ("", "\n\n", "a,b", "\ufeffa,b\n"):
        found = read(table(tmp_path, text))
        assert (found.docs, found.failures, found.broken) == ([], [], "")


def test_a_cell_may_be_longer_than_the_csv_module_allows_by_itself(tmp_path: Path) -> None:
    path = table(tmp_path, "text\n" + "x" * 200_000 + "\n")
    assert read(path).texts == ["x" * 200_000]


def test_a_packed_table_and_one_from_a_pipe_are_the_same(tmp_path: Path) -> None:
    text = "text,n\n" + "".join(f'"line {n}",{n}\n' for n in range(300))
    packed = table(tmp_path, gzip.compress(text.encode()), "a.csv.gz")
    reader, writer = os.pipe()
    try:
        os.write(writer, text.encode())
        os.close(writer)
        piped = read("-", form="csv", stdin_fd=reader)
    finally:
        os.close(reader)
    unpacked = read(packed)
    assert unpacked.texts == piped.texts == [f"line {n}" for n in range(300)]
    assert piped.docs[0].tags == {"n": "0"}


cells = st.text(
    st.sampled_from('ab",\n\t é')
    | st.characters(exclude_characters="\r", exclude_categories=["Cs"]),
    max_size=6,
)


@given(
    st.lists(st.tuples(cells, cells, cells), max_size=12),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([("csv", ","), ("tsv", "\t")]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 30),
    st.integers(1, 6),
)
def test_any_rows_come_back_from_any_blocks(
    rows: list[tuple[str, str, str]],
    quoting: int,
    form: tuple[str, str],
    line_end: str,
    size: int,
    most: int,
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, delimiter=form[1], lineterminator=line_end)
    writer.writerow(["one", "two", "3"])
    writer.writerows(rows)
    data = file.getvalue().encode()
    cutter = DelimitedCutter(form[0], "a", {}, 1 << 20)
    lines: list[bytes] = []
    refused = []

    def take() -> None:
        while (cut := cutter.take(most, 1 << 20)) is not None:
            assert cut.data.count(b"\n") == cut.lines
            assert cut.first_line == 2 + len(lines)
            # A row of more lines than were asked for comes alone.
            assert cut.lines <= most or len(cut.data.strip().split(b"\n")) == 1
            lines.extend(cut.data.split(b"\n")[:-1])
            refused.extend(cut.refused)

    for start in range(0, len(data), size):
        cutter.feed(data[start : start + size])
        take()
    cutter.finish()
    take()
    assert not refused
    found = [tuple(json.loads(line).values()) for line in lines if line]
    assert found == rows


@given(st.text('",a\n', max_size=40), st.integers(1, 9))
def test_quotes_anywhere_lose_no_row_unsaid(text: str, size: int) -> None:
    """Whatever a table holds, each line is in a row, blank, refused, or named as the end."""
    data = b"x\n" + text.encode()
    cutter = DelimitedCutter("csv", "a", {}, 1 << 20)
    seen = 1
    ended = 0
    try:
        for start in range(0, len(data), size):
            cutter.feed(data[start : start + size])
            while (cut := cutter.take(3, 1 << 20)) is not None:
                assert cut.first_line == seen + 1
                seen += cut.lines
        cutter.finish()
        while (cut := cutter.take(3, 1 << 20)) is not None:
            assert cut.first_line == seen + 1
            seen += cut.lines
    except InputError as err:
        ended = int(err.where.rpartition(":")[2])
    total = data.count(b"\n") + (not data.endswith(b"\n"))
    assert seen == (ended - 1 if ended else total)
