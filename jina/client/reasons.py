"""Why lines failed, in words: the first distinct reasons, of the JSON lines that tell of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from jina.wire.maps import ErrorInfo

MAX_REASONS: Final = 3
"""How many distinct reasons of failures are kept."""

_LOOKED_AT = 10  # failed lines of a request; they mostly have one reason
_LEAST_ID = 8  # characters; a shorter id may be a word of the message
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def note_reasons(reasons: dict[str, str], lines: bytes) -> None:
    """Add the reasons of failed lines that are new, until there are `MAX_REASONS`.

    Args:
        reasons: what tells one reason from another, to the reason in words; two that differ in
            numbers, or in the id of their Document, are one.
        lines: JSON lines of outcomes.
    """
    if len(reasons) >= MAX_REASONS:
        return
    for kind, words in _errors(lines):
        reasons.setdefault(_NUMBER.sub("0", kind), words)
        if len(reasons) == MAX_REASONS:
            return


def in_words(error: ErrorInfo) -> str:
    """An error as people read it: its class without the module, where it was raised, its text."""
    where = f" in {error.executor}" if error.executor else ""
    kind = error.type.rpartition(".")[2]
    return f"{kind}{where}: {error.message}" if error.message else f"{kind}{where}"


def _errors(lines: bytes) -> Iterator[tuple[str, str]]:
    """The messages of the first failed lines, first without the uri that they may begin with."""
    seen = 0
    for line in lines.splitlines():
        if b'"error"' in line:
            outcome = msgspec.json.decode(line)
            error = outcome.get("error")
            if isinstance(error, dict):
                kind, message, executor = (
                    str(error.get(name) or "") for name in ("type", "message", "executor")
                )
                bare = message.removeprefix(f"{outcome.get('uri') or ''}: ")
                if len(id := str(outcome.get("id") or "")) >= _LEAST_ID:
                    bare = bare.replace(id, "0")
                yield (
                    in_words(ErrorInfo(kind, bare, executor)),
                    in_words(ErrorInfo(kind, message, executor)),
                )
                seen += 1
                if seen == _LOOKED_AT:
                    return
