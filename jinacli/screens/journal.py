"""How far a post to a file has come, so that the same command goes on where it was stopped.

Beside the results, `<file>.progress` says what they are the results of, and, after each request
whose outcomes are completely written, how many input lines and output bytes that makes. A run that
finds it cuts the results back to that byte and leaves those lines out: no outcome is lost, and none
comes twice, whatever ended the first run. At the end the file is removed.

    {"schema": "jina/progress/v1", "post": {...}}         what was asked for
    {"lines":        400,"size":      39001, ...}         how far it came, always of one length

The second line is written over in place, by one system call within a page: a kill -9 leaves the old
one or the new one.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from hashlib import sha256
from typing import Any

import msgspec

from jina.client.requests import Request, RequestSource
from jina.excepts import InputError, OutputError
from jina.readers import LineSource, ReadOptions
from jina.readers.inputs import find_inputs
from jina.readers.stream_keys import file_key

SCHEMA = "jina/progress/v1"

_WIDTH = 15  # digits of a number


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a post has come.

    Attributes:
        lines: of the inputs whose outcomes are written, blank ones included.
        size: of the results, in bytes.
        outcomes: in the results.
        failed: of those.
    """

    lines: int = 0
    size: int = 0
    outcomes: int = 0
    failed: int = 0


class _Head(msgspec.Struct):
    schema: str
    post: dict[str, str]


class Journal:
    """The progress file of one output.

    It stands between the requests and whoever sends them, and remembers for each how many lines
    had been read when it was made.

    Args:
        output: path of the results.
        post: what is asked for, see `described`.
        place: where this run begins.
        source: of the requests.
        lines: that they are made of.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(
        self,
        output: str,
        post: dict[str, str],
        place: Place,
        source: RequestSource,
        lines: LineSource,
    ) -> None:
        self._source = source
        self._lines = lines
        self._ends: deque[int] = deque()
        self.place = place
        """How far the results are written."""
        self._is_done = False
        self._path = _path_of(output)
        head = msgspec.json.encode(_Head(SCHEMA, post)) + b"\n"
        self._start = len(head)
        new = f"{self._path}.new"
        try:
            with open(new, "wb") as file:
                file.write(head + _rendered(place))
            os.replace(new, self._path)  # whole or not at all
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._path) from error

    def note(self, size: int, outcomes: int, failed: int) -> None:
        """One more reply is written.

        Args:
            size: of the results now, in bytes.
            outcomes: in them.
            failed: of those.
        """
        lines = self._ends.popleft()  # replies come in the order of their requests
        place = Place(lines=lines, size=size, outcomes=outcomes, failed=failed)
        try:
            os.pwrite(self._descriptor, _rendered(place), self._start)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._path) from error
        self.place = place

    def remove(self) -> None:
        """All is written: there is nothing to go on with."""
        self._is_done = True

    def close(self) -> None:
        """Leave the file to a later run, if there is anything to leave."""
        os.close(self._descriptor)
        if self._is_done or not self.place.lines:
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    @property
    def at_end(self) -> bool:
        """See RequestSource."""
        return self._source.at_end

    def next(self) -> Request | None:
        """See RequestSource."""
        return self._counted(self._source.next())

    def partial(self) -> Request | None:
        """See RequestSource."""
        return self._counted(self._source.partial())

    def fileno(self) -> int | None:
        """See RequestSource."""
        return self._source.fileno()

    def _counted(self, request: Request | None) -> Request | None:
        if request is not None:
            self._ends.append(self._lines.lines_read)
        return request


def described(inputs: list[str], reading: ReadOptions, **options: Any) -> dict[str, str] | None:
    """What a post is the same by: its inputs' content, and the options that make the results.

    Args:
        inputs: as they were named.
        reading: how they are read.
        **options: whatever else must be the same.

    Returns:
        words for each, to compare and to show; None for inputs that cannot be read twice.

    Raises:
        InputError: an input cannot be read.
    """
    keys: list[str] = []
    seen: set[str] = set()
    for one in find_inputs(inputs, options=reading):
        if one.path is None or one.size_bytes is None:
            return None
        try:
            descriptor = os.open(one.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                keys.append(f"{file_key(descriptor, seen)} ({one.size_bytes} bytes)")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=one.name) from error
    options["reading"] = [reading.format, dict(reading.resolver), reading.content]
    words = {name: _worded(value) for name, value in options.items()}
    return {**words, "inputs": ", ".join(keys)}


def find_place(output: str, post: dict[str, str] | None, limit: int | None) -> Place | None:
    """Where an earlier, unfinished run of this post stopped; None when there is none.

    Args:
        output: path of the results.
        post: what is asked for; None when it cannot be resumed.
        limit: most lines in all; None for no limit.

    Raises:
        InputError: the results are another post's, not those that the file tells of, or of more
            lines than the limit.
    """
    try:
        with open(_path_of(output), "rb") as file:
            head_line, _, place_line = file.read().partition(b"\n")
            size = os.stat(output).st_size
    except FileNotFoundError:
        return None  # there was no such run, or its results are gone: nothing to go on with
    except OSError as error:
        raise _unusable(output, f"cannot be read: {error.strerror}") from error
    try:
        head = msgspec.json.decode(head_line, type=_Head)
        place = msgspec.json.decode(place_line, type=Place)
    except msgspec.DecodeError as error:
        raise _unusable(output, "is damaged") from error
    if not place.lines:
        return None  # it was killed before there was anything
    if post is None:
        raise InputError(
            "holds the results of a post that has not finished; this one would overwrite them",
            where=output,
            hint=_RESTART,
        )
    changed = [name for name in post if head.post.get(name) != post[name]]
    if head.schema != SCHEMA or changed:
        raise InputError(
            "holds the results of another post that has not finished"
            + "".join(
                f"\n  {name}: {head.post.get(name, '?')} then, {post[name]} now" for name in changed
            ),
            where=output,
            hint=_RESTART,
        )
    if size < place.size:
        raise _unusable(output, f"tells of {place.size} bytes of results, but there are {size}")
    if limit is not None and limit < place.lines:
        # To end here would forget how far it came, and the next run would overwrite it all.
        raise InputError(
            f"holds the results of {place.lines} lines of this post already, more than --limit "
            f"{limit}",
            where=output,
            hint=f"go on without --limit or with a larger one, {_RESTART}",
        )
    return place


_RESTART = "write to another file, or begin anew with --restart"


def forget(output: str) -> None:
    """Whatever an earlier run has left: it is not gone on with."""
    with contextlib.suppress(OSError):
        os.unlink(_path_of(output))


def _unusable(output: str, what: str) -> InputError:
    return InputError(what, where=_path_of(output), hint=_RESTART)


def _path_of(output: str) -> str:
    return f"{output}.progress"


def _rendered(place: Place) -> bytes:
    fields = ((name, getattr(place, name)) for name in place.__struct_fields__)
    return ("{" + ",".join(f'"{name}":{value:{_WIDTH}}' for name, value in fields) + "}\n").encode()


def _worded(value: Any) -> str:
    """A short option as it is, a long one by its fingerprint."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
    return text if len(text) <= 60 else sha256(text.encode()).hexdigest()[:16]
