"""Make a Document of each file: a picture, a page, a program.

The uri is the absolute path; the content is the file's text or its bytes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from gzip import GzipFile
from typing import Any

from jina.defaults import MAX_LINE_BYTES
from jina.excepts import InputError
from jina.readers.formats import media_type
from jina.readers.inputs import Input, printable
from jina.readers.lines import not_utf8, too_long
from jina.readers.remote import open_descriptor
from jina.readers.rows import Rows, rows_of_values
from jina.readers.stream_keys import file_key

# Media types that are text though they do not begin with "text/".
_TEXTS = {
    "application/javascript",
    "application/json",
    "application/toml",
    "application/x-ipynb+json",
    "application/x-sh",
    "application/xml",
    "application/yaml",
    "image/svg+xml",
}

_ROW_BYTES = 64  # id and media type, about
_MOST_SMALLER = 1032  # times, that gzip can make a file


class FileReader:
    """Reads files one after the other, several for one request; see RowReader.

    Args:
        inputs: what to read.
        content: see ReadOptions.
        keys_seen: see file_key.
        max_bytes: a larger file is refused.
    """

    def __init__(
        self,
        inputs: Sequence[Input],
        content: str,
        keys_seen: set[str],
        max_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self._inputs = inputs
        self._content = content
        self._keys_seen = keys_seen
        self._max_bytes = max_bytes
        self._next = 0
        self._position = 0

    def take(self, max_rows: int, max_bytes: int) -> Rows | None:
        """See RowReader. A file that cannot be read is a failure among the Documents."""
        if self._next == len(self._inputs):
            return None
        return rows_of_values(self._values(max_rows, max_bytes))

    def _values(
        self, max_rows: int, max_bytes: int
    ) -> Iterator[tuple[str, Mapping[str, Any] | str, str]]:
        first = self._next
        until = min(len(self._inputs), first + max_rows)
        while self._next < until:
            one = self._inputs[self._next]
            if self._next > first and self._expected_bytes(one) > max_bytes:
                break
            self._next += 1
            self._position += one.size_bytes or 0
            name = ""
            value: dict[str, Any] | str
            try:
                descriptor = open_descriptor(one)
                with os.fdopen(descriptor, "rb") as file:
                    name = f"{one.key or file_key(descriptor, self._keys_seen)}-1"
                    value = self._document(one, file)
            except UnicodeDecodeError as err:
                value = f"{not_utf8(err)}; --content buffer takes it as it is"
            except InputError as err:
                value = err.what
            except (OSError, EOFError, zlib.error) as err:
                value = f"cannot be read: {getattr(err, 'strerror', None) or err}"
            if isinstance(value, dict):
                content = value.get("buffer") or value.get("text") or ""
                max_bytes -= len(content) + len(value["uri"]) + _ROW_BYTES
            yield name, value, one.name

    def _expected_bytes(self, one: Input) -> int:
        """The most that the Document of a file may take, as far as that is known before."""
        if self._content == "none":
            return _ROW_BYTES
        size = one.size_bytes or 0
        if one.is_gzip:
            size = min(size * _MOST_SMALLER, self._max_bytes)
        return size + _ROW_BYTES

    def _document(self, one: Input, file: Any) -> dict[str, Any] | str:
        uri = one.name if "://" in one.name else os.path.abspath(one.path or one.name)
        if printable(uri) != uri:
            return "its path is not valid UTF-8, as a `uri` must be; rename it"
        inner = one.name[: -len(".gz")] if one.is_gzip else one.name
        kind = media_type(inner)
        value: dict[str, Any] = {"uri": uri}
        if kind:
            value["mime_type"] = kind
        if self._content == "none":
            return value
        # One byte more than allowed shows that it is too long, without reading the rest.
        data = (GzipFile(fileobj=file) if one.is_gzip else file).read(self._max_bytes + 1)
        if len(data) > self._max_bytes:
            return too_long("a file", one.size_bytes or len(data), self._max_bytes)
        content = self._content
        if content == "auto":
            is_text = kind.startswith("text/") or kind in _TEXTS
            content = "text" if is_text or (not kind and _looks_like_text(data)) else "buffer"
        if content == "text":
            value["text"] = data.decode("utf-8-sig")
        else:
            value["buffer"] = data
        return value

    def position(self) -> int:
        """See RowReader."""
        return self._position

    def close(self) -> None:
        """See RowReader."""


def _looks_like_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data
