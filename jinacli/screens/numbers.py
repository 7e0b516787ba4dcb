"""Numbers as people read them: thousands apart, rates with as many digits as count, durations."""

from __future__ import annotations


def number(count: int) -> str:
    """A count: 857,400."""
    return f"{count:,}"


def rate(count: int, seconds: float) -> str:
    """How many in a second, with three or four digits that count: 176,800, 45.2, 0.5."""
    value = count / max(seconds, 1e-6)
    if value >= 1000:
        step = 10 ** (len(str(int(value))) - 4)
        return f"{round(value / step) * step:,}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """A time: 28 s, 4 min 05 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60:,} h {minutes % 60:02} min"
