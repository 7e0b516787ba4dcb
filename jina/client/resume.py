"""How far a post of files has come, so that the same post can resume where it was stopped.

Beside the results, `<file>.progress` says what they are the results of. After each request whose
outcomes are completely written it also says how many input lines and output bytes that makes. A run
that finds it cuts the results back to that byte and skips those lines: no outcome is lost, and none
comes twice, whatever ended the first run. The file is removed at the end.

    {"schema": "jina/progress/v1", "post": {...}}         what was asked for
    {"lines":        400,"size":      39001, ...}         how far it came, always of one length

The second line is overwritten in place, by one system call within a page: a kill -9 leaves the old
one or the new one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import msgspec

from jina.excepts import InputError, OutputError
from jina.readers import ReadOptions
from jina.readers.inputs import find_inputs
from jina.readers.stream_keys import file_key, text_key

SCHEMA = "jina/progress/v1"

_WIDTH = 15  # digits of a number
_RESTART = "write to another file, or start over with --restart"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a post has come.

    Attributes:
        lines: input lines whose outcomes are written, blank ones included.
        size: of the results, in bytes.
        outcomes: how many the results hold.
        failed: how many of those are errors.
        went_on: how many of the others are of requests that went on after an error.
        errors: of the file of errors, in bytes; 0 where there is none.
    """

    lines: int = 0
    size: int = 0
    outcomes: int = 0
    failed: int = 0
    went_on: int = 0
    errors: int = 0


class _Head(msgspec.Struct):
    schema: str
    post: dict[str, str]


class Journal:
    """The progress file of one output.

    Args:
        output: path of the results.
        identity: what is posted, see `identity_of`.
        place: where this run begins.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, output: str, identity: dict[str, str], place: Place) -> None:
        self.place = place
        """How far the results are written."""
        self._is_finished = False
        self._path = _path_of(output)
        head = msgspec.json.encode(_Head(SCHEMA, identity)) + b"\n"
        self._start = len(head)
        new = f"{self._path}.new"
        try:
            with open(new, "wb") as file:
                file.write(head + _rendered(place))
            os.replace(new, self._path)  # whole or not at all
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._path) from error

    def note(self, place: Place) -> None:
        """Remember how far the results are written, after each reply."""
        try:
            os.pwrite(self._descriptor, _rendered(place), self._start)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._path) from error
        self.place = place

    def finish(self) -> None:
        """Everything is written: there is nothing to resume."""
        self._is_finished = True

    def close(self) -> None:
        """Leave the file to a later run, if there is anything to resume."""
        os.close(self._descriptor)
        if self._is_finished or not self.place.lines:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def identity_of(
    inputs: Sequence[str], reading: ReadOptions, **options: Any
) -> dict[str, str] | None:
    """What tells one post from another: the inputs' content and the options that shape the results.

    Args:
        inputs: as they were named.
        reading: how they are read.
        **options: whatever else must be the same for a post to be resumed.

    Returns:
        a few words for each, to compare and to show; None for inputs that cannot be read twice.

    Raises:
        InputError: an input cannot be read.
    """
    keys: list[str] = []
    seen: set[str] = set()
    for one in find_inputs(inputs, options=reading):
        if one.path is None or one.size_bytes is None:
            return None
        if one.remote is not None:
            keys.append(f"{one.key} ({one.size_bytes} bytes)")
            continue
        try:
            descriptor = os.open(one.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                keys.append(f"{file_key(descriptor, seen)} ({one.size_bytes} bytes)")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=one.name) from error
    return identity_in_words(keys, reading, **options)


def identity_in_words(keys: Sequence[str], reading: ReadOptions, **options: Any) -> dict[str, str]:
    """What tells one post from another, in words.

    Args:
        keys: of the inputs, in words.
        reading: how they are read.
        **options: see `identity_of`.
    """
    options["reading"] = [reading.format, dict(reading.resolver), reading.content]
    words = {name: _worded(value) for name, value in options.items()}
    return {**words, "inputs": ", ".join(keys)}


def find_place(output: str, identity: dict[str, str] | None, limit: int | None) -> Place | None:
    """Find where an earlier, unfinished run of this post stopped; None when there is none.

    Args:
        output: path of the results.
        identity: of the post; None when it cannot be resumed.
        limit: the most lines to post in all; None for no limit.

    Raises:
        InputError: the results belong to another post, are not what the progress file says, or
            are those of more lines than the limit.
    """
    found = _read(output)
    if found is None:
        return None  # there was no such run, or its results are gone: nothing to resume
    head, place, size = found
    if not place.lines:
        return None  # it was killed before there was anything
    _check_identity(output, head, identity)
    if size < place.size:
        raise _unusable(output, f"records {place.size} bytes of results, but there are {size}")
    if limit is not None and limit < place.lines:
        # To end here would forget how far it came, and the next run would overwrite it all.
        raise InputError(
            f"already has the results of {place.lines} lines of this post, more than --limit "
            f"{limit}",
            where=output,
            hint=f"continue without --limit or with a larger one, {_RESTART}",
        )
    return place


def _read(output: str) -> tuple[_Head, Place, int] | None:
    """What the progress file says, and the size of the results; None if either is missing."""
    try:
        with open(_path_of(output), "rb") as file:
            head_line, _, place_line = file.read().partition(b"\n")
            size = os.stat(output).st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(output, f"cannot be read: {error.strerror}") from error
    try:
        return (
            msgspec.json.decode(head_line, type=_Head),
            msgspec.json.decode(place_line, type=Place),
            size,
        )
    except msgspec.DecodeError as error:
        raise _unusable(output, "is damaged") from error


def _check_identity(output: str, head: _Head, identity: dict[str, str] | None) -> None:
    """Refuse to overwrite what another post has left unfinished."""
    if identity is None:
        raise InputError(
            "has the results of an unfinished post, which this one would overwrite",
            where=output,
            hint=_RESTART,
        )
    changed = [name for name in identity if head.post.get(name) != identity[name]]
    if head.schema != SCHEMA or changed:
        raise InputError(
            "has the results of another, unfinished post"
            + "".join(
                f"\n  {name}: {head.post.get(name, '?')} then, {identity[name]} now"
                for name in changed
            ),
            where=output,
            hint=_RESTART,
        )


def forget(output: str) -> None:
    """Remove what an earlier run has left: it will not be resumed."""
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
    """A short option as it is, a long one as its fingerprint."""
    if isinstance(value, str):
        text = value
    else:  # keys of a program's parameters may be numbers
        value = msgspec.to_builtins(value, str_keys=True)
        text = msgspec.json.encode(value, order="sorted").decode()
    return text if len(text) <= 60 else text_key(text)
