"""Cut inputs into parts that are read on their own, so that several readers can share them.

JSON lines and text are cut at line ends. Everything else, and what is compressed, is read as a
whole. A part keeps the key of its file and the numbers of its lines, so that ids and messages are
those of a reader that reads everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import structs

from jina.defaults import MIB
from jina.excepts import InputError
from jina.readers.inputs import Input, find_inputs
from jina.readers.options import ReadOptions
from jina.readers.stream_keys import file_key
from jina.readers.urls import Remote, open_remote

_CUT = ("jsonl", "text")
_BLOCK_BYTES = MIB


class Range(msgspec.Struct, frozen=True):
    """Lines of one file that follow each other, or a whole file.

    Attributes:
        index: of the file among the inputs, from 0.
        name: of the file, as the user gave it.
        path: where it is: absolute; of a file at a URL as of an `Input`.
        key: of the whole file, see `jina.readers.stream_keys`.
        format: one of jina.readers.formats.FORMATS.
        is_gzip: it is compressed.
        size: in bytes; of what is compressed, on disk.
        start: its first byte in the file.
        first_line: number of its first line.
        lines: how many it has; 0 for a whole file that was not looked into.
        is_whole: it is a whole file.
        remote: it is at a URL.
    """

    index: int
    name: str
    path: str
    key: str
    format: str = "jsonl"
    is_gzip: bool = False
    size: int = 0
    start: int = 0
    first_line: int = 1
    lines: int = 0
    is_whole: bool = True
    remote: Remote | None = None

    def as_input(self) -> Input:
        """What a LineSource reads."""
        bounds = (0, None) if self.is_whole else (self.start, self.start + self.size)
        return Input(
            self.name,
            Path(self.path),
            self.size,
            is_gzip=self.is_gzip,
            is_fifo=False,
            format=self.format,
            start=bounds[0],
            stop=bounds[1],
            first_line=self.first_line,
            key=self.key,
            remote=self.remote,
        )


def whole_files(names: Sequence[str], options: ReadOptions) -> list[Range]:
    """Check files, and name each by its content; those at URLs by what their storage says of it.

    Args:
        names: as for `open_inputs`, but without standard input.
        options: how they are read.

    Raises:
        InputError: one of them cannot be read, or not twice.
        MissingExtra: a package that reads such a file, or such URLs, is not installed.
    """
    found: list[Range] = []
    seen: set[str] = set()
    for one in find_inputs(names, options=options):
        if one.path is None or one.size_bytes is None:
            raise InputError(
                "it can only be read once, so it cannot be cut into parts",
                where=one.name,
                hint="write it to a file first",
            )
        path = os.path.abspath(one.path) if one.remote is None else str(one.path)
        found.append(
            Range(
                index=len(found),
                name=one.name,
                path=path,
                key=one.key or _key_of(path, one.name, seen),
                format=one.format,
                is_gzip=one.is_gzip,
                size=one.size_bytes,
                remote=one.remote,
            )
        )
    return found


def _key_of(path: str, name: str, seen: set[str]) -> str:
    try:
        with open(path, "rb") as file:
            return file_key(file.fileno(), seen)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=name) from error


@contextmanager
def _opened(one: Range) -> Iterator[IO[bytes]]:
    if one.remote is not None:
        with open_remote(one.remote) as file:
            yield file
        return
    try:
        with open(one.path, "rb") as file:
            yield file
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=one.name) from error


def parts_of(
    files: Iterable[Range], part_bytes: int, after: Range | None = None
) -> Iterator[list[Range]]:
    """Cut files into parts of about one size, in order.

    Each file that is cut is read once, to count its lines.

    Args:
        files: whole.
        part_bytes: that each part has at least, but for the last one; most have hardly more.
        after: the last range that is known from earlier; the parts that follow it are made.

    Raises:
        InputError: a file cannot be read.
    """
    part: list[Range] = []
    size = 0
    for one in files:
        for piece in _pieces(one, part_bytes, after):
            part.append(piece)
            size += piece.size
            if size >= part_bytes:
                yield part
                part, size = [], 0
    if part:
        yield part


def _pieces(one: Range, part_bytes: int, after: Range | None) -> Iterator[Range]:
    """What is left of a file behind a range that is known already."""
    start, line = 0, 1
    if after is not None and one.index <= after.index:
        if one.index < after.index or after.is_whole:
            return
        start, line = after.start + after.size, after.first_line + after.lines
    if one.format not in _CUT or one.is_gzip or (not start and one.size <= part_bytes):
        if one.size:
            yield one
        return
    with _opened(one) as file:
        file.seek(start)
        while start < one.size:
            size, lines = _next_lines(file, part_bytes)
            if not size:
                return  # it has become shorter
            yield structs.replace(
                one, size=size, start=start, first_line=line, lines=lines, is_whole=False
            )
            start, line = start + size, line + lines


def _next_lines(file: IO[bytes], least_bytes: int) -> tuple[int, int]:
    """How many bytes and lines follow up to the end of a line, or of the file."""
    size = lines = 0
    block = last = b""
    while size < least_bytes and (block := file.read(min(_BLOCK_BYTES, least_bytes - size))):
        size += len(block)
        lines += block.count(b"\n")
        last = block
    while block and not block.endswith(b"\n"):
        block = file.readline(_BLOCK_BYTES)
        size += len(block)
        lines += block.count(b"\n")
        last = block or last
    return size, lines if not size or last.endswith(b"\n") else lines + 1
