"""What the fronts of a Flow have done, counted where each of them can read it.

A front counts in a small file that it maps into its memory, one for each slot. Whoever is asked
adds up all of them, so every front gives the same answer; the counts outlive the front, and its
replacement goes on with them. To count is a few additions in memory: no lock, and no call.
"""

from __future__ import annotations

import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from jina.graph.front_counts import DONE, HEAD, IN_FLIGHT, MAGIC, PID, USED, path_of

OTHER = "other"
"""The endpoint of what no Executor serves: pages, probes, what does not exist."""
GONE = 499
"""The status of a request whose client hung up before its answer."""

BOUNDS_S = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of the histogram; the last bucket has none."""
STATUSES = (
    *(101, 200, 204, 206, 302, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413),
    *(415, 422, 426, 429, 431, GONE, 500, 501, 502, 503, 504),
)
"""Those that are counted apart; another one counts as its hundred."""

# A file is an array of 64-bit numbers: a head (see `graph.front_counts`), then rows. A row is the
# name of an endpoint, padded with zeros, then its counts.
_NAME = 24  # numbers, so 192 bytes
_HUNDREDS = 6
_BY_STATUS = _NAME
_DONE = _BY_STATUS + len(STATUSES) + _HUNDREDS
_FAILED = _DONE + 1
_NANOSECONDS = _FAILED + 1
_BUCKETS = _NANOSECONDS + 1
_ROW = _BUCKETS + len(BOUNDS_S) + 1
_ROWS = 256
_BYTES = (HEAD + _ROWS * _ROW) * 8
_PLACE_OF = {status: _BY_STATUS + at for at, status in enumerate(STATUSES)}


class Metrics:
    """The counts of one front, and the sum of all.

    Args:
        directory: where the fronts of the Flow count; "" where this one is alone.
        slot: which of them this is.
        served: tells the endpoints that Executors bind, for which there are counts of their own.
    """

    def __init__(self, directory: str, slot: int, served: Callable[[], Container[str]]) -> None:
        self._directory = directory
        self._served = served
        self._map = _open(directory, slot)
        self._cells = memoryview(self._map).cast("q")
        self._rows: dict[str, int] = {}
        self._claim()

    def _claim(self) -> None:
        """Go on with what a predecessor has counted, but not with what it had in flight."""
        cells = self._cells
        if cells[0] != MAGIC:
            cells[0], cells[USED], cells[DONE] = MAGIC, 0, 0
        cells[PID], cells[IN_FLIGHT] = os.getpid(), 0
        for at in range(HEAD, HEAD + min(cells[USED], _ROWS) * _ROW, _ROW):
            self._rows[_name_at(self._map, at)] = at
        if OTHER not in self._rows:
            self._add(OTHER)

    def close(self) -> None:
        """Count no more; the file stays."""
        self._cells[IN_FLIGHT] = 0
        self._cells.release()
        self._map.close()

    # --- the hot path ---

    def began(self) -> None:
        """A request is here."""
        self._cells[IN_FLIGHT] += 1

    def forgot(self) -> None:
        """A request is counted elsewhere: it has not begun here."""
        self._cells[IN_FLIGHT] -= 1

    def ended(self, endpoint: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        cells = self._cells
        at = self._rows.get(endpoint) or self._row_for(endpoint)
        cells[IN_FLIGHT] -= 1
        cells[DONE] += 1
        cells[at + (_PLACE_OF.get(status) or _hundred(status))] += 1
        cells[at + _BUCKETS + bisect_left(BOUNDS_S, seconds)] += 1
        cells[at + _NANOSECONDS] += int(seconds * 1e9)

    def met(self, status: int) -> None:
        """A WebSocket is over, or was refused: one request, without a time."""
        self._cells[DONE] += 1
        self._cells[self._rows[OTHER] + (_PLACE_OF.get(status) or _hundred(status))] += 1

    def documents(self, endpoint: str, total: int, failed: int) -> None:
        """Documents have their outcomes, and this many of them are errors."""
        at = self._rows.get(endpoint) or self._row_for(endpoint)
        self._cells[at + _DONE] += total - failed
        if failed:
            self._cells[at + _FAILED] += failed

    def _row_for(self, endpoint: str) -> int:
        is_known = endpoint in self._served() and self._cells[USED] < _ROWS
        if not is_known or len(endpoint.encode("utf-8", "replace")) > _NAME * 8:
            return self._rows[OTHER]
        return self._add(endpoint)

    def _add(self, endpoint: str) -> int:
        cells = self._cells
        at = HEAD + cells[USED] * _ROW
        name = endpoint.encode("utf-8", "replace").ljust(_NAME * 8, b"\0")
        self._map[at * 8 : at * 8 + _NAME * 8] = name
        cells[at + _NAME : at + _ROW] = memoryview(bytes((_ROW - _NAME) * 8)).cast("q")
        cells[USED] += 1  # last: from here on others read it
        self._rows[endpoint] = at
        return at

    # --- the sum ---

    def text(self, status: Mapping[str, Any] | None) -> str:
        """The counts of all fronts, and what the gateway says, for Prometheus.

        Args:
            status: the gateway's answer to STATUS; None if there is none, then the series that need
                it are left out.
        """
        counts = _Sum()
        for read in self._files():
            counts.add(read)
        return "\n".join([*counts.lines(), *_nodes(status or {})]) + "\n"

    def _files(self) -> Iterator[bytes]:
        if not self._directory:
            yield self._map[:]
            return
        for path in sorted(Path(self._directory).glob("http-*.counts")):
            try:
                yield path.read_bytes()
            except OSError:  # the Flow is being cleaned up
                continue


class _Sum:
    """The counts of several fronts."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._rows: dict[str, list[int]] = {}

    def add(self, read: bytes) -> None:
        """Add those of one front."""
        if len(read) != _BYTES:
            return  # it is only being made
        numbers = struct.unpack(f"<{_BYTES // 8}q", read)
        if numbers[0] != MAGIC:
            return
        if os.path.exists(f"/proc/{numbers[PID]}"):
            self._in_flight += numbers[IN_FLIGHT]
        for row in range(min(numbers[USED], _ROWS)):
            at = HEAD + row * _ROW
            counts = list(numbers[at : at + _ROW])
            found = self._rows.setdefault(_name_at(read, at), [0] * _ROW)
            found[:] = [a + b for a, b in zip(found, counts, strict=True)]

    def lines(self) -> Iterator[str]:
        """As Prometheus reads them."""
        rows = sorted(self._rows.items())
        yield from _head("jina_http_requests_total", "counter", "Requests answered over HTTP.")
        for name, row in rows:
            for at, label in enumerate([*map(str, STATUSES), *_HUNDRED_LABELS]):
                if row[_BY_STATUS + at]:
                    labels = _labels(endpoint=name, status=label)
                    yield f"jina_http_requests_total{labels} {row[_BY_STATUS + at]}"
        yield from _head(
            "jina_documents_total", "counter", "Documents that got an outcome over HTTP."
        )
        for name, row in rows:
            for at, outcome in ((_DONE, "ok"), (_FAILED, "failed")):
                if name != OTHER or row[at]:
                    labels = _labels(endpoint=name, outcome=outcome)
                    yield f"jina_documents_total{labels} {row[at]}"
        yield from _head("jina_request_seconds", "histogram", "From a request to its whole answer.")
        for name, row in rows:
            yield from _histogram(name, row)
        yield from _head("jina_requests_in_flight", "gauge", "Requests that have no answer yet.")
        yield f"jina_requests_in_flight {self._in_flight}"


