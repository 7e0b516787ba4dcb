"""Read a source to its end: its Documents, and the messages about everything else."""

from __future__ import annotations

import select
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jina import Document
from jina.client.requests import call_of
from jina.excepts import InputError, JinaError
from jina.readers import Chunk, LineSource, ReadOptions
from jina.readers.inputs import find_inputs
from jina.wire.body import read_lines
from jina.wire.maps import Call, LineFailures, pack_map, unpack_map


class Drained(NamedTuple):
    """What came out, in order."""

    docs: list[Document]
    failures: list[str]
    """The messages about rows that are not Documents."""
    places: list[int]
    """How many outcomes of their request come before each failure."""
    broken: str
    """Where and why the source broke off; empty when it did not."""
    rows: int

    @property
    def texts(self) -> list[str | None]:
        return [doc.text for doc in self.docs]


def read(
    *paths: Path | str,
    form: str = "auto",
    resolver: Mapping[str, str] | None = None,
    content: str = "auto",
    stdin_fd: int = 0,
    max_lines: int = 100,
    max_bytes: int = 1 << 18,
    max_line_bytes: int = 1 << 24,
) -> Drained:
    """Read inputs to their end, as a client and a worker do together."""
    options = ReadOptions(form, resolver or {}, content)
    inputs = find_inputs(map(str, paths), stdin_fd=stdin_fd, options=options)
    docs: list[Document] = []
    failures: list[str] = []
    places: list[int] = []
    broken = ""
    with LineSource(
        inputs, stdin_fd=stdin_fd, options=options, max_line_bytes=max_line_bytes
    ) as source:
        while not source.at_end:
            try:
                chunk = source.next_chunk(max_lines=max_lines, max_bytes=max_bytes)
            except InputError as err:
                broken = str(err)
                continue
            if chunk is None:
                if (descriptor := source.fileno()) is not None:
                    assert select.select([descriptor], [], [], 30)[0], "no input within 30 s"
                continue
            assert chunk.lines <= max_lines
            if isinstance(chunk, Chunk):
                assert chunk.data.count(b"\n") == chunk.lines
                body = read_lines(chunk.data, call_of(Call(), chunk), chunk.first_line)
                docs += body.docs[0]
                found = body.failures
            else:
                docs += chunk.docs
                found = chunk.failures
            if found is not None:
                assert unpack_map(LineFailures, pack_map(found)) == found  # as it travels
                failures += [failure.message for failure in found.failures]
                places += [failure.place for failure in found.failures]
        return Drained(docs, failures, places, broken, source.lines_read)


def refusal(*paths: Path | str, **how: object) -> str:
    """Why nothing of the inputs is read: the error from opening them, or from the first's start."""
    try:
        found = read(*paths, **how)  # type: ignore[arg-type]  # passed on
    except JinaError as err:
        return str(err)
    assert not found.docs
    assert not found.failures
    assert found.broken
    return found.broken
