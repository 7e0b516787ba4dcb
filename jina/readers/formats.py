"""Which format an input has, and who reads it: the one table of both.

A format is either a stream of bytes that a cutter turns into JSON lines, or a container whose
rows become Documents; `jina.readers.source` drives both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from os.path import splitext
from typing import TYPE_CHECKING

from jina.excepts import InputError, MissingExtra
from jina.readers.lines import Cutter, LineCutter
from jina.readers.options import Renames

if TYPE_CHECKING:
    from jina.readers.input import Input
    from jina.readers.rows import RowReader

#: The formats whose bytes come in a stream: also from standard input and other pipes.
STREAMED = ("jsonl", "json", "csv", "tsv", "text")
#: The formats that are read from files alone.
STORED = ("npy", "npz", "parquet", "arrow", "files")
FORMATS = STREAMED + STORED

#: What a name's ending says of the format, .gz behind it cut off.
SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".jl": "jsonl",
    ".ldjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tcsv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".npy": "npy",
    ".npz": "npz",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}

# Endings that say how a file is packed: no format here reads them.
_PACKED = {
    ".zst": "zstd -dc {name} | jina post … --inputs -",
    ".bz2": "bzcat {name} | jina post … --inputs -",
    ".xz": "xzcat {name} | jina post … --inputs -",
    ".zip": "unzip -p {name} | jina post … --inputs -",
    ".tar": "unpack it, and name its files",
    ".tgz": "unpack it, and name its files",
}

CONTENTS = ("auto", "text", "buffer", "none")


@dataclass(frozen=True)
class ReadOptions:
    """How inputs are read, beyond their names.

    Attributes:
        format: one of FORMATS; "auto" asks each name.
        resolver: new names for keys and columns, such as {"question": "text"}.
        content: of the format `files`: "text" or "buffer" is what a Document gets, "none" leaves it
            with its uri, "auto" asks the type that the name says.
    """

    format: str = "auto"
    resolver: Mapping[str, str] = field(default_factory=dict)
    content: str = "auto"


def format_of(name: str, *, is_gzip: bool = False) -> str:
    """The format that a file's name says.

    A name that says nothing is read as JSON lines; one that says picture, sound, page or program is
    one Document.

    Raises:
        InputError: the name says that it is packed in a way that is not read.
    """
    inner = splitext(name)[0] if is_gzip else name
    suffix = splitext(inner)[1].lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in _PACKED:
        raise InputError(
            f"{suffix} files are not unpacked, only .gz",
            where=name,
            hint=_PACKED[suffix].format(name=name),
        )
    return "files" if suffix and media_type(inner) else "jsonl"


def require(form: str, name: str) -> None:
    """See to the package that a format needs, before anything is read.

    Raises:
        MissingExtra: it is not installed.
    """
    if form in ("parquet", "arrow"):
        # Late on purpose: only these formats ask.
        from importlib.util import find_spec

        if find_spec("pyarrow") is None:
            raise MissingExtra(
                f"{form} files need pyarrow", where=name, hint="pip install 'jinacli[columnar]'"
            )


def media_type(name: str) -> str:
    """The media type that a name says, such as "image/png"; empty when it says none."""
    return _media_type_of(splitext(name)[1].lower())


@lru_cache(maxsize=64)
def _media_type_of(suffix: str) -> str:
    """The media type of an ending, such as "image/png"; empty when it has none.

    The table is Python's own: what the system adds to it would make inputs differ by machine.
    """
    # Late on purpose: few inputs have a name that is not in the table above.
    from mimetypes import MimeTypes

    return MimeTypes().guess_type(f"x{suffix}")[0] or ""


def new_cutter(form: str, renames: Renames, name: str, max_line_bytes: int) -> Cutter:
    """Who cuts a stream of a format into JSON lines.

    Args:
        form: one of STREAMED.
        renames: new names for keys and columns.
        name: of the input, for messages.
        max_line_bytes: most bytes of a line, row or element.
    """
    if form == "jsonl" and not renames.resolver:
        return LineCutter(max_line_bytes)
    if form == "json":
        # Late on purpose, as all of them here: most inputs are JSON lines as they stand.
        from jina.readers.jsonarray import JsonArrayCutter

        return JsonArrayCutter(name, renames, max_line_bytes)
    if form in ("csv", "tsv"):
        from jina.readers.delimited import DelimitedCutter  # late too

        renames.meet(renames.resolver)  # a column that is not there is an error of its own
        return DelimitedCutter(form, name, renames.resolver, max_line_bytes)
    from jina.readers.text import RenamingCutter, TextCutter  # late too

    if form == "text":
        renames.meet(["text"])
        return TextCutter(max_line_bytes, renames.resolver.get("text", "text"))
    return RenamingCutter(max_line_bytes, renames)


def new_rows(one: Input, renames: Renames, descriptor: int, key: str) -> RowReader:
    """Who reads the rows of a container.

    Args:
        one: the input; its format is one of STORED, but "files".
        renames: new names for columns and arrays.
        descriptor: open for reading; the reader owns it.
        key: of the input, for ids.

    Raises:
        InputError: the container is damaged from its beginning.
    """
    renames.meet(renames.resolver)  # as above
    if one.format in ("npy", "npz"):
        from jina.readers.arrays import open_arrays  # late: it makes Documents

        return open_arrays(one, renames.resolver, descriptor, key)
    from jina.readers.columnar import open_columnar  # late: it makes Documents

    return open_columnar(one, renames.resolver, descriptor, key)
