"""Tests of Executors and of exported Flows in real containers.

`.ci/containers` makes an image and runs them. Without JINA_CONTAINER_IMAGE, the image, no file is
collected.
"""

from __future__ import annotations

import os
from pathlib import Path

IMAGE = os.environ.get("JINA_CONTAINER_IMAGE", "")
_WITH_DOCKER = ("test_executors.py",)  # docker knows no pods


def _ignored(name: str) -> bool:
    """Whether the tests of a file cannot be run."""
    is_docker = os.environ.get("JINA_CONTAINER_ENGINE") == "docker"
    return not IMAGE or (is_docker and name not in _WITH_DOCKER)


collect_ignore = [
    path.name for path in Path(__file__).parent.glob("test_*.py") if _ignored(path.name)
]
