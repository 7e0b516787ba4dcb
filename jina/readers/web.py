"""Files at https:// and http:// URLs, read with Python's own library.

Proxies and certificates are those that the environment names: `https_proxy`, `SSL_CERT_FILE`.
"""

from __future__ import annotations

import http.client
import io
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from jina import __version__
from jina.defaults import MIB
from jina.excepts import InputError, JinaError

TIMEOUT_S = 60.0
"""The longest time without a byte."""

_TRIES = 4  # without a byte between them
_WAIT_S = 0.5  # before the third one, twice as long before each further one
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that may be others in a moment
_SAFE = "%/:=&?~#+!$,;'@()*[]"  # characters of a URL that are sent as they are
_OK, _PART = 200, 206


class About(NamedTuple):
    """What a server says of a file.

    Attributes:
        size: in bytes; None if it does not say.
        mark: changes when the file does, if the server says anything of that.
    """

    size: int | None
    mark: str


def about(url: str) -> About:
    """Ask for a file, and read nothing of it.

    Raises:
        InputError: there is no such file, or it cannot be had.
    """
    try:
        with _asked(url, 0) as response:
            return _about(response)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _told(url, error) from None


class WebFile(io.RawIOBase):
    """A file that is read from anywhere.

    What breaks off is asked for again, from where it was; a server that sends only whole files has
    to send what came before once more.

    Args:
        url: of the file.
        size: in bytes.
        mark: see `About`.

    Its `readinto` raises InputError: it cannot be read, or is another file than it was.
    """

    def __init__(self, url: str, size: int, mark: str) -> None:
        super().__init__()
        self._url = url
        self._size = size
        self._mark = mark
        self._position = 0
        self._response: Any = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, from its beginning."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the beginning or from here."""
        if whence == io.SEEK_CUR:
            offset += self._position
        if offset != self._position:
            self._drop()
            self._position = offset
        return offset

    def tell(self) -> int:
        """Where it is."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read what arrives next; 0 at the end."""
        most = min(len(buffer), self._size - self._position)
        if most <= 0:
            return 0
        error: Exception = OSError("")
        for attempt in range(_TRIES):
            if attempt > 1:
                time.sleep(_WAIT_S * 2 ** (attempt - 2))
            try:
                if self._response is None:
                    self._response = self._opened()
                block = self._response.read1(most)
            except (OSError, http.client.HTTPException, ValueError) as caught:
                error, block = caught, b""
            if block:
                buffer[: len(block)] = block
                self._position += len(block)
                return len(block)
            self._drop()
            if not _passes(error):
                break
        raise self._broken(error)

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()
        super().close()

    def _opened(self) -> Any:
        """The answer of the server, which goes on where this is."""
        response = _asked(self._url, self._position)
        try:
            found = _about(response)
            if found.size != self._size or found.mark != self._mark:
                raise InputError("it has changed since this post began", where=self._url)
            if response.status == _OK:  # the whole file
                left = self._position
                while left and (block := response.read(min(left, MIB))):
                    left -= len(block)
        except BaseException:
            response.close()
            raise
        return response

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _broken(self, error: Exception) -> JinaError:
        """What is said when it could not be read, several times or for good."""
        if isinstance(error, JinaError):
            return error
        told = _told(self._url, error)
        if self._position:
            at = f"broke off after {self._position:,} of {self._size:,} bytes"
            why = f": {told.what}" if str(error) else ""
            return InputError(f"{at}{why}", where=self._url, hint=told.hint)
        return told


def _asked(url: str, start: int) -> Any:
    """The answer of a server, from a byte of the file on if it can do that."""
    headers = {"User-Agent": f"jina/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(urllib.parse.quote(url, safe=_SAFE), headers=headers)
    return urllib.request.urlopen(request, timeout=TIMEOUT_S)


def _about(response: Any) -> About:
    headers = response.headers
    size = headers.get("Content-Length", "")
    if response.status == _PART:
        size = headers.get("Content-Range", "").rpartition("/")[2]
    is_packed = headers.get("Content-Encoding", "identity") != "identity"
    mark = headers.get("Last-Modified") or headers.get("ETag") or ""
    return About(int(size) if size.isdecimal() and not is_packed else None, mark)


def _passes(error: Exception) -> bool:
    """Whether it may work in a moment."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    reason = getattr(error, "reason", error)
    return isinstance(reason, OSError | http.client.HTTPException) and not isinstance(
        reason, ssl.SSLCertVerificationError
    )


def _told(url: str, error: Exception) -> InputError:
    """What went wrong, as people say it."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        if error.code in (404, 410):
            is_pattern = any(char in url for char in "*[")
            hint = "what lies at https:// cannot be listed, so patterns do not work" * is_pattern
            return InputError("no such file", where=url, hint=hint)
        needs = error.code in (401, 403)
        hint = "with credentials: curl … | jina post … --inputs -" if needs else ""
        what = f"the server answers {error.code} {error.reason}".rstrip()
        return InputError(what, where=url, hint=hint)
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return InputError(
            f"the certificate of the server is not trusted: {reason.verify_message}",
            where=url,
            hint="SSL_CERT_FILE names a file with the certificates that are trusted",
        )
    if isinstance(reason, TimeoutError):
        return InputError(f"no answer within {TIMEOUT_S:g} s", where=url)
    if isinstance(reason, ssl.SSLError):
        return InputError(f"cannot be read: TLS failed: {reason.reason or reason}", where=url)
    why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return InputError(f"cannot be read: {why}", where=url)
