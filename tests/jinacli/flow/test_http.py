"""A Flow that is served over HTTP: started, shown, and ended with nothing left over."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.polling import poll, wait_until
from tests.shell import ZOO, Running, Shell, is_alive

FLOW = f"""jtype: Flow
with: {{protocol: http}}
http: {{workers: 2}}
executors:
  - {{name: upper, uses: {{jtype: Upper, py_modules: ["{ZOO}"]}}}}
"""
BODY = {"data": [{"text": "hello"}], "execEndpoint": "/"}
PATIENCE_S = 60
TLS = Path(__file__).parents[2] / "http" / "tls"


def asked(url: str, body: Any = BODY) -> tuple[int, bytes]:
    """Post on a connection of its own."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE_S)
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", "/post", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_served(url: str) -> bool:
    """Whether a request is answered, as it is not while a process is being replaced."""
    try:
        status, body = asked(url)
    except (OSError, http.client.HTTPException):
        return False
    return status == 200 and b"HELLO" in body


def fronts(shell: Shell) -> dict[str, int]:
    (flow,) = shell.ps()
    return {front["name"]: front["pid"] for front in flow["fronts"]}


@pytest.fixture(name="served", scope="module")
def served_flow(shared_shell: Shell) -> Iterator[tuple[Shell, Running, str]]:
    shared_shell.write("flow.yml", FLOW)
    with shared_shell.start("flow", "up", "flow.yml", "--json") as up:
        ready = json.loads(up.read_line())
        yield shared_shell, up, ready["http"]
        done = up.end(signal.SIGTERM)
        assert done.code == 0, done.err


def test_it_answers_and_is_shown(served: tuple[Shell, Running, str]) -> None:
    shell, up, url = served
    assert is_served(url)
    assert f" and {url}\n" in up.err
    (flow,) = shell.ps()
    assert flow["http"] == url
    assert [(front["name"], front["state"]) for front in flow["fronts"]] == [
        ("http/0", "ready"),
        ("http/1", "ready"),
    ]
    assert [line.split()[-3:][0] for line in shell.ps_table() if "http/1" in line] == ["http/1"]
    status = shell.call("flow", "status")
    assert status.code == 0
    assert f"HTTP: {url}\n" in status.out
    assert "http/1   ready" in status.out
    assert json.loads(shell.call("flow", "status", "--json").out)["http"] == url
    for name in ("http", "http/0"):
        assert shell.call("flow", "logs", name).code == 0


def test_each_process_shows_what_it_did(served: tuple[Shell, Running, str]) -> None:
    shell, _, url = served

    def counts() -> list[tuple[int, int]]:
        report = json.loads(shell.call("flow", "status", "--json").out)
        return [(front["requests_held"], front["requests_done"]) for front in report["fronts"]]

    done = sum(number for _, number in counts())
    for _ in range(3):
        assert is_served(url)
    wait_until(lambda: sum(number for _, number in counts()) == done + 3)
    head, body = f"POST /post HTTP/1.1\r\nHost: {url[7:]}\r\n", b'{"data":[]}'
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
        connection.sendall(head.encode() + body[:-1])  # it waits for the rest
        wait_until(lambda: sum(held for held, _ in counts()) == 1)
        table = shell.fork("flow", "top").out
    heads = ["http", "state", "requests/s", "in", "progress", "memory", "restarts"]
    lines = [line.split() for line in table.splitlines()]
    rows = lines[lines.index(heads) + 1 :][:2]
    assert [row[:3] for row in rows] == [["http/0", "ready", "0"], ["http/1", "ready", "0"]]
    assert sorted(row[3] for row in rows) == ["0", "1"]
    wait_until(lambda: sum(held for held, _ in counts()) == 0)


