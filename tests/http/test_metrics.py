"""What the fronts of a Flow count, and what Prometheus reads of it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jina.graph.front_counts import HEAD_BYTES, counts_of, path_of
from jina.http.metrics import BOUNDS_S, OTHER, Metrics
from tests.http.fronts import FrontProcess, front_beside, is_answered
from tests.polling import wait_until
from tests.shell import Shell

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Samples:
    """Name and labels of each sample -> its value; the parser of Prometheus reads them."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


SERVED = ("/index", "/search")


def test_several_fronts_give_one_sum(tmp_path: Path) -> None:
    fronts = [Metrics(str(tmp_path), slot, lambda: SERVED) for slot in range(3)]
    for number, front in enumerate(fronts):
        for _ in range(number + 1):
            front.began()
            front.ended("/index", 200, 0.004)
        front.documents("/index", 10, 3)
    fronts[0].began()
    texts = {front.text(None) for front in fronts}
    assert len(texts) == 1
    found = read(texts.pop())
    assert value(found, "jina_http_requests_total", endpoint="/index", status="200") == 6
    assert value(found, "jina_documents_total", endpoint="/index", outcome="ok") == 21
    assert value(found, "jina_documents_total", endpoint="/index", outcome="failed") == 9
    assert value(found, "jina_request_seconds_count", endpoint="/index") == 6
    assert value(found, "jina_request_seconds_sum", endpoint="/index") == pytest.approx(0.024)
    assert value(found, "jina_request_seconds_bucket", endpoint="/index", le="0.0025") == 0
    assert value(found, "jina_request_seconds_bucket", endpoint="/index", le="0.005") == 6
    assert value(found, "jina_requests_in_flight") == 1
    heads = [Path(path_of(str(tmp_path), slot)).read_bytes()[:HEAD_BYTES] for slot in range(3)]
    assert [counts_of(head) for head in heads] == [
        (os.getpid(), 1, 1),
        (os.getpid(), 0, 2),
        (os.getpid(), 0, 3),
    ]
    assert counts_of(b"") == counts_of(bytes(HEAD_BYTES)) == (0, 0, 0)
    for front in fronts:
        front.close()


def test_a_replacement_goes_on_with_the_counts_but_not_with_what_was_in_flight(
    tmp_path: Path,
) -> None:
    first = Metrics(str(tmp_path), 0, lambda: SERVED)
    first.began()
    first.ended("/search", 500, 0.1)
    first.began()  # and here it dies
    second = Metrics(str(tmp_path), 0, lambda: SERVED)
    second.began()
    second.ended("/search", 500, 0.1)
    found = read(second.text(None))
    assert value(found, "jina_http_requests_total", endpoint="/search", status="500") == 2
    assert value(found, "jina_requests_in_flight") == 0
    first._cells.release()
    second.close()


def test_only_what_is_served_has_a_label() -> None:
    metrics = Metrics("", 0, lambda: {'/a"b\\', "/" + "x" * 300, "/index"})
    for endpoint in ('/a"b\\', "/" + "x" * 300, "/index", "/made-up", "/made-up-too"):
        metrics.began()
        metrics.ended(endpoint, 404, 1e6)
    found = read(metrics.text(None))
    assert value(found, "jina_http_requests_total", endpoint='/a"b\\', status="404") == 1
    assert value(found, "jina_http_requests_total", endpoint=OTHER, status="404") == 3
    bucket = "jina_request_seconds_bucket"
    assert value(found, bucket, endpoint=OTHER, le=str(BOUNDS_S[-1])) == 0
    assert value(found, bucket, endpoint=OTHER, le="+Inf") == 3
    metrics.close()


def test_the_number_of_labels_is_bounded() -> None:
    many = [f"/{number}" for number in range(1_000)]
    metrics = Metrics("", 0, lambda: many)
    for endpoint in many:
        metrics.began()
        metrics.ended(endpoint, 299, 0.0)
    found = read(metrics.text(None))
    counts = [number for (name, _), number in found.items() if name == "jina_http_requests_total"]
    assert sum(counts) == 1_000
    assert len(counts) == 256
    metrics.close()


