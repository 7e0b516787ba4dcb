"""Inputs at URLs, such as s3://bucket/data.jsonl: listed, opened and fetched by fsspec.

fsspec has a package for each kind of storage, which takes its credentials from the environment of
the machine that reads. Only what is cut into parts is read from URLs.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from msgspec import structs

from jina.defaults import MIB
from jina.excepts import InputError, JinaError, MissingExtra, described
from jina.readers.formats import format_of, require
from jina.readers.options import ReadOptions
from jina.readers.ranges import Range, open_here, whole_files
from jina.readers.stream_keys import text_key


def is_url(name: str) -> bool:
    """Whether an input is at a URL."""
    return "://" in name


def all_files(names: Sequence[str], options: ReadOptions) -> list[Range]:
    """Check files of this machine and at URLs, in order; see `whole_files`.

    Raises:
        InputError: one of them cannot be read.
        MissingExtra: a package that reads such URLs is not installed.
    """
    found: list[Range] = []
    here: list[str] = []
    for name in [*names, ""]:
        if name and not is_url(name):
            here.append(name)
            continue
        if here:
            found += whole_files(here, options)
            here = []
        if name:
            found += _files_at(name, options)
    return [structs.replace(one, index=index) for index, one in enumerate(found)]


@contextlib.contextmanager
def open_any(one: Range) -> Iterator[IO[bytes]]:
    """Open a file, wherever it is, for `parts_of`.

    Raises:
        InputError: it cannot be read.
        MissingExtra: a package that reads such URLs is not installed.
    """
    if not one.is_remote:
        with open_here(one) as file:
            yield file
        return
    with _told(one.name):
        system, path = _system_of(one.path)
        with system.open(path, "rb") as file:
            yield file


def fetch(one: Range, path: Path) -> None:
    """Copy a range to a file of this machine.

    Raises:
        InputError: it cannot be read.
        OSError: the file cannot be written.
    """
    with open_any(one) as file, path.open("wb") as copy:
        if one.is_whole:
            shutil.copyfileobj(file, copy, MIB)
            return
        file.seek(one.start)
        left = one.size
        while left and (block := file.read(min(MIB, left))):
            copy.write(block)
            left -= len(block)


def _files_at(url: str, options: ReadOptions) -> Iterator[Range]:
    with _told(url):
        system, path = _system_of(url)
        paths = _expanded(system, path)
        found = [(system.unstrip_protocol(each), system.info(each)) for each in paths]
        marks = [system.ukey(each) for each in paths]
    if not found:
        raise InputError("no file matches this pattern", where=url)
    for (name, about), mark in zip(found, marks, strict=True):
        if about.get("size") is None:
            raise InputError("its size is not known", where=name, hint="fetch it first")
        is_gzip = name.lower().endswith(".gz")
        form = options.format
        if form == "auto":
            form = format_of(name, is_gzip=is_gzip)
        require(form, name)
        yield Range(0, name, name, text_key(f"{name} {mark}"), form, is_gzip, about["size"])


def _expanded(system: Any, path: str) -> list[str]:
    """The files that a path names, in sorted order."""
    if "http" in system.protocol:  # it cannot be listed, and ? begins a query
        return [path]
    if any(char in path for char in "*?["):
        return sorted(each for each in system.glob(path) if not system.isdir(each))
    return sorted(system.find(path)) if system.isdir(path) else [path]


def _system_of(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    if find_spec("fsspec") is None:
        raise MissingExtra(
            "inputs at URLs need the package fsspec",
            where=url,
            hint="pip install fsspec, and for s3:// also s3fs, for gs:// gcsfs, for https:// "
            "aiohttp; on all nodes",
        )
    fsspec: Any = import_module("fsspec")
    system, path = fsspec.core.url_to_fs(url)
    return system, path


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what a file system raises into an error that names the URL."""
    try:
        yield
    except JinaError:
        raise
    except ImportError as error:  # it says which package is missing
        raise MissingExtra(
            f"such URLs need another package: {error}", where=url, hint="install it on all nodes"
        ) from error
    except FileNotFoundError:
        raise InputError("no such file", where=url) from None
    except Exception as error:  # each kind of storage has exceptions of its own
        raise InputError(f"cannot be read: {described(error)}", where=url) from error
