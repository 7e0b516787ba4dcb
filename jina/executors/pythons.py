"""Paths of Python interpreters. Links are not followed: that of a virtual environment is a link."""

from __future__ import annotations

import os
import sys


def is_other(python: str) -> bool:
    """Whether a path names another interpreter than this one; "" does not."""
    return bool(python) and os.path.abspath(python) != os.path.abspath(sys.executable)


def venv_of(python: str) -> str:
    """The folder of the virtual environment that an interpreter belongs to; "" if it is in none."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(python)))
    return folder if os.path.isfile(os.path.join(folder, "pyvenv.cfg")) else ""
