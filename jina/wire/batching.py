"""Dynamic batching on the wire: settings of an endpoint, and which requests may be one call.

The call map is opaque to the gateway. Where an endpoint is batched, its first element, the
parameters, is cut out as bytes and compared; no value in it is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jina.defaults import BATCH_DOCS, BATCH_TIMEOUT_MS

#: In a request's parameters: `False` goes around dynamic batching.
SWITCH = "use_dynamic_batching"

_SWITCH_BYTES = SWITCH.encode()


class Batching(msgspec.Struct, array_like=True, frozen=True):
    """How the requests of one endpoint become one call.

    Attributes:
        preferred_batch_size: Documents per call; call as soon as this many are waiting.
        timeout: how long the oldest request waits for others, in ms.
        flush_all: a call takes all that wait, however many they are.
    """

    preferred_batch_size: int = BATCH_DOCS
    timeout: float = BATCH_TIMEOUT_MS
    flush_all: bool = False

    @property
    def most_rows(self) -> int:
        """Documents of one call at most; 0 for any number."""
        return 0 if self.flush_all else self.preferred_batch_size


class _Parameters(msgspec.Struct, array_like=True):
    """The beginning of a Call; the elements behind it are skipped."""

    parameters: msgspec.Raw = msgspec.Raw(b"\x80")


_BEGINNING = msgspec.msgpack.Decoder(_Parameters)
_VALUES = msgspec.msgpack.Decoder(dict[str, Any])


def batched_parameters(call: bytes) -> bytes | None:
    """The parameters of a call map as they were sent: requests with equal ones may become one call.

    Returns:
        None where the request goes alone: its parameters say so, or the map is damaged.
    """
    try:
        found = bytes(_BEGINNING.decode(call).parameters)
        if _SWITCH_BYTES in found and goes_around(_VALUES.decode(found)):
            return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found


def goes_around(parameters: Mapping[str, Any]) -> bool:
    """Whether a request's parameters ask for a call of its own."""
    return parameters.get(SWITCH) is False
