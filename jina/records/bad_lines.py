"""Say what is wrong with a line that is not JSON or not a Document, in our own words."""

from __future__ import annotations

import re

import msgspec

from jina.defaults import MAX_UNTYPED_BYTES
from jina.excepts import DocumentError

_CONSTANT = re.compile(rb"NaN|Infinity")
_AT_BYTE = re.compile(r"^JSON is malformed: (.*) \(byte (\d+)\)$")


def why(line: bytes, err: Exception) -> str:
    """Say what is wrong with a line, and at which of its bytes, counted from 1."""
    if isinstance(err, UnicodeDecodeError):
        try:
            line.decode()
        except UnicodeDecodeError as at:
            return f"not valid UTF-8: byte 0x{line[at.start]:02x} at byte {at.start + 1}"
    if isinstance(err, RecursionError):
        return "nested too deeply"
    if isinstance(err, DocumentError):
        return err.what
    text = str(err)
    if "surrogate" in text or ("truncated" in text and re.search(rb"\\u[dD][89a-fA-F]", line)):
        return "not JSON: half of a surrogate pair, which is not a character"
    if "truncated" in text:
        return f"not JSON: the line ends too early, after byte {len(line.rstrip())}"
    if "Number out of range" in text:
        return "a number beyond the range of float64"
    malformed = _AT_BYTE.match(text)
    return _syntax(line, malformed[1], int(malformed[2])) if malformed else text


def _syntax(line: bytes, reason: str, at: int) -> str:
    """Say where the JSON breaks; the standard library knows the place more exactly."""
    # Late: only a line that is not JSON needs it.
    import json

    try:
        if len(line) <= MAX_UNTYPED_BYTES:  # a larger one could fill the memory
            json.loads(line)
    except json.JSONDecodeError as err:
        at = len(err.doc[: err.pos].encode())
        reason = err.msg[0].lower() + err.msg[1:].removesuffix(" at")
    except (ValueError, RecursionError):
        pass
    constant = _CONSTANT.match(line, at)
    if constant:
        return f"not JSON: {constant[0].decode()} at byte {at + 1}, which is not a JSON number"
    return f"not JSON: {reason} at byte {at + 1}"


class _Named(msgspec.Struct):
    """Decodes a line's id and nothing else: the rest could fill the memory."""

    id: str = ""


_only_id = msgspec.json.Decoder(_Named).decode


def id_of(line: bytes) -> str:
    """Return the id of a line that is not a Document; empty if it has none or is not JSON."""
    try:
        return _only_id(line).id
    except (ValueError, RecursionError):
        return ""
