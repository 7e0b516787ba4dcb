"""Virtual environments for tests: made without pip, with the packages of this one on their path."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = sysconfig.get_path("purelib")
"""The folder of what is installed for the tests, without jina itself if that is editable."""


def make_venv(folder: Path, *paths: str | Path) -> str:
    """Make a virtual environment, and return the path of its interpreter.

    Args:
        folder: of the environment.
        *paths: where it finds modules, besides its own empty folder.
    """
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, timeout=60)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("".join(f"{path}\n" for path in paths))
    return str(folder / "bin" / "python")
