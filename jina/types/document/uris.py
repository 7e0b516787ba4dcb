"""Read bytes from files, data URIs and the web, and write them to files and data URIs."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from mimetypes import guess_type
from os import PathLike
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_from_bytes, unquote_to_bytes

from jina.excepts import DocumentError
from jina.records.record import Record

_CHARSET = re.compile(r";\s*charset=\"?([^;,\"\s]+)", re.IGNORECASE)


def fetched(uri: str) -> bytes:
    """Return the bytes that a URI names.

    Raises:
        FileNotFoundError: no such file.
        OSError: a file that cannot be read.
        DocumentError: an empty URI, another scheme than file, data, http and https, or a URI that
            cannot be read.
    """
    if not uri:
        raise DocumentError("`uri` is not set")
    scheme = uri[: uri.find(":", 0, 6) + 1].lower()
    if scheme == "data:":
        return _data(uri)
    if scheme in ("http:", "https:", "file:"):
        # Late: it brings the whole of HTTP along.
        from jina.types.document import web

        return web.read(uri, scheme)
    return _of_path(uri, scheme)


def _of_path(uri: str, scheme: str) -> bytes:
    path = Path(uri)
    try:
        if scheme and not path.exists():
            raise DocumentError(f"{uri[:100]!r} is neither a path nor a file, data or http URI")
        return path.read_bytes()
    except ValueError as err:
        if isinstance(err, DocumentError):
            raise
        raise DocumentError(f"{uri[:100]!r} is not a path: {err}") from err


def _data(uri: str) -> bytes:
    """Return what a data URI holds; unlike urllib, refuse wrong characters."""
    head, comma, text = uri.partition(",")
    if not comma:
        raise DocumentError(f"{uri[:100]!r} has no comma before its data")
    data = unquote_to_bytes(text)
    if not head.lower().endswith(";base64"):
        return data
    try:
        return b64decode(b"".join(data.split()), validate=True)
    except ValueError as err:
        raise DocumentError(f"{uri[:100]!r} is not valid base64: {err}") from err


def read_text(uri: str) -> str:
    """Return the text that a URI names, as UTF-8 or in the charset that a data URI gives.

    Raises:
        DocumentError: bytes that are not such text.
        FileNotFoundError, OSError, DocumentError: as for `fetched`.
    """
    charset = _charset_of(uri)
    try:
        return fetched(uri).decode(charset)
    except (UnicodeDecodeError, LookupError) as err:
        raise DocumentError(f"{uri[:100]!r} is not {charset.upper()} text: {err}") from err


def _charset_of(uri: str) -> str:
    """Return the charset that a data URI names; UTF-8 for all others."""
    charset = uri[:5].lower() == "data:" and _CHARSET.search(uri.partition(",")[0])
    return charset[1] if charset else "utf-8"


def set_uri(record: Record, uri: str) -> None:
    """Set the URI of a record, and the MIME type if its extension is a known one."""
    record.uri = uri
    mime = mime_of(uri)
    if mime:
        record.mime_type = mime


def mime_of(name: str) -> str | None:
    """Return the MIME type for the extension of a path or a URI; None if that is unknown."""
    try:
        return guess_type(name)[0]
    except ValueError:  # not a URI: some versions of Python raise here, all when it is read
        return None


def datauri(data: bytes, mime_type: str, charset: str, base64: bool) -> str:
    """Return a data URI that holds these bytes."""
    head = f"data:{mime_type};charset={charset}"
    if base64:
        return f"{head};base64,{b64encode(data).decode('ascii')}"
    return f"{head},{quote_from_bytes(data)}"


def of_buffer(record: Record, charset: str, base64: bool) -> str:
    """Return a data URI that holds the buffer of a record.

    Raises:
        DocumentError: no MIME type is set.
    """
    if not record.mime_type:
        raise DocumentError(
            f"`mime_type` of Document {record.id!r} is not set", hint="set it before converting"
        )
    return datauri(record.buffer or b"", record.mime_type, charset, base64)


def of_text(record: Record, charset: str, base64: bool) -> str:
    """Return a data URI that holds the text of a record.

    Raises:
        DocumentError: the charset is unknown, or lacks a character of the text.
    """
    try:
        data = (record.text or "").encode(charset)
    except (UnicodeEncodeError, LookupError) as err:
        raise DocumentError(f"`text` of Document {record.id!r}: {err}") from err
    return datauri(data, record.mime_type or "text/plain", charset, base64)


def write(file: str | Path | BinaryIO, data: bytes) -> None:
    """Write bytes into a file, given by its name or open for writing bytes."""
    if isinstance(file, (str, PathLike)):
        Path(file).write_bytes(data)
    else:
        file.write(data)
