"""Files, pipes and gzip files as one stream of chunks."""

from __future__ import annotations

import fcntl
import gzip
import os
import random
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

from jina.defaults import MIB
from jina.excepts import InputError
from jina.readers import Chunk, LineSource, ReadOptions, open_inputs


def drain(source: LineSource, *, max_lines: int = 100, max_bytes: int = 1 << 18) -> list[Chunk]:
    """All chunks; waits for pipes as a sender does."""
    chunks = []
    while True:
        chunk = source.next_chunk(max_lines=max_lines, max_bytes=max_bytes)
        if chunk is not None:
            chunks.append(chunk)
        elif source.at_end:
            return chunks
        else:
            waiting = select.poll()
            descriptor = source.fileno()
            assert descriptor is not None
            waiting.register(descriptor, select.POLLIN)
            assert waiting.poll(30_000), "no input within 30 s"


@contextmanager
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """The two ends, unbuffered; the test may close them earlier."""
    reader, writer = os.pipe()
    with FileIO(reader, "r") as reading, FileIO(writer, "w") as writing:
        yield reading, writing


@pytest.mark.parametrize("form", ["auto", "csv", "json", "text", "npy", "npz"])
def test_a_file_that_can_be_opened_and_not_read_is_named(form: str) -> None:
    unreadable = "/proc/self/mem"  # nothing is mapped at its beginning
    before = len(os.listdir("/proc/self/fd"))
    with (
        open_inputs([unreadable], options=ReadOptions(form)) as source,
        pytest.raises(InputError) as caught,
    ):
        drain(source)
    assert str(caught.value) == f"{unreadable}: cannot be read: Input/output error"
    assert source.at_end
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_comes_in_chunks_with_true_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    lines = [b'{"text":"%d"}\n' % number for number in range(5_000)]
    path.write_bytes(b"".join(lines))
    with open_inputs([str(path)]) as source:
        assert source.total_bytes == path.stat().st_size
        chunks = drain(source)
        assert (source.lines_read, source.bytes_read) == (5_000, path.stat().st_size)
    assert [chunk.first_line for chunk in chunks] == list(range(1, 5_001, 100))
    assert {chunk.lines for chunk in chunks} == {100}
    assert {chunk.source for chunk in chunks} == {str(path)}
    assert b"".join(chunk.data for chunk in chunks) == b"".join(lines)
    assert [line for chunk in chunks for line in chunk.each] == lines
    with open_inputs([str(path)], options=ReadOptions(resolver={"text": "body"})) as source:
        renamed = [line for chunk in drain(source) for line in chunk.each]
    assert renamed == [line.replace(b"text", b"body") for line in lines]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [b"\n"]),
        (b"{}", [b"{}\n"]),
        (b"{}\r\n\r\n{}\r\n", [b"{}\r\n\r\n{}\r\n"]),
        (b"\xef\xbb\xbf{}\n", [b"{}\n"]),
        (b"\n\n\n", [b"\n\n\n"]),
        (b"\xff\xfe\x00\n", [b"\xff\xfe\x00\n"]),
    ],
    ids=["empty", "newline", "no-newline", "crlf", "bom", "blank", "binary"],
)
def test_odd_files(tmp_path: Path, content: bytes, expected: list[bytes]) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(content)
    with open_inputs([str(path)]) as source:
        assert [chunk.data for chunk in drain(source)] == expected
        assert source.at_end


def test_chunks_never_span_two_files_and_numbers_start_anew(tmp_path: Path) -> None:
    for name, content in (("a", b"1\n2\n3"), ("b", b""), ("c", b"\xef\xbb\xbf1\n")):
        (tmp_path / f"{name}.jsonl").write_bytes(content)
    with open_inputs([str(tmp_path / "*.jsonl")]) as source:
        chunks = drain(source, max_lines=2)
        assert source.bytes_read == source.total_bytes == 10
    assert [(Path(one.source).stem, one.data, one.first_line) for one in chunks] == [
        ("a", b"1\n2\n", 1),
        ("a", b"3\n", 3),
        ("c", b"1\n", 1),
    ]
    assert chunks[0].key == chunks[1].key != chunks[2].key


