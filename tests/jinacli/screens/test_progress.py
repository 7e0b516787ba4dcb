"""What the progress of a post shows, at a terminal and in a log."""

from __future__ import annotations

import pytest

from jinacli.screens.numbers import duration, rate
from jinacli.screens.progress import Done, Progress


def shown(done: Done, *, width: int, seconds: float = 10.0) -> str:
    """What is written after so many seconds."""
    now = 0.0
    written: list[str] = []
    progress = Progress(lambda: done, written.append, width=width, clock=lambda: now)
    now = seconds
    progress.update()
    progress.update()  # too early to draw it again
    return "".join(written)


HALF = Done(50_000, failed=3, total=100_000, part=0.5, new=50_000, new_part=0.5)


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "━" * 10 + "─" * 10 + "  50,000 of 100,000 documents  5,000/s  10 s left  3 failed"),
        (60, "50,000 of 100,000 documents  5,000/s  10 s left  3 failed"),
        (50, "50,000 of 100,000 documents  10 s left  3 failed"),
        (40, "50,000 of 100,000 documents  3 failed"),
        (20, "50,000 of 100,000 d"),
    ],
)
def test_a_bar_fits_the_terminal(width: int, text: str) -> None:
    assert shown(HALF, width=width) == f"\r\x1b[K{text}"


def test_what_is_not_known_is_not_shown() -> None:
    assert shown(Done(0), width=80) == "\r\x1b[K0 documents"
    assert shown(Done(1, new=1), width=80) == "\r\x1b[K1 document  0.1/s"
    resumed = Done(70, part=0.7, new=20, new_part=0.2)
    assert shown(resumed, width=80).endswith("  70 documents  2/s  15 s left")
    assert "left" not in shown(Done(9, part=1.0, new=9, new_part=1.0), width=80)


def test_a_log_gets_a_plain_line_every_few_seconds() -> None:
    assert shown(HALF, width=0) == "50,000 of 100,000 documents, 5,000/s, 10 s left, 3 failed\n"
    assert shown(HALF, width=0, seconds=4.9) == ""


def test_a_bar_is_taken_away_once() -> None:
    written: list[str] = []
    progress = Progress(lambda: HALF, written.append, width=80, is_plain=True)
    progress.clear()
    progress.update()
    assert written[0].startswith("\r\x1b[K###")
    progress.clear()
    progress.clear()
    assert written[1:] == ["\r\x1b[K"]


@pytest.mark.parametrize(
    ("count", "seconds", "text"),
    [
        (857_400, 4.85, "176,800"),
        (1_234, 1, "1,234"),
        (452, 10, "45.2"),
        (300, 1, "300"),
        (1, 2, "0.5"),
    ],
)
def test_a_rate_has_the_digits_that_count(count: int, seconds: float, text: str) -> None:
    assert rate(count, seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(28.4, "28 s"), (245, "4 min 05 s"), (7_800, "2 h 10 min"), (-1, "0 s")],
)
def test_a_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
