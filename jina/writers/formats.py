"""Which format results are written in, by the name of their file."""

from __future__ import annotations

import importlib.util
import os
import stat
from collections.abc import Callable, Sequence
from importlib import import_module
from os.path import splitext
from typing import Any, NamedTuple

from jina.excepts import InputError, MissingExtra
from jina.writers.base import Writer

FORMATS = ("jsonl", "json", "csv", "tsv", "text", "npy", "parquet")

#: The format that a name's ending stands for, once .gz is cut off.
ENDINGS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".jl": "jsonl",
    ".ldjson": "jsonl",
    ".out": "jsonl",  # it names no format
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".npy": "npy",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_SHOWN = ".jsonl .ndjson .json .csv .tsv .txt .npy .parquet"
_WHOLE = frozenset({"json", "npy", "parquet"})
_STORED = frozenset({"npy", "parquet"})


class Form(NamedTuple):
    """How results are written."""

    name: str
    """One of FORMATS, or another that the caller knows, such as "table"."""
    is_gzip: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether a file is of use only when everything is in it, so that no post resumes it."""
        return self.name in _WHOLE

    @property
    def is_stored(self) -> bool:
        """Whether it needs a regular file: no pipe can hold it."""
        return self.name in _STORED

    @property
    def shown(self) -> str:
        """The name for messages, such as "csv.gz"."""
        return f"{self.name}.gz" if self.is_gzip else self.name


def form_of(path: str, wanted: str = "auto") -> Form:
    """The format of a file of results.

    A name without an ending, and a pipe or device, gets JSON lines.

    Args:
        path: of the file, "-" for standard output.
        wanted: the format whatever the name is; "auto" goes by the name.

    Raises:
        InputError: the name has an ending that stands for no format, or the format needs a file.
        MissingExtra: a package that the format needs is not installed.
    """
    inner, ending = splitext(path)
    is_gzip = path != "-" and ending.lower() == ".gz"
    ending = splitext(inner)[1].lower() if is_gzip else ending.lower()
    is_file = path != "-" and _may_be_regular(path)
    name = wanted
    if wanted == "auto":
        name = ENDINGS.get(ending, "" if ending and is_file else "jsonl")
    if not name:
        raise InputError(
            f"{ending} is not a known format for results",
            where=path,
            hint=f"known endings: {_SHOWN}, all but .parquet also with .gz; "
            "or choose a format with --output-format jsonl",
        )
    form = Form(name, is_gzip)
    if form.is_stored and not is_file:
        raise InputError(
            f"{name} cannot be written to a pipe or device",
            where="<stdout>" if path == "-" else path,
            hint=f"use --output results.{name}",
        )
    if name == "parquet":
        _check_parquet(path, is_gzip)
    return form


def _check_parquet(path: str, is_gzip: bool) -> None:
    if is_gzip:
        raise InputError(
            "Parquet is compressed already", where=path, hint=f"name it {splitext(path)[0]}"
        )
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra(
            "parquet files need pyarrow", where=path, hint="pip install 'jinacli[columnar]'"
        )


def _may_be_regular(path: str) -> bool:
    """Whether a path is a regular file, or nothing yet; an error is told when it is opened."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return not path.startswith(("/dev/", "/proc/"))


def new_writer(form: Form, select: Sequence[str] = (), *, first_rows: int = 1) -> Writer:
    """A writer of one file.

    Args:
        form: of the file.
        select: the fields and `tags.key` that the results have; empty if that is not known.
        first_rows: results from which the columns of a table are known, where `select` is empty.
    """
    # By name: a post that writes JSON lines loads none of them, and others may need packages.
    make: Callable[..., Writer] = Writer
    if form.name in _MODULES:
        module, name = _MODULES[form.name]
        make = getattr(import_module(f"jina.writers.{module}"), name)
    writer = make(**_arguments(form, select, first_rows))
    if not form.is_gzip or form.is_stored:
        return writer
    packed: Callable[[Writer], Writer] = import_module("jina.writers.packed").Packed
    return packed(writer)


#: The file and class of each writer but that of JSON lines.
_MODULES = {
    "json": ("base", "JsonList"),
    "csv": ("delimited", "Delimited"),
    "tsv": ("delimited", "Delimited"),
    "text": ("texts", "Texts"),
    "npy": ("npy", "Npy"),
    "parquet": ("parquet", "Parquet"),
}


def _arguments(form: Form, select: Sequence[str], first_rows: int) -> dict[str, Any]:
    if form.name in ("csv", "tsv"):
        delimiter = "," if form.name == "csv" else "\t"
        return {"delimiter": delimiter, "select": select, "first_rows": first_rows}
    return {"is_gzip": form.is_gzip} if form.name == "npy" else {}
