"""The benchmark and the editor's check are tools and have tests of their own; here each works once.

`pytest tests/bench` runs every case, `.ci/editor` asks the real language server.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.editor import __main__ as editor
from tests.editor.server import Diagnostic, LanguageServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

# Speaks the protocol, and knows one mistake and one key.
SERVER = f"""#!{sys.executable}
import json, sys

def send(**message):
    data = json.dumps({{"jsonrpc": "2.0", **message}}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(data) + data)
    sys.stdout.buffer.flush()

def line(number, message):
    return {{"range": {{"start": {{"line": number}}}}, "message": message}}

def read():
    header = sys.stdin.buffer.readline()
    sys.stdin.buffer.readline()
    return json.loads(sys.stdin.buffer.read(int(header.split()[1]))) if header else None

while message := read():
    if message["method"] == "textDocument/didOpen":
        document = message["params"]["textDocument"]
        lines = enumerate(document["text"].splitlines())
        found = [line(n, "exectors is not allowed") for n, text in lines if "exectors" in text]
        send(id=1, method="workspace/configuration", params={{"items": [{{"section": "yaml"}}]}})
        assert read()["result"][0]["validate"]
        params = {{"uri": document["uri"], "diagnostics": found}}
        send(method="textDocument/publishDiagnostics", params=params)
    elif "id" in message:
        send(id=message["id"], result={{"items": [{{"label": "jtype"}}]}})
"""


def test_a_case_of_the_benchmark_runs() -> None:
    command = [sys.executable, "-m", "tests.bench", "--case", "latency", "--docs", "250"]
    done = subprocess.run(
        [*command, "--repeats", "1"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Effective cores before: " in done.stdout
    assert "p50 ÷ raw round trip, jina Client.post: " in done.stdout


@pytest.fixture
def server(tmp_path: Path) -> str:
    path = tmp_path / "server"
    path.write_text(SERVER)
    path.chmod(0o755)
    return str(path)


def test_the_editor_is_asked_and_understood(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "flow.yml"
    file.write_text("jtype: Flow\nexectors: []\n")
    with LanguageServer(server, tmp_path) as running:
        assert running.opened(file) == [Diagnostic(2, "exectors is not allowed")]
        assert running.completed(file, 1, 1) == ["jtype"]

    assert editor.main(server) == 1  # it knows nothing else
    printed = capsys.readouterr().out.splitlines()
    assert "ok   flows/hello.yml is clean " in printed
    assert "ok   'jtype: Flow\\nexectors: []\\n': [(3, 'exectors is not allowed')]" in printed
    assert any(line.startswith("FAIL 'executors:") for line in printed)
