"""Tests that need Ray are opt-in: `.ci/ray` starts a cluster and sets JINA_RAY to its address."""

from __future__ import annotations

import os

collect_ignore = (
    [] if os.environ.get("JINA_RAY") else ["test_placement.py", "test_lanes.py", "test_pipeline.py"]
)
