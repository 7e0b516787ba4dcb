"""Name a stream of lines, so that the ids of its lines are the same at every run.

An id made for a line is `<key>-<line number>`; it must not change between a run and its retry.
"""

from __future__ import annotations

import os
from hashlib import sha256

from jina.defaults import MIB


def file_key(descriptor: int, seen: set[str]) -> str:
    """The key of a regular file: its size, first and last MiB, whatever its name.

    Args:
        descriptor: open for reading; its position is not moved.
        seen: keys given in this run; the new one is added. A file with the content of an earlier
            one gets a key of its own, so that no two lines of a run share an id.

    Returns:
        16 hex digits.

    Raises:
        OSError: the file was opened, but cannot be read.
    """
    size = os.fstat(descriptor).st_size
    content = sha256(size.to_bytes(8, "little"))
    content.update(os.pread(descriptor, MIB, 0))
    content.update(os.pread(descriptor, MIB, max(0, size - MIB)))
    while (key := content.hexdigest()[:16]) in seen:
        content.update(b"again")
    seen.add(key)
    return key


def random_key() -> str:
    """The key of a stream that cannot be read twice: 16 hex digits."""
    return os.urandom(8).hex()
