"""Inputs at URLs: what lies there, and how it is opened.

https:// is read by `jina.readers.web`, everything else by fsspec, which has a package for each kind
of storage. That takes its credentials from the environment of the machine that reads.
"""

from __future__ import annotations

import contextlib
import io
import re
import urllib.parse
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from jina.defaults import MIB
from jina.excepts import InputError, JinaError, MissingExtra, described
from jina.readers.stream_keys import text_key

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")
_WEB = ("http", "https")
_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), "adlfs"),
    "hf": "huggingface_hub",
}
# What changes when a file does, as the packages of fsspec call it; the best first.
_MARKS = ("ETag", "etag", "blob_id", "md5Hash", "mtime", "modified", "last_modified", "created")
_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for a public bucket "
    "FSSPEC_S3_ANON=true"
)
_BLOCK_BYTES = 8 * MIB  # that are asked for at once


class Remote(NamedTuple):
    """A file at a URL.

    Attributes:
        url: its own.
        size: in bytes.
        mark: changes when the file does, as far as its storage says so.
    """

    url: str
    size: int
    mark: str

    @property
    def key(self) -> str:
        """Of the file, see `jina.readers.stream_keys`."""
        return text_key(f"{self.url} {self.size} {self.mark}")

    @property
    def path(self) -> str:
        """What its name ends with: without what follows the path of a web page."""
        return urllib.parse.urlsplit(self.url).path if _scheme_of(self.url) in _WEB else self.url


def is_url(name: str) -> bool:
    """Whether an input is at a URL."""
    return _URL.match(name) is not None


def find_remote(url: str) -> list[Remote]:
    """The files that a URL names, in sorted order: one, those of a folder, or of a pattern.

    Raises:
        InputError: there is none, or it cannot be had.
        MissingExtra: a package that reads such URLs is not installed.
    """
    if _scheme_of(url) in _WEB:
        return [_page(url)]
    with _told(url):
        system, path = _system_of(url)
        paths = _expanded(system, path, url)
        found = [_stored(system, each) for each in paths]
    if not found:
        raise InputError(_why_nothing(system, path, url), where=url)
    for one in found:
        if one.size is None:
            raise _unsized(one.url)
    return found


@contextlib.contextmanager
def open_remote(one: Remote, least: int = _BLOCK_BYTES) -> Iterator[io.BufferedReader[Any]]:
    """Open a file for reading, from anywhere.

    Args:
        one: to open.
        least: how many bytes will be read at least.

    Raises:
        InputError: it cannot be read, or has changed.
        MissingExtra: a package that reads such URLs is not installed.
    """
    if _scheme_of(one.url) in _WEB:
        raw: io.RawIOBase = import_module("jina.readers.web").WebFile(*one)
    else:
        with _told(one.url):
            system, path = _system_of(one.url)
            if _stored(system, path) != one:
                raise InputError("it has changed since this post began", where=one.url)
            # A cache would read far ahead, for nothing where only a part is read.
            raw = _StoredFile(one.url, system.open(path, "rb", cache_type="none"))
    with io.BufferedReader(raw, max(1, min(least, _BLOCK_BYTES))) as file:
        yield file


class _StoredFile(io.RawIOBase):
    """A file of fsspec, whose errors are told as ours."""

    def __init__(self, url: str, file: Any) -> None:
        super().__init__()
        self._url = url
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        with _told(self._url):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _stored(system: Any, path: str) -> Remote:
    """A file of fsspec. What its storage says of it depends on how it is asked, but not these."""
    known = system.info(path)
    mark = next((str(known[name]) for name in _MARKS if known.get(name)), "")
    return Remote(system.unstrip_protocol(path), known.get("size"), mark)


def _page(url: str) -> Remote:
    if "@" in urllib.parse.urlsplit(url).netloc:
        raise InputError(
            "a URL with a user and a password is not read",
            where=re.sub(r"//.*@", "//…@", url),
            hint="curl … | jina post … --inputs -",
        )
    size, mark = import_module("jina.readers.web").about(url)
    if size is None:
        raise _unsized(url)
    return Remote(url, size, mark)


def _unsized(url: str) -> InputError:
    hint = f"curl -sSL {url} | jina post … --inputs -"
    return InputError("its size is not known", where=url, hint=hint)


def _expanded(system: Any, path: str, url: str) -> list[str]:
    """The files that a path names, in sorted order."""
    if not path.strip("/"):
        raise InputError("names no file", where=url, hint=f"as in {url.rstrip('/')}//FOLDER/FILE")
    if any(char in path for char in "*?["):
        return sorted(each for each in system.glob(path) if not system.isdir(each))
    return sorted(system.find(path)) if system.isdir(path) else [path]


def _why_nothing(system: Any, path: str, url: str) -> str:
    """Why nothing was found: storages have no folders, but the first part of a path is a bucket."""
    bucket = path.partition("/")[0]
    with _told(url):
        if bucket and not any(char in bucket for char in "*?[") and not system.exists(bucket):
            return f"there is no {bucket}"
    return "no file matches this pattern" if path != bucket else "there are no files"


def _scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def _system_of(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    scheme = _scheme_of(url)
    package = _PACKAGES.get(scheme, "fsspec")
    if find_spec("fsspec") is None:
        raise _missing(scheme, package, url)
    fsspec: Any = import_module("fsspec")
    if "::" not in scheme and scheme not in fsspec.available_protocols():
        raise InputError(f"nothing reads URLs that begin with {scheme}://", where=url)
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:  # it says which package is missing
        raise _missing(scheme, _PACKAGES.get(scheme, ""), url, str(error)) from error
    return system, path


def _missing(scheme: str, package: str, url: str, why: str = "") -> MissingExtra:
    what = f"{scheme}:// needs " + (f"the package {package}" if package else f"a package: {why}")
    where = "; with --on ray, on all nodes"
    hint = f"pip install {package}{where}" if package else f"install it{where}"
    return MissingExtra(what, where=url, hint=hint)


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what a file system raises into an error that names the URL."""
    try:
        yield
    except JinaError:
        raise
    except FileNotFoundError:
        raise InputError("no such file", where=url) from None
    except Exception as error:  # each kind of storage has exceptions of its own
        if type(error).__name__ == "NoCredentialsError":  # of S3
            raise InputError("no credentials were found", where=url, hint=_CREDENTIALS) from None
        raise InputError(f"cannot be read: {described(error)}", where=url) from error
