"""Enumerations that published Jina 2 code imports; jina itself does not use them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class BetterEnum(IntEnum):
    """An enumeration whose members are found by name in any case."""

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_string(cls, s: str) -> Self:
        """Return the member with this name, in any case.

        Raises:
            ValueError: there is none; the message lists those that exist.
        """
        try:
            return cls[s.upper()]
        except KeyError:
            names = ", ".join(member.name for member in cls)
            raise ValueError(
                f"{s.upper()!r} is not a valid {cls.__name__}; choose from: {names}"
            ) from None


class PollingType(BetterEnum):
    """Which shards get a request."""

    ANY = 1
    ALL = 2
    ALL_ASYNC = 3


class SchedulerType(BetterEnum):
    """Which replica gets a request."""

    LOAD_BALANCE = 0
    ROUND_ROBIN = 1


class OnErrorStrategy(BetterEnum):
    """What happens to a failed request after the Executor that failed."""

    IGNORE = 0
    SKIP_HANDLE = 1
    THROW_EARLY = 2


class FlowInspectType(BetterEnum):
    """What becomes of Executors that look on, see `Flow.inspect`."""

    HANG = 0
    REMOVE = 2
    COLLECT = 3


class GatewayProtocolType(BetterEnum):
    """How a Flow is reached."""

    GRPC = 0
    HTTP = 1
    WEBSOCKET = 2


class RequestType(BetterEnum):
    """What a request is."""

    DATA = 0
    CONTROL = 1


class DataInputType(BetterEnum):
    """How an element of the inputs is read."""

    AUTO = 0
    DOCUMENT = 1
    CONTENT = 2
    DICT = 3
