"""What a finished output holds, so that no other post overwrites it unasked.

A post that is done notes in an attribute of its output (`user.jina.post`, see xattr(7)) what it
posted and how much came of it. The attribute goes with the file when that is renamed, and counts as
long as the file is not changed. Where the file system keeps none, nobody knows what a file holds.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping

import msgspec

from jina.client.resume import Place
from jina.excepts import InputError
from jina.readers.stream_keys import text_key

_NAME = "user.jina.post"
_LONGEST_WORD = 100  # an attribute holds 4 KiB at least
_DEVICES = ("/dev/", "/proc/")  # such as /dev/stdout
_RESTART = "write to another file, or overwrite it with --restart"


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished output holds.

    Attributes:
        post: what was posted, in words, see `identity_of`; those that are long, as fingerprints.
        place: how far it came.
        is_all: it came to the end of the inputs; else a limit ended it.
        size: of the output then, in bytes.
        changed: when the output was changed last, in nanoseconds since 1970.
    """

    post: dict[str, str]
    place: Place
    is_all: bool
    size: int
    changed: int

    def is_enough(self, limit: int | None) -> bool:
        """Whether a post with this limit would add nothing."""
        return self.is_all or (limit is not None and limit <= self.place.lines)


def note_finished(
    output: str, identity: Mapping[str, str] | None, place: Place, *, is_all: bool
) -> None:
    """Note in an output what it holds, where that is possible."""
    with contextlib.suppress(OSError):
        found = os.stat(output)
        if not stat.S_ISREG(found.st_mode) or output.startswith(_DEVICES):
            return
        about = Finished(
            post=_shortened(identity or {}),
            place=place,
            is_all=is_all,
            size=found.st_size,
            changed=found.st_mtime_ns,
        )
        os.setxattr(output, _NAME, msgspec.json.encode(about))


def finished(output: str) -> Finished | None:
    """What an output is known to hold; None where nobody knows."""
    try:
        found = os.stat(output)
        about = msgspec.json.decode(os.getxattr(output, _NAME), type=Finished)
    except (OSError, msgspec.DecodeError):
        return None
    return about if (about.size, about.changed) == (found.st_size, found.st_mtime_ns) else None


def check_finished(
    output: str, identity: Mapping[str, str] | None, limit: int | None
) -> Finished | None:
    """See what an output without a progress file holds.

    Args:
        output: path of the results.
        identity: of the post that is to write there; None where it cannot be told from others.
        limit: the most lines to post in all; None for no limit.

    Returns:
        what this very post has written there before; None where there is nothing.

    Raises:
        InputError: it holds something else.
    """
    try:
        found = os.stat(output)
    except OSError:
        return None  # none yet; or whoever opens it says what is wrong
    if not stat.S_ISREG(found.st_mode) or not found.st_size or output.startswith(_DEVICES):
        return None
    about = finished(output)
    if about is None:
        raise InputError("it already has content", where=output, hint=_RESTART)
    now = _shortened(identity or {})
    changed = [name for name in now if about.post.get(name) != now[name]]
    if identity is None or changed or about.post.keys() != now.keys():
        raise InputError(
            "it has the results of another post"
            + "".join(
                f"\n  {name}: {about.post.get(name, '?')} then, {now[name]} now" for name in changed
            ),
            where=output,
            hint=_RESTART,
        )
    if limit is not None and limit < about.place.lines:
        raise InputError(
            f"it already has the results of {about.place.lines} lines of this post, more than "
            f"--limit {limit}",
            where=output,
            hint=_RESTART,
        )
    return about


def _shortened(words: Mapping[str, str]) -> dict[str, str]:
    return {
        name: word if len(word) <= _LONGEST_WORD else text_key(word) for name, word in words.items()
    }