def _open(directory: str, slot: int) -> mmap.mmap:
    if not directory:
        return mmap.mmap(-1, _BYTES)
    descriptor = os.open(path_of(directory, slot), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, _BYTES)
        return mmap.mmap(descriptor, _BYTES)
    finally:
        os.close(descriptor)


def _name_at(data: bytes | mmap.mmap, at: int) -> str:
    return data[at * 8 : (at + _NAME) * 8].rstrip(b"\0").decode("utf-8", "replace")


_HUNDRED_LABELS = ("0", "1xx", "2xx", "3xx", "4xx", "5xx")


def _hundred(status: int) -> int:
    return _BY_STATUS + len(STATUSES) + (status // 100 if 100 <= status < 600 else 0)


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


def _labels(**labels: str) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _histogram(endpoint: str, row: list[int]) -> Iterator[str]:
    so_far = 0
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], row[_BUCKETS:], strict=True):
        so_far += count
        labels = _labels(endpoint=endpoint, le=bound)
        yield f"jina_request_seconds_bucket{labels} {so_far}"
    labels = _labels(endpoint=endpoint)
    yield f"jina_request_seconds_sum{labels} {row[_NANOSECONDS] / 1e9}"
    yield f"jina_request_seconds_count{labels} {so_far}"


def _nodes(status: Mapping[str, Any]) -> Iterator[str]:
    for key, name, kind, words in (
        ("queued", "jina_node_queue", "gauge", "Requests that wait for a worker of a node."),
        (
            "restarts",
            "jina_worker_restarts_total",
            "counter",
            "Workers of a node that were started again after they had died.",
        ),
    ):
        yield from _head(name, kind, words)
        for node in status.get("nodes", ()):
            yield f"{name}{_labels(node=node['name'])} {node[key]}"
