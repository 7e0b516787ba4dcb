"""Loads Executors of the catalogue as a worker does: from their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from jina.executors.modules import import_module

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def catalogue() -> Callable[[str], ModuleType]:
    """A function from `<Executor>/<file>.py` to its module."""
    return lambda path: import_module(str(ROOT / "executors" / path))
