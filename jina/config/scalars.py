"""What a plain (unquoted) YAML scalar means here.

YAML 1.2's core schema with two differences: plain yes/no are booleans too, since published configs
use them, and a number with a leading zero is text, since 017 is 15 to some readers and 17 to
others.
"""

from __future__ import annotations

import math
import re

MAX_DIGITS = 40  # of a number in a message

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OLD_BOOLEANS = {
    **dict.fromkeys(("yes", "Yes", "YES"), True),
    **dict.fromkeys(("no", "No", "NO"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,999})")
_PREFIXED = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# What YAML 1.1 reads as a number, an octal number, a time or a date, and this loader does not.
_OLD_NUMBER = re.compile(
    r"[-+]?0[0-9_]+|[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?|[-+]?0b[01_]+"
    r"|[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?|[0-9]{4}-[0-9]{2}-[0-9]{2}"
)


def plain_value(text: str) -> object:
    """The value of a plain scalar: None, bool, int, float or the text itself."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _OLD_BOOLEANS:
        return _OLD_BOOLEANS[text]
    if not (text[0].isdigit() or text[0] in "+-."):
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def suspicion(text: str) -> tuple[str, str]:
    """What other YAML readers make of a plain scalar: message and hint; empty when all agree."""
    if text in _OLD_BOOLEANS:
        means = "true" if _OLD_BOOLEANS[text] else "false"
        return (
            f"unquoted `{text}` is read as {means}; YAML 1.2 reads it as text",
            f"write `{means}`, or quote it",
        )
    if _OLD_NUMBER.fullmatch(text):
        return (
            f"unquoted `{text}` is text here; older YAML parsers read it as a number or a date",
            "quote it, or write the number in plain digits",
        )
    return ("", "")


def number(value: float) -> str:
    """A number as YAML writes it; of a very long one the beginning."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value).replace("inf", ".inf").replace("nan", ".nan")
    if isinstance(value, int) and value.bit_length() > 4 * MAX_DIGITS:
        # Python refuses to write out thousands of digits.
        size = abs(value)
        digits = int(math.log10(size)) + 1
        digits -= size < 10 ** (digits - 1)  # the logarithm of 999… is rounded up
        sign = "-" if value < 0 else ""
        return f"{sign}{size // 10 ** (digits - MAX_DIGITS)}… ({digits} digits)"
    return str(value)


def kind(value: object) -> str:
    """What a value is, in the words of messages."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {number(value)}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
