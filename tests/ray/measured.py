"""What tests measure and do not judge: `.ci/ray` shows it after the tests, for docs/scaling.md."""

from __future__ import annotations

MEASURED: list[str] = []
"""One line each."""


def measured(text: str) -> None:
    """Show a figure at the end, whether the test passes or not."""
    MEASURED.append(text)
