"""Whose program calls us: published programs name files that stand beside them."""

from __future__ import annotations

import sys
from os.path import abspath, dirname, isfile, join
from pathlib import Path
from types import FrameType

_HOUSE = join(dirname(dirname(abspath(__file__))), "")


def caller_folders() -> list[Path]:
    """The folder of the file that called jina, the first frame outside jina.

    Returns:
        an absolute path; nothing where the caller is no file, as in an interactive session.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_HOUSE):
            return [Path(abspath(file)).parent] if isfile(file) else []
        frame = frame.f_back
    return []
