"""Tell whether another jina speaks with this one: a mark of what crosses the borders of processes.

Two builds may have the same version and different messages; then their marks differ.
"""

from __future__ import annotations

import zlib

import msgspec

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.runtime.control import Assignment
from jina.runtime.start_error import StartError
from jina.wire import header, maps
from jina.wire.batching import Batching
from jina.wire.doubts import Doubt

_CROSSING: tuple[type[msgspec.Struct], ...] = (
    *(Assignment, WorkerSpec, ExecutorSpec, Batching, Doubt),
    *(maps.Part, maps.ErrorInfo, maps.Route, maps.Times, maps.Call),
    *(maps.Failure, maps.LineFailures, maps.Ready, StartError),
)


def fingerprint() -> str:
    """The version of the wire, and a checksum of the fields that the supervisor's messages have."""
    fields = ";".join(f"{cls.__name__}:{','.join(cls.__struct_fields__)}" for cls in _CROSSING)
    return f"{header.VERSION}-{zlib.crc32(fields.encode()):08x}"
