"""Structs that cross a process border, with text in them that may not be UTF-8.

Names of files and values of the environment are bytes; Python shows those that are not UTF-8 as
lone surrogates, which msgspec does not write. The standard library's JSON does, but it is slower:
it is used for these alone. Integers of more than 64 bits are written in JSON too: msgpack has none.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")

_ENCODE_JSON = msgspec.json.Encoder().encode
_ENCODE_MSGPACK = msgspec.msgpack.Encoder().encode
_BRACE = b"{"  # how JSON begins here; in msgpack it would be the number 123


def encode_json(value: msgspec.Struct) -> bytes:
    """A struct as one line of JSON, without its end."""
    try:
        return _ENCODE_JSON(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value, str_keys=True)).encode()


def decode_json(data: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    """What `encode_json` wrote.

    Args:
        data: one value.
        decoder: made once, for the struct or a union of them.

    Raises:
        msgspec.DecodeError: the data is damaged.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        try:
            value = json.loads(data)
        except ValueError:
            raise error from None
    found: _T = _converted(value, decoder.type)
    return found


def encode_msgpack(value: msgspec.Struct) -> bytes:
    """A struct in msgpack, or in JSON when its text is not UTF-8 or an integer exceeds 64 bits."""
    try:
        return _ENCODE_MSGPACK(value)
    except (UnicodeEncodeError, OverflowError):
        return encode_json(value)


def decode_msgpack(data: bytes, kind: type[_T]) -> _T:
    """What `encode_msgpack` wrote.

    Raises:
        msgspec.DecodeError: the data is damaged.
    """
    if data.startswith(_BRACE):
        found: _T = _converted(json.loads(data), kind)
        return found
    return msgspec.msgpack.decode(data, type=kind)


def _converted(value: Any, kind: Any) -> Any:
    return msgspec.convert(value, kind, str_keys=True)
