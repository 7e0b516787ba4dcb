"""Tests of the Executors that need a library, by group; `.ci/frameworks GROUP` installs and runs.

Without JINA_FRAMEWORKS no file is collected; with it `test_GROUP.py` and `test_GROUP_….py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.support import GROUP

collect_ignore = [
    path.name
    for path in Path(__file__).parent.glob("test_*.py")
    if not GROUP or not f"{path.stem}_".startswith(f"test_{GROUP}_")
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Libraries warn about themselves, which is not for us to mend."""
    for item in items:
        if "frameworks" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("default"))