def test_nodes_are_told_as_the_gateway_tells_them() -> None:
    metrics = Metrics("", 0, lambda: ())
    nodes = [
        {"name": "encoder", "queued": 3, "restarts": 1},
        {"name": "b", "queued": 0, "restarts": 0},
    ]
    found = read(metrics.text({"nodes": nodes}))
    assert value(found, "jina_node_queue", node="encoder") == 3
    assert value(found, "jina_worker_restarts_total", node="encoder") == 1
    metrics.close()


WORKS = """\
from jina import Executor, requests


class Works(Executor):
    @requests(on="/work")
    def work(self, docs, **kwargs):
        for doc in docs:
            if doc.text == "bad":
                raise ValueError("bad")
"""
FLOW = "jtype: Flow\nexecutors:\n  - {name: works, uses: {jtype: Works, py_modules: [works.py]}}\n"


@pytest.fixture(scope="module")
def address(shared_shell: Shell) -> Iterator[str]:
    shared_shell.write("works.py", WORKS)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        yield shared_shell.ps()[0]["addresses"][0]


@pytest.fixture(scope="module")
def fronts(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[FrontProcess]]:
    """Two fronts that count in one directory."""
    counts = str(tmp_path_factory.mktemp("counts"))
    with (
        front_beside(address, directory=counts) as first,
        front_beside(address, directory=counts, slot=1) as second,
    ):
        for front in (first, second):
            assert is_answered(front, "/post", {"data": [{}], "execEndpoint": "/nobody"})
        yield [first, second]


def test_requests_of_all_fronts_are_counted(fronts: list[FrontProcess]) -> None:
    before = read(fronts[0].ask("GET", "/metrics").body.decode())
    texts = ["good", "bad", "good"]
    for front in fronts:
        front.post("/work", {"data": [{"text": text} for text in texts]})
        front.post("/post", {"data": [{"text": "good"}], "execEndpoint": "/work"})
        front.post("/post", {"data": "nonsense"})
        front.post("/post", {"data": [{"text": "x"}], "execEndpoint": "/nobody"})
        assert front.ask("GET", "/nothing/here").status in (404, 405)
        for method in ("POST", "PUT"):
            plain = {"Content-Type": "text/plain"}
            assert front.ask(method, "/work?x=1", b"good", plain).status == 415
        assert front.ask("GET", "/work").status == 405
    for front in fronts:
        answer = front.ask("GET", "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        now = read(answer.body.decode())

        def more(name: str, now: Samples = now, **labels: str) -> float:
            return value(now, name, **labels) - value(before, name, **labels)

        statuses = [
            (labels, number - before.get((name, labels), 0))
            for (name, labels), number in now.items()
            if name == "jina_http_requests_total" and ("endpoint", "/work") in labels
        ]
        assert sum(number for _, number in statuses) == 10
        assert more("jina_http_requests_total", endpoint="/work", status="415") == 4
        assert more("jina_http_requests_total", endpoint="/work", status="405") == 2
        assert more("jina_documents_total", endpoint="/work", outcome="ok") == 6
        assert more("jina_documents_total", endpoint="/work", outcome="failed") == 2
        assert more("jina_request_seconds_count", endpoint="/work") == 10
        assert more("jina_http_requests_total", endpoint="other", status="422") == 2
        # This request itself has no answer yet.
        assert value(now, "jina_requests_in_flight") == 1


def test_a_client_that_hangs_up_is_counted(fronts: list[FrontProcess]) -> None:
    front = fronts[1]

    def gone() -> float:
        found = read(front.ask("GET", "/metrics").body.decode())
        return value(found, "jina_http_requests_total", endpoint="/work", status="499")

    before = gone()
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(
            b"POST /work HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9\r\n\r\n{"
        )
    wait_until(lambda: gone() == before + 1)


def test_counts_survive_the_death_of_a_front(address: str, tmp_path: Path) -> None:
    for wanted in (1, 2):
        with front_beside(address, directory=str(tmp_path)) as front:
            wait_until(lambda: front.post("/work", {"data": [{"text": "good"}]}).status == 200)
            found = read(front.ask("GET", "/metrics").body.decode())
            number = value(found, "jina_http_requests_total", endpoint="/work", status="200")
            assert number == wanted
            front.process.send_signal(signal.SIGKILL)
            front.process.wait()
