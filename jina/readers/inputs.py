"""Find the inputs that the user names, and check that they can be read.

Nothing is read here. Every name is checked before the first line of any input is sent.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import NamedTuple

from jina.excepts import InputError
from jina.readers.folders import files_below
from jina.readers.formats import STORED, format_of, require
from jina.readers.options import ReadOptions
from jina.readers.stream_keys import text_key
from jina.readers.urls import Remote, find_remote, is_url
from jina.suggest import near_file

STDIN = "-"
STDIN_NAME = "<stdin>"


class Input(NamedTuple):
    """One input that has been checked."""

    name: str
    """As the user gave it, but printable; "<stdin>" for standard input."""
    path: Path | None
    """None for standard input; of a file at a URL only its name."""
    size_bytes: int | None
    """On disk; None when it is not a regular file."""
    is_gzip: bool
    is_fifo: bool
    format: str = "jsonl"
    """One of jina.readers.formats.FORMATS."""
    start: int = 0
    """Byte at which reading begins: that of a line."""
    stop: int | None = None
    """Byte at which it ends, that of another line; None for the end of the file."""
    first_line: int = 1
    """Number of the line at `start`."""
    key: str = ""
    """Of the whole file, if it is known; see jina.readers.stream_keys."""
    remote: Remote | None = None
    """A file at a URL."""


def find_inputs(
    names: Iterable[str], *, stdin_fd: int = 0, options: ReadOptions | None = None
) -> list[Input]:
    """Check every name and expand the patterns, in order.

    Args:
        names: paths, "-" for standard input, folders, patterns with `*`, `?`, `[…]` or `**`, URLs.
        stdin_fd: the descriptor for "-".
        options: its format is that of all inputs.

    Raises:
        InputError: names the first input that cannot be read, and says why and how to fix it.
        MissingExtra: a package that reads such a file, or such URLs, is not installed.
    """
    found: list[Input] = []
    keys: set[str] = set()
    form = "auto" if options is None else options.format
    for name in names:
        if name == STDIN:
            if any(one.path is None for one in found):
                raise InputError("standard input is given twice", where=STDIN)
            found.append(_check_stdin(stdin_fd, form))
        elif os.path.isdir(name):
            found += [_check_file(each, form, unknown="files") for each in files_below(name)]
        elif is_url(name) and not os.path.lexists(name):
            found += [_check_remote(one, form, keys) for one in find_remote(name)]
        elif not os.path.lexists(name) and any(char in name for char in "*?["):
            found += [_check_file(match, form) for match in _expand(name)]
        else:
            found.append(_check_file(name, form))
    return found


def printable(name: str) -> str:
    """A file's name as text that can be sent and shown: bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _check_stdin(stdin_fd: int, form: str) -> Input:
    try:
        status = os.fstat(stdin_fd)
    except OSError as err:
        raise InputError("standard input is closed", where=STDIN_NAME) from err
    if stat.S_ISDIR(status.st_mode):
        raise InputError("a directory, not a file", where=STDIN_NAME)
    if form in STORED:
        raise _no_stream(form, STDIN_NAME)
    size = None
    if stat.S_ISREG(status.st_mode):
        size = max(0, status.st_size - os.lseek(stdin_fd, 0, os.SEEK_CUR))
    form = "jsonl" if form == "auto" else form
    return Input(STDIN_NAME, None, size, is_gzip=False, is_fifo=False, format=form)


def _no_stream(form: str, where: str) -> InputError:
    return InputError(
        f"the format {form} can only be read from a file, not from a pipe",
        where=where,
        hint=f"write it to a file and use: --inputs FILE --format {form}",
    )


def _expand(pattern: str) -> Sequence[str]:
    """The files that match a pattern, sorted; folders are left out."""
    matches = sorted(match for match in glob(pattern, recursive=True) if not os.path.isdir(match))
    if matches:
        return matches
    for folder in _folders_of(pattern):
        if not os.access(folder, os.R_OK | os.X_OK):
            raise InputError(
                f"no file matches this pattern, but the folder {folder} is not readable",
                where=pattern,
                hint=f"chmod u+rx {folder}",
            )
    raise InputError("no file matches this pattern", where=pattern, hint=_looked_up("patterns"))


def _folders_of(pattern: str) -> Iterator[str]:
    """The folders that are searched for a pattern, from the outermost."""
    parts = pattern.split("/")
    for end in range(1, len(parts)):
        # `glob` finds a folder that cannot be entered, though none of the files in it.
        for folder in glob("/".join(parts[:end]) or "/", recursive=True):
            if os.path.isdir(folder):
                yield folder


def _check_file(name: str, form: str, unknown: str = "jsonl") -> Input:
    try:
        status = os.stat(name)
    except OSError as err:
        raise _missing(name, err) from err
    except ValueError as err:  # a NUL in the name
        raise InputError(f"not a file name: {err}", where=repr(name)) from err
    path, name = Path(name), printable(name)
    if not os.access(path, os.R_OK):
        raise InputError("no permission to read it", where=name, hint=f"chmod u+r {name}")
    is_regular = stat.S_ISREG(status.st_mode)
    is_gzip = is_regular and path.suffix.lower() == ".gz"
    if form == "auto":
        form = format_of(name, is_gzip=is_gzip, unknown=unknown)
    if form in STORED and not is_regular:
        raise _no_stream(form, name)
    require(form, name)
    return Input(
        name,
        path,
        status.st_size if is_regular else None,
        is_gzip=is_gzip,
        is_fifo=stat.S_ISFIFO(status.st_mode),
        format=form,
    )


def _check_remote(one: Remote, form: str, keys: set[str]) -> Input:
    """A file at a URL; `keys` are those that were given to others."""
    key = one.key
    while key in keys:
        key = text_key(f"{key} again")
    keys.add(key)
    is_gzip = one.path.lower().endswith(".gz")
    if form == "auto":
        form = format_of(one.path, is_gzip=is_gzip)
    require(form, one.url)
    return Input(
        one.url,
        Path(one.path),
        one.size,
        is_gzip=is_gzip,
        is_fifo=False,
        format=form,
        key=key,
        remote=one,
    )


def _missing(name: str, err: OSError) -> InputError:
    """The error for a name that cannot be opened, with a similar name when there is one."""
    if not name:
        return InputError("an empty file name", where="--inputs")
    if not isinstance(err, FileNotFoundError | NotADirectoryError):
        return InputError(f"cannot be read: {err.strerror}", where=name)
    if os.path.islink(name):
        target = printable(os.readlink(name))
        return InputError(f"it is a link to {target}, which does not exist", where=name)
    folder, _, base = name.rpartition("/")
    folder = f"{folder}/" if _ else ""
    try:
        neighbours = os.listdir(folder or ".")
    except OSError:
        hint = f"there is no folder {folder[:-1]}" if folder else _looked_up("names")
        return InputError("no such file", where=name, hint=hint)
    # Not folders: they would be refused too.
    files = [each for each in neighbours if not os.path.isdir(folder + each)]
    near = near_file(base, files)
    hint = f'did you mean "{folder}{near}"?' if near else ""
    if not near and not name.startswith("/"):
        hint = _looked_up("names")
    return InputError("no such file", where=name, hint=hint)


def _looked_up(what: str) -> str:
    """Say from where relative names are looked up; the working directory may have been removed."""
    try:
        return f"relative {what} are resolved from {os.getcwd()}"
    except OSError:
        return "the working directory no longer exists: cd to another one"