def test_a_taken_port_is_told_before_anything_starts(served: tuple[Shell, Running, str]) -> None:
    shell, _, url = served
    port = int(url.rpartition(":")[2])
    text = FLOW.replace("protocol: http", f"protocol: http, port_expose: {port}")
    done = shell.fork("flow", "up", shell.write("other.yml", text))
    assert done.code == 1
    place = f"{shell.folder}/other.yml:2:37"
    assert f'error: {place}: port {port} is taken by the Flow "flow", process ' in done.err
    assert "help: `jina flow down flow` stops it; or choose another one, or 0 for" in done.err
    detached = shell.fork("flow", "up", shell.write("other.yml", text), "--detach")
    assert (detached.code, detached.err) == (1, done.err)
    assert shell.fork("http", str(port)).code == 1
    assert len(shell.directories()) == 1


def test_each_process_that_is_killed_is_replaced(served: tuple[Shell, Running, str]) -> None:
    shell, up, url = served
    before = fronts(shell)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_served(url), what="fronts are replaced")
    wait_until(lambda: not set(fronts(shell).values()) & {0, *before.values()})
    assert "http/0 was killed by SIGKILL; restarting in 0.1 s" in up.err
    os.kill(shell.gateway(), signal.SIGKILL)
    wait_until(lambda: is_served(url), what="the gateway is replaced")
    report = json.loads(shell.call("flow", "status", "--json").out)
    assert [front["restarts"] for front in report["fronts"]] == [1, 1]


def test_beside_a_running_flow(served: tuple[Shell, Running, str]) -> None:
    shell, _, _ = served
    address = shell.ps()[0]["addresses"][0]
    keys = shell.write("keys.txt", "a-key-of-20-letters-\n")
    keys.chmod(0o644)
    with_keys = ["--address", address, "--workers", "2", "--api-key-file", "keys.txt"]
    for words in (["--flow", "flow"], with_keys):
        with shell.start("http", "0", *words) as beside:
            url = url_of(beside)
            assert words == with_keys or poll(partial(is_served, url))
            pids = shell.processes("jina.http")
            assert len(pids) == 4  # as `workers` of the YAML, or of the option
            done = beside.end(signal.SIGINT)
        assert done.code == 0
        assert ("others can read this file" in done.err) == (words == with_keys)
        assert done.err.endswith("Stopping (SIGINT). Press Ctrl-C again to quit immediately\n")
        assert sum(map(is_alive, pids)) == 2  # those of the Flow itself
    assert not list(shell.run_dir.glob("*/http-*/"))
    with shell.start("http", "0") as beside:
        url_of(beside)
        os.kill(beside.process.pid, signal.SIGKILL)
        wait_until(lambda: len(shell.processes("jina.http")) == 2, what="it took its processes")


def test_options_win_over_the_map_of_the_flow(served: tuple[Shell, Running, str]) -> None:
    shell, _, _ = served
    shell.write("keys", "a-key-of-20-letters-\n")
    (shell.folder / "keys").chmod(0o600)
    words = ["--workers", "1", "--api-key-file", "keys"]
    tls = [
        "--ssl-certfile",
        str(TLS / "localhost.crt"),
        "--ssl-keyfile",
        str(TLS / "localhost.key"),
    ]
    with shell.start("http", "0.0.0.0:0", *words) as beside:
        assert url_of(beside).startswith("http://0.0.0.0:")
        assert "API keys travel unencrypted to 0.0.0.0" in beside.err
        assert len(shell.processes("jina.http")) == 3
        assert beside.end(signal.SIGTERM).code == 0
    with shell.start("http", "0.0.0.0:0", *words, *tls) as beside:
        assert url_of(beside).startswith("https://0.0.0.0:")
        assert "unencrypted" not in beside.err
        assert beside.end(signal.SIGTERM).code == 0


