"""Read what an http, https or file URI names.

This file loads the whole of HTTP, so it is imported late.
"""

from __future__ import annotations

from http.client import HTTPException
from urllib.error import URLError
from urllib.request import urlopen

from jina.excepts import DocumentError

FETCH_TIMEOUT_S = 30.0


def read(uri: str, scheme: str) -> bytes:
    """Return the bytes that a URI names.

    Raises:
        FileNotFoundError: a file URI whose file cannot be read.
        DocumentError: an http or https URI that cannot be read.
    """
    try:
        with urlopen(uri, timeout=FETCH_TIMEOUT_S) as stream:
            data: bytes = stream.read()
            return data
    except (OSError, ValueError, HTTPException) as err:
        why = err.reason if isinstance(err, URLError) else err
        if scheme == "file:":
            raise FileNotFoundError(f"{uri[:100]!r} does not name a file: {why}") from err
        raise DocumentError(f"{uri[:100]!r} cannot be read: {why}") from err
