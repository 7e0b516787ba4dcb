"""Which program calls us: published programs use files that are next to them."""

from __future__ import annotations

import sys
from os.path import abspath, dirname, isfile, join
from pathlib import Path
from types import FrameType

_SITE = dirname(dirname(dirname(abspath(__file__))))
_HOUSES = (join(_SITE, "jina", ""), join(_SITE, "jinacli", ""))  # the command line is ours too


def caller_folders() -> list[Path]:
    """The folder of the file that called jina, the first frame outside jina.

    Returns:
        an absolute path; nothing if the caller is not a file, as in an interactive session.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_HOUSES):
            return [Path(abspath(file)).parent] if isfile(file) else []
        frame = frame.f_back
    return []
