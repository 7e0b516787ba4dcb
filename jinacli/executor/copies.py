"""Whether an environment has a jina of its own whose code is not this one's.

Two of the same version may differ while one of them is being worked on.
"""

from __future__ import annotations

from pathlib import Path

from jina.executors.pythons import venv_of
from jina.launch.sources import ROOT

_PACKAGES = ("jina", "jinacli")


def has_another_copy(python: str) -> bool:
    """Compare the files of an environment's jina with ours.

    Args:
        python: absolute path of the environment's interpreter.

    Returns:
        whether one of our modules differs there, or is missing; False if the environment has no
        copy: it has no jina, or uses the files of one that is elsewhere.
    """
    folders = Path(venv_of(python)).glob("lib/python*/site-packages")
    return any(_differs(folder) for folder in folders if (folder / "jina/__init__.py").is_file())


def _differs(folder: Path) -> bool:
    """Whether one of our modules is not the same there."""
    ours = [path for package in _PACKAGES for path in (ROOT / package).rglob("*.py")]
    try:
        return any(
            (folder / path.relative_to(ROOT)).read_bytes() != path.read_bytes() for path in ours
        )
    except OSError:
        return True
