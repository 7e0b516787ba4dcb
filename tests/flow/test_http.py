"""Flows in Python that are served over HTTP."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

import pytest

from jina import Executor, Flow, requests
from jina.enums import GatewayProtocolType
from jina.excepts import ConfigError, RuntimeFailToStart


class Shout(Executor):
    @requests(on="/foo")
    def shout(self, docs, **kwargs):  # type: ignore[no-untyped-def]  # as users write it
        for doc in docs:
            doc.text = doc.text.upper()


def asked(port: int, path: str) -> str:
    body = json.dumps({"data": [{"text": "hello"}]}).encode()
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.loads(answer.read())["data"]["docs"][0]["text"])


@pytest.mark.usefixtures("runtime_dir")
def test_a_flow_is_served_where_it_says() -> None:
    flow = Flow(protocol="http", title="mine").add(name="a", uses=Shout)
    assert flow.expose_endpoint("/foo", path="/bar", methods=["post"], summary="Shout") is flow
    assert flow.protocol == "http"
    with pytest.raises(AttributeError, match="has no `port_expose` of its own"):
        flow.port_expose  # noqa: B018 - the access is what is tested
    with flow:
        assert flow.port == flow.port_expose > 0
        assert flow.host == "127.0.0.1"
        assert asked(flow.port_expose, "/bar") == "HELLO"
        with pytest.warns(UserWarning, match="port_expose=1: the Flow runs; this holds from its"):
            flow.port_expose = 1
        assert flow.port_expose > 1
        taken = Flow(protocol=GatewayProtocolType.WEBSOCKET, port=flow.port).add(uses=Shout)
        with pytest.raises(
            RuntimeFailToStart, match=r'port \d+ is taken by the Flow "flow", process \d+\n'
        ):
            taken.start()
        stop = threading.Event()
        stop.set()
        flow.block(stop)
    assert flow.port_expose == 1


def test_what_is_said_is_kept(tmp_path: Path) -> None:
    flow = Flow(port_expose=5, protocol="grpc").add(name="a")
    assert (flow.port_expose, flow.protocol) == (5, "grpc")
    flow.host = "localhost"
    assert flow.host == "localhost"
    loaded = Flow.load_config("with: {port_expose: 5}\nexecutors: [{name: a}]")
    loaded.port_expose = 6
    assert (loaded.port_expose, loaded.add(name="b").port_expose) == (6, 6)


def test_endpoints_are_exposed_beside_those_of_the_yaml(tmp_path: Path) -> None:
    text = "with: {protocol: http, expose_endpoints: '{\"/a\": {}}'}\nexecutors: [{name: a}]"
    flow = Flow.load_config(text).expose_endpoint("/b", path="/c")
    http = flow.plan().http
    assert http is not None
    assert http.expose_endpoints["/b"]["path"] == "/c"
    assert http.expose_endpoints["/a"]["methods"] == ["POST"]
    again = Flow.load_config(flow.save_config(tmp_path / "flow.yml")).plan().http
    assert again is not None
    assert again.expose_endpoints == http.expose_endpoints
    with pytest.raises(ConfigError, match="expected GET, POST"):
        flow.expose_endpoint("/b", methods=["FETCH"]).build()


def test_other_machines_need_a_key_or_are_let_in() -> None:
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0 can be reached from other machines"):
        Flow(protocol="http", host="0.0.0.0").add(name="a").build()
    flow = Flow(protocol="http", host="0.0.0.0", http={"insecure_no_auth": True}).add(name="a")
    http = flow.plan().http
    assert http is not None
    assert http.insecure_no_auth


def test_files_are_found_from_wherever_it_is_saved(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "flow.yml"
    path.write_text(
        "with: {protocol: http, ssl_certfile: c.pem}\nhttp: {api_key_file: keys}\n"
        "executors: [{name: a}]\n"
    )
    saved = Flow.load_config(path).save_config(tmp_path / "flow.yml")
    for file in (path, saved):
        http = Flow.load_config(file).plan().http
        assert http is not None
        assert http.ssl_certfile == str(tmp_path / "a" / "c.pem")
        assert http.api_key_file == str(tmp_path / "a" / "keys")