def test_the_same_file_has_the_same_key_at_every_run(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n")
    keys = []
    for _ in range(2):
        with open_inputs([str(path), str(path)]) as source:
            keys.append([chunk.key for chunk in drain(source)])
    assert keys[0] == keys[1]
    assert keys[0][0] != keys[0][1]


def test_a_pipe_gives_lines_as_they_come_and_never_blocks() -> None:
    with pipe() as (reader, writer), open_inputs(["-"], stdin_fd=reader.fileno()) as source:
        assert source.total_bytes is None

        def step() -> Chunk | None:
            return source.next_chunk(max_lines=2, max_bytes=1000)

        assert step() is None
        assert source.fileno() == reader.fileno()
        writer.write(b"one\ntw")
        assert step() is None
        partial = source.take_partial()
        assert partial is not None
        assert (partial.data, partial.source, partial.first_line) == (b"one\n", "<stdin>", 1)
        assert source.take_partial() is None
        writer.write(b"o\nthree\nfour\nfi")
        full = step()
        assert full is not None
        assert (full.data, full.first_line, full.key) == (b"two\nthree\n", 2, partial.key)
        assert step() is None
        writer.close()
        rest = step()
        assert rest is not None
        assert rest.data == b"four\nfi\n"
        assert step() is None
        assert source.at_end
        assert source.fileno() is None


def test_a_pipe_keeps_its_blocking_mode_and_stays_open() -> None:
    with pipe() as (reader, writer):
        before = fcntl.fcntl(reader, fcntl.F_GETFL)
        with open_inputs(["-"], stdin_fd=reader.fileno()) as source:
            writer.write(b"x\n")
            source.next_chunk(max_lines=10, max_bytes=10)
            assert fcntl.fcntl(reader, fcntl.F_GETFL) == before
        writer.close()
        assert reader.read(10) == b""


def test_keys_of_pipes_are_random() -> None:
    keys = set()
    for _ in range(2):
        with pipe() as (reader, writer):
            writer.write(b"x\n")
            writer.close()
            with open_inputs(["-"], stdin_fd=reader.fileno()) as source:
                keys |= {chunk.key for chunk in drain(source)}
    assert len(keys) == 2


def test_a_writer_in_random_pieces_gives_the_same_lines() -> None:
    rng = random.Random(7)
    content = b"".join(b"%d" % number * rng.randrange(90) + b"\n" for number in range(3_000))
    with pipe() as (reader, writer):

        def write() -> None:
            at = 0
            while at < len(content):
                at += writer.write(content[at : at + rng.randrange(1, 9_000)])
            writer.close()

        thread = threading.Thread(target=write)
        thread.start()
        with open_inputs(["-"], stdin_fd=reader.fileno()) as source:
            chunks = drain(source)
        thread.join()
    assert b"".join(chunk.data for chunk in chunks) == content
    assert [chunk.lines for chunk in chunks] == [100] * 30


def test_a_named_pipe_waits_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with open_inputs([str(path)]) as source:
        assert source.next_chunk(max_lines=1, max_bytes=10) is None
        assert not source.at_end
        path.write_bytes(b"late\n")
        assert [chunk.data for chunk in drain(source)] == [b"late\n"]


def test_standard_input_from_a_file_has_a_size(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"first\nsecond\n")
    with path.open("rb", buffering=0) as file:
        file.readline()
        with open_inputs(["-"], stdin_fd=file.fileno()) as source:
            assert source.total_bytes == 7
            assert source.fileno() is None
            assert [chunk.data for chunk in drain(source)] == [b"second\n"]
            assert source.bytes_read == 7


def test_a_gzip_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl.gz"
    content = b"".join(b"line %d\n" % number for number in range(50_000))
    # Two members, as from `cat a.gz b.gz`.
    path.write_bytes(gzip.compress(content[:1000]) + gzip.compress(content[1000:]))
    with open_inputs([str(path)]) as source:
        assert source.total_bytes == path.stat().st_size
        assert b"".join(chunk.data for chunk in drain(source)) == content
        assert source.bytes_read == path.stat().st_size


def broken(path: Path) -> tuple[list[bytes], str]:
    """The lines before the broken place, and the error."""
    lines: list[bytes] = []

    def read(source: LineSource) -> None:
        while (chunk := source.next_chunk(max_lines=7, max_bytes=1 << 18)) is not None:
            lines.extend(chunk.data.splitlines(keepends=True))

    with open_inputs([str(path)]) as source:
        with pytest.raises(InputError) as caught:
            read(source)
        assert source.at_end
        assert source.next_chunk(max_lines=1, max_bytes=1) is None
    return lines, str(caught.value)


def test_a_gzip_file_cut_off_gives_the_lines_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    rng = random.Random(1)
    content = b"".join(b"%d\n" % rng.getrandbits(256) for _ in range(2_000))
    packed = gzip.compress(content)
    expected = content.splitlines(keepends=True)
    for kept in (len(packed) - 1, len(packed) // 2, 30):
        path.write_bytes(packed[:kept])
        lines, text = broken(path)
        assert text.startswith(f"{path}: the gzip file is cut off before its end\nhelp: ")
        assert lines == expected[: len(lines)]
        # deflate lags behind by less than its window
        assert sum(map(len, lines)) > len(content) * kept / len(packed) - 70_000
        assert len(lines) == 2_000 or kept < len(packed) - 1


def test_garbage_after_a_gzip_file_comes_after_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "garbage.jsonl.gz"
    path.write_bytes(gzip.compress(b"1\n2\n3") + b"garbage")
    lines, text = broken(path)
    assert lines == [b"1\n", b"2\n"]
    assert text.startswith(f"{path}: the gzip file is broken: Not a gzipped file")


def test_a_file_that_is_not_gzip_is_said(tmp_path: Path) -> None:
    path = tmp_path / "plain.gz"
    path.write_bytes(b"{}\n")
    lines, text = broken(path)
    assert lines == []
    assert "the gzip file is broken: Not a gzipped file (b'{}')" in text


def test_a_file_that_went_away_is_said_when_its_turn_comes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x\n")
    with open_inputs([str(tmp_path / "a"), str(tmp_path / "b")]) as source:
        assert source.next_chunk(max_lines=1, max_bytes=10) is not None
        (tmp_path / "b").unlink()
        with pytest.raises(InputError, match="b: cannot be read: No such file or directory"):
            source.next_chunk(max_lines=1, max_bytes=10)


def test_no_inputs_are_at_their_end() -> None:
    with open_inputs([]) as source:
        assert source.at_end
        assert source.next_chunk(max_lines=1, max_bytes=1) is None


PEAK = """
import sys
from pathlib import Path
from jina.readers import open_inputs
def peak():  # what getrusage says begins with the memory of the parent
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
with open_inputs(sys.argv[1:]) as source:
    def run():
        chunks = 0
        while (chunk := source.next_chunk(max_lines=100, max_bytes=1 << 18)) is not None:
            chunks += 1
            for row, number, size in chunk.oversize:
                print("oversize", row, number, size)
            last = chunk
        print("last", last.data[-10:], last.first_line + last.lines - 1)
    before = peak()
    run()
    print("grew", peak() - before)
"""


def peak(path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_line_of_fifty_megabytes_is_not_held(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"long.jsonl{suffix}"
    size = 50_000_000
    with gzip.open(path, "wb", compresslevel=1) if suffix else path.open("wb") as file:
        file.write(b"{}\n")
        for _ in range(50):
            file.write(b"x" * (size // 50))
        file.write(b"\n{}\n")
    oversize, last, grew = peak(path)
    assert oversize == f"oversize 1 2 {size}"
    assert last == r"last b'{}\n\n{}\n' 3"
    assert int(grew.split()[1]) * 1024 < 30 * MIB


def test_a_long_file_of_short_lines_takes_no_more_memory_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_bytes(b'{"text": "short"}\n' * 2_000_000)
    last, grew = peak(path)
    assert last.endswith(" 2000000")
    assert int(grew.split()[1]) * 1024 < 6 * MIB


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "txt", "json"])
def test_what_was_taken_is_less_than_what_was_read(tmp_path: Path, ending: str) -> None:
    """A short file is read at once; how far a sender is, the lines tell that it has taken."""
    lines = [f'{{"id": "{number:05}", "text": "{number:05}"}}' for number in range(1_000)]
    data = "\n".join(lines).encode()
    if ending == "json":
        data = b"[" + data.replace(b"\n", b",\n") + b"]"
    elif ending == "csv":
        data = b"n\n" + b"".join(b"%05d\n" % number for number in range(1_000))
    path = tmp_path / f"a.{ending}"
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    size = path.stat().st_size
    with open_inputs([str(path), str(path)]) as source:
        while source.next_chunk(max_lines=100, max_bytes=1 << 18) is not None:
            expected = source.lines_read * size / 1_000
            assert source.bytes_taken == pytest.approx(expected, abs=size / 50)
        assert (source.lines_read, source.bytes_taken) == (2_000, 2 * size)
        assert source.total_bytes == 2 * size


def test_a_pipe_without_line_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jina.readers.source.ENDLESS_LINE_BYTES", MIB)
    with pytest.raises(InputError, match="a line does not end within 1 MiB"):
        drain(open_inputs(["/dev/zero"]))


def test_an_input_is_known_by_every_name(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"{}\n")
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "other").write_bytes(b"{}\n")
    with path.open("rb") as file:
        for source in (open_inputs([str(path)]), open_inputs(["-"], stdin_fd=file.fileno())):
            with source:
                assert source.is_fed_by(str(tmp_path / "link"))
                assert source.is_fed_by(file.fileno())
                assert not source.is_fed_by(str(tmp_path / "other"))
                assert not source.is_fed_by(str(tmp_path / "missing"))
                assert not source.is_fed_by(os.devnull)


def test_json_lines_load_nothing_that_only_other_formats_need(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n')
    code = (
        # What measures the coverage is there before, and has modules of its own.
        "import sys\nbefore = set(sys.modules)\nfrom jina.readers import open_inputs\n"
        f"with open_inputs([{str(path)!r}]) as source:\n"
        "    assert source.next_chunk(max_lines=9, max_bytes=99).lines == 1\n"
        "print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    heavy = {"numpy", "pyarrow", "msgspec", "gzip", "csv", "hashlib", "jina.types", "jina.records"}
    assert not heavy & set(done.stdout.split())
