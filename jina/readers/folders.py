"""Find the files of a folder, to read all of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from jina.excepts import InputError


def files_below(folder: str) -> Iterator[str]:
    """The files in a folder and in those within it, in sorted order.

    Names that begin with a dot are left out, and what is neither file nor folder. Links are
    followed, but no folder is entered twice, so that links may lead in circles.

    Raises:
        InputError: a folder cannot be read, or there is no file.
    """
    is_empty = True
    for path in _walked(folder, set()):
        is_empty = False
        yield path
    if is_empty:
        raise InputError(
            "there are no files in this folder",
            where=_shown(folder),
            hint="files and folders that start with a dot are skipped",
        )


def _walked(folder: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    try:
        here = os.stat(folder)
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=_shown(folder)) from error
    key = (here.st_dev, here.st_ino)
    if key in seen:
        return
    seen.add(key)
    for name in names:
        if name.startswith("."):
            continue
        path = os.path.join(folder, name)
        try:
            mode = os.stat(path).st_mode
        except OSError:  # a link that leads nowhere
            continue
        if stat.S_ISDIR(mode):
            yield from _walked(path, seen)
        elif stat.S_ISREG(mode):
            yield path


def _shown(folder: str) -> str:
    return os.fsencode(folder).decode(errors="backslashreplace")