def test_a_flow_that_is_not_there_is_told_and_when_it_is_back(shell: Shell) -> None:
    with shell.start("http", "0", "--address", "tcp://127.0.0.1:1") as beside:
        wait_until(lambda: "warning: no Flow answers at tcp://127.0.0.1:1 yet" in beside.err)
        assert beside.end(signal.SIGTERM).code == 0
    words = ["flow", "up", shell.flow("Upper"), "-d", "-q"]
    assert shell.fork(*words).code == 0
    with shell.start("http", "0") as beside:
        url_of(beside)
        assert shell.call("flow", "down", "-q").code == 0
        wait_until(lambda: 'The Flow "flow" does not answer any more; requests' in beside.err)
        assert shell.fork(*words).code == 0
        wait_until(lambda: 'The Flow "flow" is back\n' in beside.err)
        assert beside.err.count("does not answer") == 1
        assert beside.end(signal.SIGTERM).code == 0
    assert shell.call("flow", "down", "-q").code == 0


def test_beside_a_flow_that_asks_for_keys(shell: Shell) -> None:
    for name, role, folder in (("gate", "gateway", "theirs"), ("me", "client", "ours")):
        assert shell.call("keys", "new", name, "--role", role, "--keys", folder).code == 0
    shell.write("ours/gate.pub", (shell.folder / "theirs" / "gate.pub").read_bytes())
    shell.write("theirs/me.pub", (shell.folder / "ours" / "me.pub").read_bytes())
    with shell.up(shell.flow("Upper"), "--port", "0", "--keys", "theirs"):
        address = next(each for each in shell.ps()[0]["addresses"] if each[:4] == "tcp:")
        taken = shell.fork("http", address.rpartition(":")[2]).err
        assert ' is taken by the Flow "flow", process ' in taken
        assert "help: `jina flow down flow` stops it; or" in taken
        with shell.start("http", "0", "--address", address, "--keys", "ours") as beside:
            url = url_of(beside)
            assert poll(partial(is_served, url))
            assert beside.end(signal.SIGTERM).code == 0
        assert shell.fork("http", "0", "--address", address, "--keys", "none").code == 2


def url_of(beside: Running) -> str:
    """The URL that `jina http` prints once it serves."""
    wait_until(lambda: "Press Ctrl-C" in beside.err)
    return next(
        word for word in beside.err.split() if word.startswith(("http://", "https://"))
    ).rstrip(".")


def test_down_lets_a_request_finish_and_takes_no_new_one(shell: Shell) -> None:
    gate = shell.folder / "gate"
    shell.flow(f"Gate, uses_with: {{folder: {gate}}}")
    gate.mkdir()
    assert shell.fork("flow", "up", "flow.yml", "-d", "-q", "--http", "0").code == 0
    url = shell.ps()[0]["http"]
    answers: list[tuple[int, bytes]] = []
    client = threading.Thread(target=lambda: answers.append(asked(url)))
    client.start()
    wait_until(lambda: any(gate.iterdir()), what="the Executor has the request")
    with shell.start("flow", "down") as down:
        where = ("127.0.0.1", int(url.rpartition(":")[2]))
        wait_until(lambda: not accepts(where), what="new connections are refused")
        assert client.is_alive()
        (gate / "go").touch()
        client.join()
        assert down.process.wait(PATIENCE_S) == 0
    ((status, body),) = answers
    assert status == 200, body
    assert b"passed" in body
    wait_until(lambda: not shell.processes())  # it has let go of its directory a moment before


def accepts(where: tuple[str, int]) -> bool:
    try:
        socket.create_connection(where, PATIENCE_S).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("victims", ["supervisor", "all but the fronts"])
def test_nothing_is_left_when_the_supervisor_is_killed(shell: Shell, victims: str) -> None:
    assert shell.fork("flow", "up", shell.flow("Upper"), "-d", "-q", "--http", "0").code == 0
    (flow,) = shell.ps()
    assert is_served(flow["http"])
    pids = [flow["pid"], *([shell.gateway()] if victims != "supervisor" else [])]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not shell.processes(), what="every process is gone")
    # One that ends has no environment any more while it still holds the lock of the directory.
    wait_until(lambda: shell.ps() == [], what="the Flow is gone")


