"""The page about frameworks: its table is that of the figures that were measured."""

from __future__ import annotations

from tests.frameworks import page, support


def test_the_table_shows_what_was_measured() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_table(text) == text


def test_every_executor_that_needs_a_library_is_measured_and_described() -> None:
    folders = {path.parent.name for path in support.EXECUTORS.glob("*/requirements.txt")}
    assert folders <= {subject.name for subject in page.SUBJECTS}
    text = page.PAGE.read_text(encoding="utf-8")
    assert all(f"](../executors/{subject.name})" in text for subject in page.SUBJECTS)
