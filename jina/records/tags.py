"""Tags, whose values have no declared type: decode them, and check them before they are sent."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from typing import Any

import msgspec

from jina.defaults import MAX_UNTYPED_BYTES, MAX_UNTYPED_NODES
from jina.excepts import DocumentError, WireError
from jina.records.mapping import kind_of, named
from jina.records.record import NO_TAGS, Live, OwnTags, Record

_from_json = msgspec.json.Decoder(dict[str, Any])
_from_msgpack = msgspec.msgpack.Decoder(dict[str, Any])
_to_msgpack = msgspec.msgpack.Encoder()

_PLAIN = frozenset({str, int, bool, type(None)})

_FLOATS = frozenset({float})
_MANY = 8  # values; in a longer list, looking at all types first pays

# Two threads that read the same tags for the first time must get the same dict.
_publish = threading.Lock()


class NotFinite(DocumentError):
    """NaN or infinity in a value that must be written as JSON."""


def live_tags(record: Record) -> dict[str, Any]:
    """Return the record's tags as a dict, which belongs to the record from now on.

    Raises:
        DocumentError: the tags came as JSON that is not an object, or is nested too deeply.
    """
    with _publish:
        value = record.tags
        tags = read_tags(value)
        if type(value) is not Live:
            record.tags = Live(tags)
            if isinstance(value, OwnTags):
                value.reads.count += 1
    return tags


def read_tags(value: Any) -> dict[str, Any]:
    """Return tags in any of their forms as a dict; for Live ones, the very dict that users hold.

    Raises:
        DocumentError: see `live_tags`.
    """
    if type(value) is Live:
        held: dict[str, Any] = value.value
        return held
    if isinstance(value, OwnTags):
        keys = type(value).__struct_encode_fields__[:-2]
        return dict(zip(keys, map(copied, msgspec.structs.astuple(value)), strict=False))
    try:
        if value is NO_TAGS or not (raw := bytes(value)):
            return {}
        check_size(raw)
        return _from_json.decode(raw)
    except RecursionError as err:
        raise DocumentError("`tags` is nested too deeply") from err
    except (msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise DocumentError(f"`tags` cannot be read: {err}") from err


def join_tags(values: Iterable[Any]) -> bytes:
    """Return the tags of many rows as one JSON list, empty if no row has any.

    A row is an object, null where there are no tags, or, for tags that JSON cannot carry (NaN and
    infinity), a text: base64 of a msgpack map.

    Raises:
        DocumentError: a value that neither can carry, or untyped values beyond the limits.
    """
    try:
        data = _rows_to_json([None if value is NO_TAGS else value for value in values])
    except DocumentError:
        raise
    except UnicodeEncodeError as err:
        raise DocumentError(f"`tags` contains text that is not valid Unicode: {err}") from err
    except ValueError as err:  # of Python: an integer of more than 4,300 digits
        raise DocumentError(f"`tags` contains an integer that is too long: {err}") from err
    if not data.translate(None, b"[]nul,"):
        return b""
    _check_rows(data)
    return data


def _row_value(value: Any) -> Any:
    """Return the value for one row's tags in the JSON list."""
    if not value.value:
        return None
    try:
        return plain_tags(value.value)
    except NotFinite as odd:
        try:
            # Bytes become base64 text.
            return _to_msgpack.encode(plain(value.value, finite=False))
        except OverflowError as err:
            raise DocumentError(
                f"{odd.what}, next to an integer of more than 64 bits, which only JSON can "
                "represent",
                hint="write one of them as text",
            ) from err


_rows_to_json = msgspec.json.Encoder(enc_hook=_row_value).encode


def split_tags(data: Any, rows: int) -> list[Any]:
    """Return each row's tags, undecoded where they are JSON; the opposite of `join_tags`.

    Raises:
        WireError: the data is not such a list, or does not have one element per row.
    """
    try:
        raw = bytes(data)
        if b"\n" in raw or b"\r" in raw:
            data = raw = raw.translate(_WHITE)
        values = _rows_from_json(data)
        if len(values) != rows:
            raise ValueError(f"{len(values)} tags for {rows} Documents")
        raw.decode()
        _check_rows(data)
        return values if are_objects(values) else list(map(_tags_of_row, values))
    except (msgspec.MsgspecError, ValueError, RecursionError) as err:
        raise WireError(f"the column `tags` cannot be decoded: {err}") from err


# Spaces for line ends, so that what stays undecoded can be written into a line. JSON escapes those
# in texts, so all others are white space.
_WHITE = bytes.maketrans(b"\r\n", b"  ")
_rows_from_json = msgspec.json.Decoder(list[msgspec.Raw]).decode
_packed_from_json = msgspec.json.Decoder(bytes).decode


def are_objects(values: list[msgspec.Raw]) -> bool:
    """Whether all of these undecoded JSON values are objects."""
    # JSON holds no zero byte, so what follows one is the start of a value.
    joined = b"\0".join(values)
    return joined.startswith(b"{") and joined.count(b"\0{") == len(values) - 1


def are_filled_objects(joined: bytes, count: int) -> bool:
    """Whether so many undecoded JSON values, with zero bytes between, are objects with members."""
    if joined.startswith(b'{"') and joined.count(b'\0{"') == count - 1:
        return True
    joined = joined.translate(None, b" \t\r\n")  # within texts too, which does not matter here
    return joined.startswith(b'{"') and joined.count(b'\0{"') == count - 1


