"""Turn what the user names as inputs into files that exist and can be read.

Nothing is read here: every name is checked before the first line of any goes out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jina.excepts import InputError

STDIN = "-"
STDIN_NAME = "<stdin>"

# How to turn a format that is not read yet into JSON lines.
_CONVERSIONS = {
    ".json": "one JSON value per line is read: jq -c '.[]' {name} > {stem}.jsonl, "
    "or, if it holds JSON lines already, rename it to {stem}.jsonl",
    ".csv": 'convert it: python -c "import csv, json, sys; [print(json.dumps(row)) '
    'for row in csv.DictReader(sys.stdin)]" < {name} > {stem}.jsonl',
    ".tsv": 'convert it: python -c "import csv, json, sys; [print(json.dumps(row)) '
    "for row in csv.DictReader(sys.stdin, delimiter='\\t')]\" < {name} > {stem}.jsonl",
    ".npy": 'convert it: python -c "import json, numpy; [print(json.dumps(dict(embedding=row))) '
    "for row in numpy.load('{name}').tolist()]\" > {stem}.jsonl",
    ".npz": 'convert one of its arrays: python -c "import json, numpy; '
    "[print(json.dumps(dict(embedding=row))) "
    "for row in numpy.load('{name}')['arr_0'].tolist()]\" > {stem}.jsonl",
    ".parquet": 'convert it: python -c "import pandas; '
    "pandas.read_parquet('{name}').to_json('{stem}.jsonl', orient='records', lines=True)\"",
}


class Input(NamedTuple):
    """One input that was checked."""

    name: str
    """As the user gave it, "<stdin>" for standard input."""
    path: Path | None
    """None for standard input."""
    size_bytes: int | None
    """On disk; None when it is no regular file."""
    is_gzip: bool
    is_fifo: bool


def find_inputs(names: Iterable[str], *, stdin_fd: int = 0) -> list[Input]:
    """Check every name and expand the patterns, in order.

    Args:
        names: paths, "-" for standard input, patterns with `*`, `?`, `[…]` or `**`.
        stdin_fd: the descriptor that "-" stands for.

    Raises:
        InputError: the first name that cannot be read, with the reason and how to mend it.
    """
    found: list[Input] = []
    for name in names:
        if name == STDIN:
            if any(one.path is None for one in found):
                raise InputError("standard input is named twice", where=STDIN)
            found.append(_check_stdin(stdin_fd))
        elif not os.path.lexists(name) and any(char in name for char in "*?["):
            found += [_check_file(match) for match in _expand(name)]
        else:
            found.append(_check_file(name))
    return found


def _check_stdin(stdin_fd: int) -> Input:
    try:
        status = os.fstat(stdin_fd)
    except OSError as err:
        raise InputError("standard input is closed", where=STDIN_NAME) from err
    if stat.S_ISDIR(status.st_mode):
        raise InputError("a directory, not a file", where=STDIN_NAME)
    size = None
    if stat.S_ISREG(status.st_mode):
        size = max(0, status.st_size - os.lseek(stdin_fd, 0, os.SEEK_CUR))
    return Input(STDIN_NAME, None, size, is_gzip=False, is_fifo=False)


def _expand(pattern: str) -> Sequence[str]:
    """The files that fit a pattern, sorted; folders are passed over."""
    # Late on purpose: most inputs are plain names.
    from glob import glob

    matches = sorted(match for match in glob(pattern, recursive=True) if not os.path.isdir(match))
    if not matches:
        raise InputError(
            "no file fits this pattern",
            where=pattern,
            hint=f"relative patterns are looked up from {os.getcwd()}",
        )
    return matches


def _check_file(name: str) -> Input:
    try:
        status = os.stat(name)
    except OSError as err:
        raise _missing(name, err) from err
    except ValueError as err:  # a NUL in the name
        raise InputError(f"no file name: {err}", where=repr(name)) from err
    path = Path(name)
    if stat.S_ISDIR(status.st_mode):
        raise InputError(
            "a directory, not a file",
            where=name,
            hint=f"name its files: '{path / '*.jsonl'}' (in quotes, they are read in sorted order)",
        )
    if not os.access(name, os.R_OK):
        raise InputError("no permission to read it", where=name, hint=f"chmod u+r {name}")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_gzip = bool(suffixes) and suffixes[-1] == ".gz" and stat.S_ISREG(status.st_mode)
    inner = path.with_suffix("") if is_gzip else path
    conversion = _CONVERSIONS.get(inner.suffix.lower())
    if conversion is not None:
        unpack = f"unpack it (gunzip {name}), then " if is_gzip else ""
        plain = name[: -len(".gz")] if is_gzip else name
        raise InputError(
            f"{inner.suffix} files are not read yet, only JSON lines",
            where=name,
            hint=unpack + conversion.format(name=plain, stem=inner.with_suffix("")),
        )
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return Input(name, path, size, is_gzip=is_gzip, is_fifo=stat.S_ISFIFO(status.st_mode))


def _missing(name: str, err: OSError) -> InputError:
    """The error for a name that leads nowhere, with the near miss when there is one."""
    if not name:
        return InputError("an empty file name", where="--inputs")
    if not isinstance(err, FileNotFoundError | NotADirectoryError):
        return InputError(f"cannot be read: {err.strerror}", where=name)
    if "://" in name:
        return InputError(
            "no such file; addresses are not fetched",
            where=name,
            hint=f"curl -sSL {name} | jina post … --inputs -",
        )
    folder, _, base = name.rpartition("/")
    folder = f"{folder}/" if _ else ""
    try:
        neighbours = os.listdir(folder or ".")
    except OSError:
        return InputError("no such file", where=name, hint=f"there is no folder {folder[:-1]}")
    # Late on purpose: only a message needs it.
    from jina.readers.near import near_file

    near = near_file(base, neighbours)
    hint = f'did you mean "{folder}{near}"?' if near else ""
    if not near and not name.startswith("/"):
        hint = f"relative names are looked up from {os.getcwd()}"
    return InputError("no such file", where=name, hint=hint)
