"""The way to a cluster of Ray, as far as it can be tried without one."""

from __future__ import annotations

import importlib.util
import socket
import sys
import types

import pytest

from jina.excepts import ConfigError, ConnectError, MissingExtra
from jina.ray import connect


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(connect, "_HERE", tmp_path_factory.mktemp("no") / "cluster")


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"jinacli\[ray\]"):
        connect.check_installed()


def test_an_address_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect.probe(f"127.0.0.1:{port}")
    with pytest.raises(ConnectError, match=f"127.0.0.1:{port}: no cluster of Ray: .*refused"):
        connect.probe(f"127.0.0.1:{port}")


@pytest.mark.parametrize("given", ["10.0.0.5", "10.0.0.5:", ":6379", "host:port", "h:70000"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="is HOST:PORT"):
        connect.address_of(given)


def test_an_address_for_clients_is_refused() -> None:
    with pytest.raises(ConfigError, match="run this on a node"):
        connect.address_of("ray://10.0.0.5:10001")


def test_another_python_on_the_cluster_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another patch release is not to be had here: what Ray says then is put in its mouth."""

    def init(**options: object) -> None:
        assert "address" in options
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Python: 3.11.9")

    monkeypatch.setitem(sys.modules, "ray", types.SimpleNamespace(init=init))
    monkeypatch.setattr(connect, "check_installed", lambda: None)
    monkeypatch.setattr(connect, "version", lambda name: "2.60.0")
    told = pytest.raises(ConnectError, match=r"Python: 3\.11\.9")
    with socket.create_server(("127.0.0.1", 0)) as server, told as caught:
        connect.connected(f"127.0.0.1:{server.getsockname()[1]}")
    assert "the same Ray and the same Python" in caught.value.hint


def test_the_cluster_of_this_machine_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectError, match="ray start --head"):
        connect.address_of("auto")
    connect._HERE.write_text("10.0.0.5:6379\n")
    assert connect.address_of("") == "10.0.0.5:6379"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.6:6379")
    assert connect.address_of("auto") == "10.0.0.6:6379"
    assert connect.address_of("10.0.0.7:6379") == "10.0.0.7:6379"