def _tags_of_row(value: msgspec.Raw) -> Any:
    raw = bytes(value)
    if raw[:1] == b"{":
        return value
    if raw == b"null":
        return NO_TAGS
    if raw[:1] == b'"':
        return Live(_unpacked(_packed_from_json(raw)))
    raise ValueError("tags that are not an object")


def _unpacked(data: bytes) -> dict[str, Any]:
    # In the JSON list it is base64 text, which `check_size` counts as one value, however long.
    if len(data) > MAX_UNTYPED_BYTES:
        raise DocumentError(f"`tags` of {len(data)} bytes")
    return _from_msgpack.decode(data)


def plain_tags(tags: dict[str, Any]) -> Any:
    """Return tags as JSON can carry them; see `plain`."""
    # Almost always nothing needs to change, and seeing that is much cheaper than keeping track of
    # the place, as `plain` does for its errors.
    try:
        if _is_plain_map(tags):
            return tags
    except RecursionError:
        pass  # `plain` raises the error
    return plain(tags, finite=True)


def _is_plain_map(value: dict[Any, Any]) -> bool:
    """Whether `plain` would return this very dict."""
    for key, item in value.items():
        if type(key) is not str:
            return False
        kind = type(item)
        if kind is not str and kind is not int and not _is_plain(item, kind):
            return False
    return True


def _is_plain_list(value: list[Any]) -> bool:
    if len(value) > _MANY:
        kinds = set(map(type, value))
        if kinds <= _PLAIN:
            return True
        if kinds == _FLOATS:
            return all(map(math.isfinite, value))
    for item in value:
        kind = type(item)
        if kind is not str and kind is not int and not _is_plain(item, kind):
            return False
    return True


def _is_plain(value: Any, kind: type) -> bool:
    if kind is float:
        return value - value == 0  # type: ignore[no-any-return] # neither NaN nor infinity
    if kind is dict:
        return _is_plain_map(value)
    if kind is list:
        return _is_plain_list(value)
    return kind in _PLAIN


def plain(value: Any, *, finite: bool) -> Any:
    """Return `value` made of str, int, float, bool, None, list and dict only.

    Numpy scalars and arrays become numbers and lists, tuples become lists. The value itself is
    returned where nothing needs to change.

    Args:
        value: any tree of such values.
        finite: whether NaN and infinity are refused.

    Raises:
        DocumentError: an object of another type, a key that is not text, or nesting that is too
            deep.
        NotFinite: a NaN or infinity although `finite`.
    """
    try:
        return _plain(value, finite, "tags")
    except RecursionError as err:
        raise DocumentError("`tags` is nested too deeply") from err


def _plain(value: Any, finite: bool, where: str) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        if finite and not math.isfinite(value):
            raise NotFinite(f"`{where}` is {named(value)}, which JSON cannot represent")
        return value
    if kind is dict:
        return _plain_map(value, finite, where)
    if kind is list or kind is tuple:
        new = [_plain(item, finite, f"{where}[{i}]") for i, item in enumerate(value)]
        changed = kind is tuple or any(a is not b for a, b in zip(new, value, strict=True))
        return new if changed else value
    return _plain(_simpler(value, where), finite, where)


def _plain_map(value: dict[Any, Any], finite: bool, where: str) -> dict[str, Any]:
    changed = {}
    for key, item in value.items():
        if type(key) is not str and not isinstance(key, str):
            raise DocumentError(f"`{where}` has the key {key!r}, which is not text")
        kind = type(item)
        if kind in _PLAIN and type(key) is str:
            continue
        new = _plain(item, finite, f"{where}.{key}")
        if new is not item or type(key) is not str:
            changed[key] = new
    if not changed:
        return value
    return {str(key): changed.get(key, item) for key, item in value.items()}


def _simpler(value: Any, where: str) -> Any:
    """Return a numpy value, or an instance of a subclass of a plain type, as a plain value."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        listed = value.tolist()
        if type(listed) is not type(value):
            return listed
    raise DocumentError(
        f"`{where}` is {kind_of(value)}",
        hint="tags can hold text, numbers, booleans, None, lists and maps of these",
    )


def copied(value: Any) -> Any:
    """Return a copy of a tree of dicts and lists; leaves are shared.

    Raises:
        DocumentError: the tree is too deep.
    """
    try:
        return _copied(value)
    except RecursionError as err:
        raise DocumentError("`tags` is nested too deeply") from err


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    if kind is list:
        return [_copied(item) for item in value]
    return value


def _check_rows(data: Any) -> None:
    """Likewise for the tags of many rows: they are decoded row by row, when somebody reads them."""
    if len(data) > MAX_UNTYPED_BYTES:
        for value in _rows_from_json(data):
            check_size(value)


def check_size(data: Any) -> None:
    """Refuse undecoded JSON that would take far more memory once it is decoded.

    Args:
        data: the undecoded bytes.

    Raises:
        DocumentError: more than MAX_UNTYPED_BYTES, and more than MAX_UNTYPED_NODES values.
    """
    if len(data) <= MAX_UNTYPED_BYTES:
        return
    raw = bytes(data)
    nodes = raw.count(b",") + raw.count(b"[") + raw.count(b"{")
    if nodes > MAX_UNTYPED_NODES:
        raise DocumentError(f"untyped values with {nodes} members")
