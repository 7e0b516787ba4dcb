"""An exported Flow answers, survives a killed container, and stops in time."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers.conftest import IMAGE
from tests.containers.pods import Pods, podman
from tests.export import project
from tests.polling import wait_until
from tests.shell import JINA

_FLOW = """\
jtype: Flow
name: words
executors:
  - name: upper
    uses: catalogue://UpperCase
    replicas: 2
  - name: store
    uses: {jtype: Store, py_modules: store.py}
    shards: 2
    polling: {/index: ANY, /search: ALL}
    uses_after: {jtype: Best, py_modules: store.py}
"""
_LINES = 50_000
_ADDRESS = "10.88.0.200"
_WAIT_S = 120.0


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    file = project.write(folder / "words", flow=_FLOW)
    project.kubernetes(file, folder / "out", IMAGE, quiet=True)
    return folder / "out"


@pytest.fixture(scope="module")
def pods(output: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    started = Pods(output, tmp_path_factory.mktemp("pods"), _ADDRESS)
    try:
        started.start()
        wait_until(lambda: asked("/readyz") == 200, timeout_s=_WAIT_S)
        yield started
        print(started.logs())
    finally:
        started.remove()


def asked(path: str) -> int:
    """The status that the gateway answers with; 0 for none."""
    try:
        with urllib.request.urlopen(f"http://{_ADDRESS}:8080{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def post(output: Path, endpoint: str, lines: bytes) -> list[dict[str, Any]]:
    words = [JINA, "post", endpoint, "--address", f"tcp://{_ADDRESS}:5555", "--timeout", "120s"]
    words += ["--keys", str(output / "keys" / "client")]
    done = subprocess.run(words, input=lines, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def lines(count: int) -> bytes:
    return b"".join(b'{"text": "t%d"}\n' % number for number in range(count))


def test_it_answers_a_post_and_keeps_shards_apart(pods: Pods, output: Path) -> None:
    assert len(post(output, "/index", lines(1000))) == 1000
    (found,) = post(output, "/search", b'{"text": "T7"}\n')
    assert found["tags"] == {"known": True}


def test_it_answers_over_http_with_a_key_alone(pods: Pods, output: Path) -> None:
    body = json.dumps({"execEndpoint": "/search", "data": [{"text": "t7"}]}).encode()
    request = urllib.request.Request(f"http://{_ADDRESS}:8080/post", data=body)
    request.add_header("content-type", "application/json")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=30)
    key = (output / "keys" / "http" / "api.keys").read_text().splitlines()[-1]
    request.add_header("authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["data"]["docs"][0]["text"] == "T7"


def test_no_line_is_lost_when_a_container_is_killed(pods: Pods, output: Path) -> None:
    results = output.parent / "results.jsonl"
    inputs = output.parent / "inputs.jsonl"
    inputs.write_bytes(lines(_LINES))
    words = [JINA, "post", "/index", "--address", f"tcp://{_ADDRESS}:5555", "--timeout", "120s"]
    words += ["--keys", str(output / "keys" / "client"), "--inputs", str(inputs)]
    with subprocess.Popen([*words, "--output", results]) as process:
        wait_until(lambda: results.exists() and results.stat().st_size > 0, timeout_s=_WAIT_S)
        podman("kill", "--signal", "KILL", pods.container("words-upper-0"))
        assert process.wait(_WAIT_S) == 0
    found = [json.loads(line) for line in results.read_text().splitlines()]
    assert len(found) == _LINES
    assert all("error" not in result for result in found)


def test_its_containers_cannot_change_their_image(pods: Pods) -> None:
    name = pods.container("words-gateway-0")
    told = podman(
        "exec", name, "python3", "-c", "import os; print(os.getuid(), os.listdir('/keys'))"
    )
    assert told.startswith("10001 ")
    words = ["podman", "exec", name, "python3", "-c", "open('/usr/x', 'w')"]
    written = subprocess.run(words, capture_output=True, check=False)
    assert b"Read-only file system" in written.stderr


def test_it_stops_within_its_grace(pods: Pods) -> None:
    for name in ("words-store-0", "words-store-1", "words-upper-1", "words-gateway-0"):
        assert pods.stop(name) == 0, name  # 137 would be a kill
