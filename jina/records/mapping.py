"""Fill Records from plain dicts: known keys become fields, unknown keys become tags.

`Document({...})` is made this way, and so are JSON lines that need a closer look.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from jina.excepts import BadDocType
from jina.records.bad_lines import why
from jina.records.record import (
    CHILD_FIELDS,
    CONTENT_FIELDS,
    COUNT_FIELDS,
    FIELDS,
    MAX_COUNT,
    SCORE_FIELDS,
    TENSOR_FIELDS,
    TEXT_FIELDS,
    Live,
    Record,
)
from jina.records.score import Scores, as_score
from jina.records.tensors import as_tensor, from_json


def kind_of(value: Any) -> str:
    """Name the type of a value with its article: `an int`, `a list`."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"


def named(number: float) -> str:
    """Return a float as text; NaN and infinity by their names."""
    if number != number:  # noqa: PLR0124 - only NaN is not itself
        return "NaN"
    return str(number).replace("inf", "infinity")


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


_NAMES = frozenset({"id", "parent_id"})  # of Documents: databases count them

KEYS: dict[str, str] = {name: name for name in FIELDS} | {_camel(name): name for name in FIELDS}


def fill(
    record: Record,
    source: Mapping[str, Any],
    *,
    resolver: Mapping[str, str] | None = None,
    child: Callable[[Any], Record] | None = None,
) -> None:
    """Set the fields that a mapping gives; unknown keys go into the tags.

    Args:
        record: is filled; fields that the mapping does not name stay as they are.
        source: field names in snake or camel case, `content`, and any other keys.
        resolver: new names for keys, applied first.
        child: makes a Record of an element of chunks or matches that is not a mapping.

    Raises:
        BadDocType: a value of the wrong type, a key that is not text, two contents at once.
    """
    extra: dict[str, Any] = {}
    contents = []
    for key, value in (resolved(source, resolver) if resolver else source).items():
        name = KEYS.get(key)
        if name is not None:
            if name != key and name in source:
                raise BadDocType(f"both `{key}` and `{name}` set the field `{name}`")
            if value is not None:
                _set(record, name, value, child)
                if name in CONTENT_FIELDS:
                    contents.append(name)
        elif key == "content":
            if value is not None:
                contents.append(_set_content(record, value))
        elif type(key) is str:
            extra[key] = value
        else:
            raise BadDocType(f"the key {key!r} is not text")
    if len(contents) > 1:
        raise BadDocType(f"one Document has one content, not {' and '.join(contents)}")
    if extra:
        tags = record.tags.value if type(record.tags) is Live else {}
        for key in extra.keys() & tags.keys():
            raise BadDocType(f"the key `{key}` appears both inside `tags` and next to it")
        record.tags = Live({**tags, **extra})


def resolved(source: Mapping[str, Any], resolver: Mapping[str, str]) -> dict[str, Any]:
    """Return a mapping with its keys renamed.

    Raises:
        BadDocType: two keys get the same name, so that one of their values would be lost.
    """
    renamed: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for key, value in source.items():
        name = resolver.get(key, key)
        if name in origin:
            raise BadDocType(f"both `{origin[name]}` and `{key}` set the field `{name}`")
        renamed[name] = value
        origin[name] = key
    return renamed


def _set(record: Record, name: str, value: Any, child: Callable[[Any], Record] | None) -> None:
    if name in TEXT_FIELDS or name == "text":
        if name in _NAMES and type(value) is int:
            value = str(value)
        if not isinstance(value, str):
            raise BadDocType(f"`{name}` is {kind_of(value)}, expected text")
        setattr(record, name, str(value))
    elif name == "tags":
        if not isinstance(value, Mapping):
            raise BadDocType(f"`tags` is {kind_of(value)}, expected an object")
        old = record.tags.value if type(record.tags) is Live else {}
        record.tags = Live({**old, **value})
    elif name in TENSOR_FIELDS:
        setattr(record, name, _tensor(name, value))
    elif name == "buffer":
        record.buffer = _buffer(value)
    elif name in CHILD_FIELDS:
        setattr(record, name, _children(name, value, child) or None)
    elif name in SCORE_FIELDS:
        setattr(record, name, Live(scores(name, value)))
    elif name == "weight":
        record.weight = finite(name, value)
    elif name in COUNT_FIELDS:
        setattr(record, name, count(name, value))
    else:
        record.location = Live(locations(value))


