"""Name a source by its content, so that the ids of its lines are the same in every run.

A line without an id gets `<key>-<line number>`, which must be the same when a run is repeated.
"""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from jina.defaults import MIB

if TYPE_CHECKING:
    import hashlib

_BUILT_IN = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
_OPENSSL_BYTES = MIB // 2


def file_key(descriptor: int, seen: set[str]) -> str:
    """The key of a regular file, from its size, first MiB and last MiB; its name does not matter.

    Args:
        descriptor: open for reading; its position does not move.
        seen: the keys given in this run; the new one is added. A second file with the same content
            gets another key, so that no two lines of a run share an id.

    Returns:
        16 hex digits.

    Raises:
        OSError: the file cannot be read although it was opened.
    """
    size = os.fstat(descriptor).st_size
    content = _sha256(size.to_bytes(8, "little"), size)
    content.update(os.pread(descriptor, MIB, 0))
    content.update(os.pread(descriptor, MIB, max(0, size - MIB)))
    while (key := content.hexdigest()[:16]) in seen:
        content.update(b"again")
    seen.add(key)
    return key


def text_key(text: str) -> str:
    """The key of a long text: 16 hex digits."""
    return _sha256(text.encode()).hexdigest()[:16]


def random_key() -> str:
    """The key of a source that cannot be read twice, such as a pipe: 16 hex digits."""
    global _noise  # noqa: PLW0603 - asking the system each time would cost more than all the rest
    if not _noise:
        _noise = os.urandom(_NOISE_BYTES)
    key, _noise = _noise[:8], _noise[8:]
    return key.hex()


_NOISE_BYTES = 512
_noise = b""


def _after_fork() -> None:
    global _noise  # noqa: PLW0603 - a forked child must not have the keys of its parent
    _noise = b""


os.register_at_fork(after_in_child=_after_fork)


def _sha256(data: bytes, size: int = 0) -> hashlib._Hash:
    """Begin a hash; a long one in OpenSSL, which takes 2 ms to load and is five times as fast.

    Args:
        data: the first bytes.
        size: how many there will be, about.
    """
    if size < _OPENSSL_BYTES:
        with contextlib.suppress(ImportError):  # no part of the published library
            return import_module(_BUILT_IN).sha256(data)  # type: ignore[no-any-return]
    # Late: see above.
    from hashlib import sha256

    return sha256(data)
