"""Times, sizes and counts as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
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


def count(number: float) -> str:
    """A number with its thousands apart."""
    return f"{number:,.0f}"
