"""Tests that need Ray are opt-in: `.ci/ray` starts a cluster and sets JINA_RAY to its address."""

from __future__ import annotations

import os

import pytest

from tests.ray.measured import MEASURED

_ON_A_CLUSTER = ["test_placement.py", "test_lanes.py", "test_pipeline.py", "test_stored.py"]
collect_ignore = [] if os.environ.get("JINA_RAY") else _ON_A_CLUSTER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    if MEASURED:
        terminalreporter.section("measured")
        for text in MEASURED:
            terminalreporter.write_line(text)