def _set_content(record: Record, value: Any) -> str:
    if isinstance(value, str):
        record.text = str(value)
        return "text"
    if isinstance(value, (bytes, bytearray, memoryview)):
        record.buffer = bytes(value)
        return "buffer"
    record.blob = _tensor("content", value)
    return "blob"


def _tensor(name: str, value: Any) -> Any:
    try:
        return from_json(value) if isinstance(value, dict) else as_tensor(value)
    except (ValueError, KeyError) as err:
        raise BadDocType(f"`{name}` is not a tensor: {err}") from err


def _buffer(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if not isinstance(value, str):
        raise BadDocType(f"`buffer` is {kind_of(value)}, expected bytes or base64 text")
    # Late: only a buffer in JSON or a dict needs it.
    from base64 import b64decode

    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError) as err:
        raise BadDocType(f"`buffer` is not base64 text: {err}") from err


def _children(name: str, value: Any, child: Callable[[Any], Record] | None) -> list[Record]:
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise BadDocType(f"`{name}` is {kind_of(value)}, expected a list of Documents")
    records = []
    for item in value:
        if isinstance(item, Mapping):
            record = Record()
            fill(record, item, child=child)
        elif child is None:
            raise BadDocType(f"`{name}` holds {kind_of(item)}, expected an object")
        else:
            record = child(item)
        records.append(record)
    return records


def scores(name: str, value: Any) -> Scores:
    """Return Scores from a mapping of names to scores or numbers.

    Args:
        name: of the field, for the error.
        value: the mapping.

    Raises:
        BadDocType: anything else.
    """
    if not isinstance(value, Mapping):
        raise BadDocType(f"`{name}` is {kind_of(value)}, expected an object of scores by name")
    result = Scores()
    for key, score in value.items():
        if not isinstance(key, str):
            raise BadDocType(f"`{name}` has the key {key!r}, which is not text")
        try:
            dict.__setitem__(result, str(key), as_score(score))
        except (TypeError, ValueError) as err:
            raise BadDocType(f"`{name}.{key}` is not a score: {err}") from err
    return result


def finite(name: str, value: Any) -> float:
    """Return a number as a float.

    Raises:
        BadDocType: not a number, or NaN or infinity, which JSON cannot represent.
    """
    if isinstance(value, (str, bytes, bool)) or not hasattr(value, "__float__"):
        raise BadDocType(f"`{name}` is {kind_of(value)}, expected a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as err:
        raise BadDocType(f"`{name}` is not a number: {err}") from err
    if number - number != 0:
        raise BadDocType(f"`{name}` is {named(number)}, expected a finite number")
    return number


def count(name: str, value: Any) -> int:
    """Return a whole number from 0 to 2**63 - 1.

    Raises:
        BadDocType: anything else.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise BadDocType(f"`{name}` is {kind_of(value)}, expected a whole number")
    number = int(value)
    if not 0 <= number <= MAX_COUNT:
        raise BadDocType(f"`{name}` is {number}, expected a number from 0 to 2**63 - 1")
    return number


def locations(value: Any) -> list[int]:
    """Return a list of whole numbers; see `count`."""
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise BadDocType(f"`location` is {kind_of(value)}, expected a list of numbers")
    return [count("location", item) for item in value]


def from_text(text: str) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises:
        BadDocType: not JSON, or JSON that is not an object.
    """
    try:
        value = msgspec.json.decode(text)
    except UnicodeEncodeError as err:
        raise BadDocType(f"this text is not JSON: {err}") from err
    except (msgspec.MsgspecError, RecursionError) as err:
        reason = why(text.encode(), err).removeprefix("not JSON: ")
        raise BadDocType(f"this text is not JSON: {reason}") from err
    if not isinstance(value, dict):
        raise BadDocType(f"this JSON is {kind_of(value)}, expected an object")
    return value
