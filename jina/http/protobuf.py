"""Messages of protobuf as dicts, by tables of their fields: as much of it as Jina's messages need.

A field that a table does not have is skipped. Values that are not set are left out, both ways.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

TEXT = "text"
BYTES = "bytes"
UINT = "uint"  # also enums
FLOAT = "float"
BOOL = "bool"
MESSAGE = "message"
MAP = "map"  # of text to messages
STRUCT = "struct"  # google.protobuf.Struct: a dict of plain values

_MAX_DEPTH = 100  # of messages in messages, as other readers allow
_MAX_FIELDS = 200_000  # of a message with all that is in it: about a quarter of a second
_TOO_MANY = f"a message of more than {_MAX_FIELDS:,} fields"
_MAX_UINT = (1 << 64) - 1
_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5  # wire types
_WIRES = {TEXT: _SIZED, BYTES: _SIZED, UINT: _VARINT, FLOAT: _FOUR, BOOL: _VARINT}
_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")


class Field(NamedTuple):
    """A field of a message.

    Attributes:
        name: its key in a dict.
        kind: what it holds.
        schema: of the message that it is, or of the values of the map.
        is_repeated: it is a list.
        is_kept: it is written even if it is empty.
    """

    name: str
    kind: str
    schema: Mapping[int, Field] | None = None
    is_repeated: bool = False
    is_kept: bool = False


Schema = Mapping[int, Field]


class BadMessage(ValueError):
    """Bytes that are not such a message."""


# --- reading ---


def decode(schema: Schema, data: bytes) -> dict[str, Any]:
    """The fields of a message.

    Args:
        schema: number -> field.
        data: the message.

    Raises:
        BadMessage: it is not one, nested too deeply, or of too many fields.
    """
    return _Reader().message(schema, data, 0)


class _Reader:
    """Reads one message, with all that is in it."""

    def __init__(self) -> None:
        self._left = _MAX_FIELDS

    def message(self, schema: Schema, data: bytes, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, wire, raw in self._fields(data, depth):
            field = schema.get(number)
            if field is None:
                continue
            if field.kind == MAP:
                entry = {1: Field("key", TEXT), 2: Field("value", MESSAGE, field.schema)}
                pair = self.message(entry, _sized_only(field, wire, raw), depth + 1)
                found.setdefault(field.name, {})[pair.get("key", "")] = pair.get("value", {})
            elif not field.is_repeated:
                found[field.name] = self._value(field, wire, raw, depth)
            elif wire == _SIZED and field.kind in (UINT, FLOAT):
                found.setdefault(field.name, []).extend(self._packed(field, raw))
            else:
                found.setdefault(field.name, []).append(self._value(field, wire, raw, depth))
        return found

    def _fields(self, data: bytes, depth: int) -> Iterator[tuple[int, int, Any]]:
        """Number, wire type and value of each field: an int, or bytes."""
        if depth > _MAX_DEPTH:
            raise BadMessage("messages are nested too deeply")
        place, end = 0, len(data)
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise BadMessage(_TOO_MANY)
            key, place = data[place], place + 1
            if key > 127:
                key, place = _varint(data, place - 1)
            number, wire = key >> 3, key & 7
            if not number:
                raise BadMessage("a field without a number")
            if wire == _VARINT:
                value, place = _varint(data, place)
                yield number, wire, value
                continue
            if wire == _SIZED and place < end:
                size, place = data[place], place + 1
                if size > 127:
                    size, place = _varint(data, place - 1)
            elif wire in (_EIGHT, _FOUR):
                size = 8 if wire == _EIGHT else 4
            else:
                raise BadMessage(f"a field of wire type {wire}")
            if place + size > end:
                raise BadMessage("a field ends behind its message")
            yield number, wire, data[place : place + size]
            place += size

    def _value(self, field: Field, wire: int, raw: Any, depth: int) -> Any:
        kind = field.kind
        if wire != _WIRES.get(kind, _SIZED):
            raise BadMessage(f"`{field.name}` has wire type {wire}")
        if kind == TEXT:
            return _text(raw)
        if kind == FLOAT:
            return _FLOAT.unpack(raw)[0]
        if kind == BOOL:
            return bool(raw)
        if kind == STRUCT:
            return self._struct(raw, depth + 1)
        if kind == MESSAGE and field.schema is not None:
            return self.message(field.schema, raw, depth + 1)
        return raw

    def _packed(self, field: Field, raw: bytes) -> Iterator[Any]:
        if field.kind == FLOAT:
            if len(raw) % 4:
                raise BadMessage(f"`{field.name}` breaks off")
            yield from (number for (number,) in _FLOAT.iter_unpack(raw))
            return
        place = 0
        while place < len(raw):
            self._left -= 1
            if self._left < 0:
                raise BadMessage(_TOO_MANY)
            value, place = _varint(raw, place)
            yield value

    def _struct(self, data: bytes, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, wire, raw in self._fields(data, depth):
            if number == 1 and wire == _SIZED:
                key, value = "", None
                for part, kind, inner in self._fields(raw, depth + 1):
                    if part == 1 and kind == _SIZED:
                        key = _text(inner)
                    elif part == 2 and kind == _SIZED:
                        value = self._plain(inner, depth + 2)
                found[key] = value
        return found

    def _plain(self, data: bytes, depth: int) -> Any:
        """A google.protobuf.Value."""
        value: Any = None
        for number, wire, raw in self._fields(data, depth):
            if number == 2 and wire == _EIGHT:
                value = _DOUBLE.unpack(raw)[0]
            elif number == 4 and wire == _VARINT:
                value = bool(raw)
            elif number == 3 and wire == _SIZED:
                value = _text(raw)
            elif number == 5 and wire == _SIZED:
                value = self._struct(raw, depth + 1)
            elif number == 6 and wire == _SIZED:
                value = [
                    self._plain(each, depth + 2)
                    for part, kind, each in self._fields(raw, depth + 1)
                    if part == 1 and kind == _SIZED
                ]
        return value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & _MAX_UINT, place
        shift += 7
    raise BadMessage("a number does not end")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadMessage(f"text that is not UTF-8: {error}") from error


def _sized_only(field: Field, wire: int, raw: Any) -> bytes:
    if wire != _SIZED:
        raise BadMessage(f"`{field.name}` has wire type {wire}")
    return bytes(raw)


# --- writing ---


def encode(schema: Schema, values: Mapping[str, Any]) -> bytes:
    """A message.

    Args:
        schema: number -> field.
        values: of its fields; what is missing, None or empty is left out.

    Raises:
        ValueError: a value does not fit into its field.
    """
    written: list[bytes] = []
    for number, field in schema.items():
        value = values.get(field.name)
        if value is None:
            continue
        if field.kind == MAP:
            assert field.schema is not None
            for key, item in value.items():
                entry = _sized(1, key.encode()) + _sized(2, encode(field.schema, item))
                written.append(_sized(number, entry))
        elif field.is_repeated:
            written.append(_repeated(number, field, value))
        elif value or field.is_kept or field.kind == MESSAGE:
            written.append(_written(number, field, value))
    return b"".join(written)


def _repeated(number: int, field: Field, values: Any) -> bytes:
    if field.kind == FLOAT:
        packed = b"".join(_FLOAT.pack(value) for value in values)
    elif field.kind == UINT:
        packed = b"".join(_number(int(value)) for value in values)
    else:
        return b"".join(_written(number, field, value) for value in values)
    return _sized(number, packed) if packed else b""


def _written(number: int, field: Field, value: Any) -> bytes:
    kind = field.kind
    if kind in (UINT, BOOL):
        return _number(number << 3 | _VARINT) + _number(int(value))
    if kind == FLOAT:
        try:
            return _number(number << 3 | _FOUR) + _FLOAT.pack(value)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"`{field.name}`: {error}") from error
    if kind == TEXT:
        return _sized(number, value.encode())
    if kind == BYTES:
        return _sized(number, value)
    if kind == STRUCT:
        return _sized(number, _struct_of(value))
    assert field.schema is not None
    return _sized(number, encode(field.schema, value))


def _number(value: int) -> bytes:
    if not 0 <= value <= _MAX_UINT:
        raise ValueError(f"{value} is not a number from 0 to 2^64")
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def _sized(number: int, data: bytes) -> bytes:
    return _number(number << 3 | _SIZED) + _number(len(data)) + data


def _struct_of(values: Mapping[str, Any]) -> bytes:
    return b"".join(
        _sized(1, _sized(1, key.encode()) + _sized(2, _value_of(value)))
        for key, value in values.items()
    )


def _value_of(value: Any) -> bytes:
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, (int, float)):
        return b"\x11" + _DOUBLE.pack(value)
    if isinstance(value, str):
        return _sized(3, value.encode())
    if isinstance(value, Mapping):
        return _sized(5, _struct_of(value))
    return _sized(6, b"".join(_sized(1, _value_of(item)) for item in value))
