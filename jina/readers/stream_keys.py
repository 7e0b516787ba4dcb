"""Name a source by its content, so that the ids of its lines are the same in every run.

A line without an id gets `<key>-<line number>`, which must be the same when a run is repeated.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jina.defaults import MIB

if TYPE_CHECKING:
    import hashlib


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
    content = _sha256(size.to_bytes(8, "little"))
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
    return os.urandom(8).hex()


def _sha256(data: bytes) -> hashlib._Hash:
    # Late: it loads OpenSSL, for which a post from standard input has no use.
    from hashlib import sha256

    return sha256(data)
