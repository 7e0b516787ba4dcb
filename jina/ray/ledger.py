"""What a folder of results holds: of which post, which parts there are, and which are complete.

    {"schema": "jina/lanes/v1", "mark": "…", "part_bytes": 1048576, "post": {...}}
    {"part": 0, "ranges": [...]}        planned: its place in the inputs is settled
    {"done": 0, "place": {...}}         complete
    {"end": 12}                         there are no more parts than these

Lines are added by the command alone, and a line that was cut by a kill is as if it were not there.
The lanes keep the progress within a part, see `jina.client.resume`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from jina.client.resume import Place
from jina.excepts import InputError, OutputError
from jina.names import LEDGER
from jina.ray.job import Part
from jina.readers.ranges import Range
from jina.readers.stream_keys import random_key

SCHEMA = "jina/lanes/v1"
_RESTART = "write to another folder, or start over with --restart"


class _Head(msgspec.Struct, frozen=True):
    schema: str
    mark: str
    part_bytes: int
    post: dict[str, str]


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    part: int | None = None
    ranges: list[Range] = []
    done: int | None = None
    place: Place = Place()
    end: int | None = None


class Ledger:
    """The ledger of a folder, which is locked while it is open.

    Args:
        folder: of the results; made if it does not exist.
        about: what is posted, in words.
        restart: remove what an earlier post has left there.

    Raises:
        InputError: it has the results of another post, or something else; or another command
            writes there.
        OutputError: it cannot be written.
    """

    def __init__(self, folder: Path, about: Mapping[str, str], *, restart: bool) -> None:
        self.folder = folder
        self._about = dict(about)
        self.parts: list[Part] = []
        """Those that are known, in order."""
        self.done: dict[int, Place] = {}
        """How many outcomes the complete ones have."""
        self.is_all = False
        """Whether there are no parts beside these."""
        path = folder / LEDGER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._check_ours(path)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise OutputError(what, where=str(error.filename or folder)) from error
        try:
            self._lock()
            if restart:
                self._clear()
            self._head = self._read(about)
        except BaseException:
            os.close(self._file)
            raise

    def begin(self, part_bytes: Callable[[], int]) -> tuple[str, int]:
        """Begin a new post, or go on with one.

        Args:
            part_bytes: into how large parts the inputs of a new one are cut.

        Returns:
            the first line, of which no two are equal; and the size of the parts.
        """
        if self._head is None:
            os.ftruncate(self._file, 0)
            self._head = _Head(SCHEMA, random_key(), part_bytes(), self._about)
            self._write(self._head)
        return _line(self._head).decode(), self._head.part_bytes

    @property
    def is_complete(self) -> bool:
        """Whether every part is complete."""
        return self.is_all and len(self.done) == len(self.parts)

    def add(self, part: Part) -> None:
        """Note a part that is planned."""
        self.parts.append(part)
        self._write(_Line(part=part.number, ranges=part.ranges))

    def complete(self, number: int, place: Place) -> None:
        """Note that a part is complete."""
        self.done[number] = place
        self._write(_Line(done=number, place=place))

    def end(self) -> None:
        """Note that all parts are planned."""
        if not self.is_all:
            self.is_all = True
            self._write(_Line(end=len(self.parts)))

    def close(self) -> None:
        """Let others write to the folder."""
        os.close(self._file)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_ours(self, path: Path) -> None:
        if not path.exists() and any(self.folder.iterdir()):
            raise InputError(
                "the folder is not empty, and its files are not results of such a post",
                where=str(self.folder),
                hint="name another folder",
            )

    def _lock(self) -> None:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    "another `jina post` is writing to it",
                    where=str(self.folder),
                    hint="wait until it is done, or write to another folder",
                ) from None

    def _clear(self) -> None:
        for path in self.folder.glob("part-*"):
            path.unlink()
        os.ftruncate(self._file, 0)

    def _read(self, about: Mapping[str, str]) -> _Head | None:
        """Take up what an earlier run has noted; None if there is nothing."""
        with open(os.dup(self._file), "rb") as file:
            file.seek(0)
            lines = file.read().split(b"\n")
        if len(lines) < 2:
            return None  # it was killed before it had begun
        try:
            head = msgspec.json.decode(lines[0], type=_Head)
            for line in lines[1:-1]:
                self._take(msgspec.json.decode(line, type=_Line))
        except msgspec.DecodeError as error:
            path = str(self.folder / LEDGER)
            raise InputError("is damaged", where=path, hint=_RESTART) from error
        if cut := len(lines[-1]):
            os.ftruncate(self._file, os.fstat(self._file).st_size - cut)
        changed = [name for name in about if head.post.get(name) != about[name]]
        if head.schema != SCHEMA or changed or head.post.keys() != about.keys():
            if not any(self.folder.glob("part-*")):
                self.parts.clear()
                return None  # that post has no results
            raise InputError(
                "has the results of another post"
                + "".join(
                    f"\n  {name}: {head.post.get(name, '?')} then, {about[name]} now"
                    for name in changed
                ),
                where=str(self.folder),
                hint=_RESTART,
            )
        return head

    def _take(self, line: _Line) -> None:
        if line.part is not None:
            self.parts.append(Part(line.part, line.ranges))
        elif line.done is not None:
            self.done[line.done] = line.place
        elif line.end is not None:
            self.is_all = True

    def _write(self, what: Any) -> None:
        try:
            os.write(self._file, _line(what))
        except OSError as error:
            path = str(self.folder / LEDGER)
            raise OutputError(f"cannot be written: {error.strerror}", where=path) from error


def _line(what: Any) -> bytes:
    return msgspec.json.encode(what) + b"\n"
