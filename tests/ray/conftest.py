"""Tests that need Ray are opt-in: `.ci/ray` installs it and sets JINA_RAY."""

from __future__ import annotations

import os

collect_ignore = (
    [] if os.environ.get("JINA_RAY") else ["test_placement.py", "test_lanes.py", "test_mapper.py"]
)
