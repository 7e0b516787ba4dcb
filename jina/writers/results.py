"""Take the JSON line of a result apart, without decoding what is only passed on."""

from __future__ import annotations

from typing import Any

import msgspec

Raw = msgspec.Raw

fields_of = msgspec.json.Decoder(dict[str, Raw]).decode
"""The fields of a result, each still JSON; a failed one has `id` and `error`."""

text_of = msgspec.json.Decoder(str).decode


def reason_of(error: Raw) -> str:
    """Why a result failed, in words: "ValueError in encoder: no such model"."""
    found: dict[str, Any] = msgspec.json.decode(error)
    kind, executor, message = (str(found.get(name) or "") for name in _PARTS)
    where = f" in {executor}" if executor else ""
    return f"{kind.rpartition('.')[2]}{where}" + (f": {message}" if message else "")


_PARTS = ("type", "executor", "message")


def is_error(result: dict[str, Raw]) -> bool:
    """Whether it is the outcome of a failed line: no Document has a field `error`."""
    return "error" in result


_tags_of = msgspec.json.Decoder(dict[str, Raw]).decode


def tags_of(result: dict[str, Raw]) -> dict[str, Raw]:
    """The tags of a result, each value still JSON."""
    return _tags_of(result["tags"]) if "tags" in result else {}
