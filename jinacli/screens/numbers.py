"""Numbers, rates, times and sizes as people read them."""

from __future__ import annotations


def number(count: float) -> str:
    """A count: 857,400."""
    return f"{count:,.0f}"


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


def rough_duration(seconds: float) -> str:
    """A time span in its two largest digits, such as `1.5 s`, `42 s`, `3 min`, `5 h`, `2 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s" if seconds >= 10 else f"{seconds:.1f} s"


def size(size_bytes: float) -> str:
    """A number of bytes, such as `812 KiB` or `1.2 GiB`; empty for none."""
    if not size_bytes:
        return ""
    amount, units = float(size_bytes), ["TiB", "GiB", "MiB", "KiB", "B"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1024
        units.pop()
    unit = units[-1]
    return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"
