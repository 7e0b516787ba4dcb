"""The same work behind mosec: a front in Rust, and a Python process for each route.

python -m tests.bench.rivals.mosec_server --port PORT --path FOLDER --timeout MS

/json takes and gives `{"data": [...]}`, /lines JSON lines; /together and /alone cost 5 ms a call,
the first with dynamic batching.
"""

from __future__ import annotations

import time
from typing import Any

import orjson
from mosec import Runtime, Server, Worker

_CALL_S = 0.005
_MOST = 64
WAIT_MS = 10


def _upper(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["text"] = row["text"].upper()


class Json(Worker):
    """Documents in an object."""

    def deserialize(self, data: bytes) -> Any:
        return orjson.loads(data)

    def serialize(self, data: Any) -> bytes:
        return orjson.dumps(data)

    def forward(self, data: Any) -> Any:
        _upper(data["data"])
        return data


class Lines(Worker):
    """Documents as lines."""

    def deserialize(self, data: bytes) -> Any:
        return [orjson.loads(line) for line in data.splitlines()]

    def serialize(self, data: Any) -> bytes:
        return b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in data])

    def forward(self, data: Any) -> Any:
        _upper(data)
        return data


class Together(Json):
    """A call costs the same, however many requests it gets."""

    def forward(self, data: list[Any]) -> list[Any]:
        time.sleep(_CALL_S)
        for one in data:
            _upper(one["data"])
        return data


class Alone(Json):
    """A call for each request."""

    def forward(self, data: Any) -> Any:
        time.sleep(_CALL_S)
        return super().forward(data)


if __name__ == "__main__":
    server = Server()
    server.register_runtime(
        {
            "/json": [Runtime(Json)],
            "/lines": [Runtime(Lines)],
            "/alone": [Runtime(Alone)],
            "/together": [Runtime(Together, max_batch_size=_MOST, max_wait_time=WAIT_MS)],
        }
    )
    server.run()
