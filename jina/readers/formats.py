"""Which format an input has, by its name.

A format is either a stream of bytes that a cutter turns into JSON lines (jina.readers.cutters), or
a container whose rows become Documents; jina.readers.source reads both.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from os.path import splitext

from jina.excepts import InputError, MissingExtra

#: The formats that are read as a stream of bytes, also from standard input and other pipes.
STREAMED = ("jsonl", "json", "csv", "tsv", "text")
#: The formats that are read only from files.
STORED = ("npy", "npz", "parquet", "arrow", "files")
FORMATS = STREAMED + STORED

#: The format of a file extension, once .gz is removed.
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

# Media types of text that Python's own table lacks, or has only in some releases.
_TEXT_TYPES = {
    ".adoc": "text/asciidoc",
    ".cfg": "text/plain",
    ".conf": "text/plain",
    ".ini": "text/plain",
    ".ipynb": "application/x-ipynb+json",
    ".log": "text/plain",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".org": "text/org",
    ".rst": "text/x-rst",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}

# Endings of packed files, which nothing here reads.
_PACKED = {
    ".zst": "zstd -dc {name} | jina post … --inputs -",
    ".bz2": "bzcat {name} | jina post … --inputs -",
    ".xz": "xzcat {name} | jina post … --inputs -",
    ".zip": "unzip -p {name} | jina post … --inputs -",
    ".tar": "unpack it and use its files",
    ".tgz": "unpack it and use its files",
}


def format_of(name: str, *, is_gzip: bool = False, unknown: str = "jsonl") -> str:
    """The format of a file, from its name.

    A picture, sound, page, text or program is one Document.

    Args:
        name: of the file.
        is_gzip: the format is what the name says before .gz.
        unknown: the format of a name without a known ending.

    Raises:
        InputError: the file is packed in a way that is not read.
    """
    inner = splitext(name)[0] if is_gzip else name
    suffix = splitext(inner)[1].lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in _PACKED:
        raise InputError(
            f"cannot read {suffix} files; only .gz is unpacked",
            where=name,
            hint=_PACKED[suffix].format(name=name),
        )
    return "files" if suffix and media_type(inner) else unknown


def require(form: str, name: str) -> None:
    """Check that the package which a format needs is there, before anything is read.

    Raises:
        MissingExtra: it is not installed.
    """
    if form in ("parquet", "arrow") and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra(
            f"{form} files need pyarrow", where=name, hint="pip install 'jinacli[columnar]'"
        )


def media_type(name: str) -> str:
    """The media type of a file name, such as "image/png"; empty if there is none."""
    return _media_type_of(splitext(name)[1].lower())


@lru_cache(maxsize=64)
def _media_type_of(suffix: str) -> str:
    """The media type of an ending, such as "image/png"; empty when there is none.

    Of other tables only Python's own counts: with the system's, inputs would differ by machine.
    """
    if suffix in _TEXT_TYPES:
        return _TEXT_TYPES[suffix]
    # Late: few names have an ending that is not in the tables above.
    from mimetypes import MimeTypes

    return MimeTypes().guess_type(f"x{suffix}")[0] or ""