def test_what_the_command_line_refuses(shell: Shell) -> None:
    shell.flow("Upper")
    for words, told in (
        (["--http", "x"], "'x' is not a port: use 0 to 65535, or HOST:PORT"),
        (["--http", "65536"], "'65536' is not a port"),
        (["--access-log"], "--access-log: needs --http, or `protocol: http` in the YAML"),
        (["--http-workers", "2"], "--http-workers: needs --http"),
        (["--http", "0.0.0.0:0"], "0.0.0.0 can be reached from other machines"),
    ):
        done = shell.call("flow", "up", "flow.yml", *words)
        assert done.code == 2
        assert told in done.err
    done = shell.fork("http", "0.0.0.0:8080")
    assert (done.code, "--insecure-no-auth" in done.err) == (2, True)
    assert shell.fork("http", "0").code == 4  # no Flow runs


def test_who_lets_others_in_is_believed_by_every_command(shell: Shell) -> None:
    text = FLOW.replace("protocol: http", "protocol: http, host: 0.0.0.0")
    shell.write("flow.yml", text)
    assert shell.fork("flow", "up", "flow.yml", "-d").code == 2
    assert shell.fork("flow", "up", "flow.yml", "-d", "--strict", "--insecure-no-auth").code == 0
    assert shell.call("flow", "restart").code == 0
    assert shell.call("flow", "diff").code == 0
    assert shell.call("flow", "down").code == 0
    assert (
        shell.fork("post", "/", "--text", "x", "--flow", "flow.yml").code == 0
    )  # served to nobody
    assert "error[open-host]" in shell.call("flow", "check", "flow.yml").out


def test_dry_run_and_config_show_it(shell: Shell) -> None:
    shell.write("flow.yml", FLOW)
    plan = json.loads(shell.call("flow", "up", "flow.yml", "--dry-run", "--json").out)
    assert plan["http"] == "http://127.0.0.1:(a free port)"
    names = [process["name"] for process in plan["processes"]]
    assert names == ["gateway", "http/0", "http/1", "upper/0"]
    shown = shell.call("flow", "up", "flow.yml", "--dry-run", "--http", "[::1]:80")
    assert "\n  http://[::1]:80\n" in shown.out
    config = shell.call("flow", "config", "flow.yml", "--show-sources")
    assert "http:\n  port: 0\n  workers: 2  # flow.yml:3:17\n" in config.out.replace(
        "  # flow.yml:2:18", ""
    ).replace("  # default", "")


def test_a_certificate_that_is_none_is_told_where_it_is_named(shell: Shell) -> None:
    names = f"ssl_certfile: {TLS}/localhost.key, ssl_keyfile: {TLS}/localhost.crt"
    shell.write("flow.yml", FLOW.replace("protocol: http", f"protocol: http, {names}"))
    done = shell.call("flow", "up", "flow.yml")
    assert done.code == 2
    assert done.err.startswith("flow.yml:2:38: error[http-file]: `ssl_certfile`: this is a private")
    assert "help: have the two files been swapped?" in done.err
    assert shell.call("flow", "check", "flow.yml").out.count("error[") == 1
    assert not shell.directories()
    assert not shell.processes()


def test_it_says_that_it_is_not_ready_while_executors_load(shell: Shell) -> None:
    shell.write(
        "late.py",
        "import os, time\nfrom jina import Executor\n\n\nclass Late(Executor):\n"
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        "        while not os.path.exists('go'):\n            time.sleep(0.01)\n",
    )
    shell.write("flow.yml", "jtype: Flow\nexecutors: [{uses: Late, py_modules: late.py}]\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def readiness() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    with shell.start("flow", "up", "flow.yml", "--json", "--http", str(port)) as up:
        assert poll(lambda: readiness() == 503)
        (flow,) = shell.ps()
        assert (flow["state"], flow["http"]) == ("starting", f"http://127.0.0.1:{port}")
        shell.write("go", "")
        assert json.loads(up.read_line())["http"] == f"http://127.0.0.1:{port}"
        assert readiness() == 200
        assert up.end(signal.SIGTERM).code == 0
