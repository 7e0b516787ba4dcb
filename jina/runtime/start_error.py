"""How a worker tells its supervisor what kept its Executor from being built.

Not on standard error: there it would be among what the user's code prints, and be shown twice. The
unnamed file that held the assignment is empty once that is read; the worker writes there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

import msgspec

from jina.excepts import ExecutorFailToLoad
from jina.executors import user_errors
from jina.runtime.structs import decode_msgpack, encode_msgpack

_USER_FRAME = '  File "'  # how a line of a traceback begins that names a place in somebody's code


class StartError(msgspec.Struct):
    """An exception that a worker has raised at its start, as text.

    Attributes:
        kind: dotted name of its class.
        message: its text, at most 8 KiB.
        traceback: with the user's frames only, at most 48 KiB.
        whole: with all frames, at most 48 KiB.
        hint: how to fix it; "" if there is nothing to say.
        notes: further lines for people.
        is_ours: jina has raised it, about the spec of the Executor.
    """

    kind: str
    message: str
    traceback: str = ""
    whole: str = ""
    hint: str = ""
    notes: list[str] = []
    is_ours: bool = False

    @property
    def summary(self) -> str:
        """One line: `FileNotFoundError: no weights at …`."""
        first = self.message.strip().partition("\n")[0]
        return (first if self.is_ours else ": ".join(filter(None, [self.kind, first]))) or self.kind

    @property
    def has_frames(self) -> bool:
        """Whether the user's code has a part in it."""
        return any(line.startswith(_USER_FRAME) for line in self.traceback.splitlines())

    @property
    def details(self) -> list[str]:
        """The lines above the summary, without what that says again."""
        lines = self.traceback.rstrip().splitlines() if self.has_frames else []
        if lines and lines[-1].strip() == self.summary:
            del lines[-1]
        return [*lines, *self.notes]

    @property
    def lines(self) -> list[str]:
        """All of it, where there is no summary."""
        help_ = [f"help: {self.hint}"] if self.hint and not self.is_ours else []
        return [*self.traceback.rstrip().splitlines(), *self.notes, *help_]


def describe(error: BaseException, notes: Sequence[str] = (), hint: str = "") -> StartError:
    """What is told of an exception."""
    found = StartError(
        kind=user_errors.class_name(error),
        message=user_errors.message(error),
        traceback=user_errors.short_traceback(error),
        whole=user_errors.whole_traceback(error),
        hint=hint,
        notes=list(notes),
    )
    if isinstance(error, ExecutorFailToLoad):
        found.message, found.hint, found.is_ours = error.what, error.hint, True
    return found


def emptied(descriptor: int) -> int:
    """Empty the file that held the assignment; a descriptor for `write`, -1 if it is no file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return -1
    own = os.dup(descriptor)
    os.ftruncate(own, 0)
    return own


def write(descriptor: int, error: StartError) -> bool:
    """Tell the supervisor; False if that is not possible."""
    try:
        os.pwrite(descriptor, encode_msgpack(error), 0)
    except OSError:
        return False
    return True


def read(descriptor: int) -> StartError | None:
    """What the worker has told; None for nothing."""
    try:
        return decode_msgpack(os.pread(descriptor, os.fstat(descriptor).st_size, 0), StartError)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
