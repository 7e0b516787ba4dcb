"""Requests that their client does not want any more, in a whole Flow."""

from __future__ import annotations

import signal
from pathlib import Path

from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import pack_message
from jina.wire.maps import DOCS, LINES, Call, Part, Route, pack_map
from tests.polling import wait_until
from tests.runtime.peers import FakeClient
from tests.shell import Shell

EXECUTOR = """
import time
from pathlib import Path

from jina import Executor, requests

FOLDER = Path({folder!r})


class Noting(Executor):
    @requests
    def note(self, docs, **kwargs):
        with open(FOLDER / "called", "a") as file:
            file.writelines(f"{{doc.text}}\\n" for doc in docs)
        while "wait" in docs.texts and not (FOLDER / "go").exists():
            time.sleep(0.005)
"""


def post(client: FakeClient, number: int, text: str) -> None:
    route = pack_map(Route("/", None, [Part(LINES, DOCS, 1, 1)]))
    frames = [b'{"text": "%s"}\n' % text.encode()]
    call = pack_map(Call(lines=True))
    message = pack_message(
        wire.REQUEST, frames, number=number, rows=1, base=1, route=route, call=call
    )
    client.send(message)


def test_what_is_cancelled_is_not_called_and_what_runs_finishes(
    shell: Shell, tmp_path: Path
) -> None:
    (shell.folder / "noting.py").write_text(EXECUTOR.format(folder=str(tmp_path)))
    (shell.folder / "flow.yml").write_text(
        "jtype: Flow\nexecutors: [{uses: Noting, py_modules: noting.py, name: noting}]\n"
    )
    called = tmp_path / "called"
    with shell.up("flow.yml"):
        context = sockets.open_context()
        try:
            client = FakeClient(context, shell.ps()[0]["addresses"][0])
            client.hello()
            texts = ["wait", "staged", "queued", "wanted"]
            for number, text in enumerate(texts, 1):
                post(client, number, text)
            wait_until(called.exists)
            for number in (1, 2, 3):
                client.send(pack_message(wire.CANCEL, number=number))
            client.send(pack_message(wire.STATUS))
            client.receive(wire.STATUS)  # so the gateway has read them
            (tmp_path / "go").touch()
            client.answer(4)
            assert called.read_text() == "wait\nwanted\n"

            # A client that leaves with Ctrl-C wants none of its requests.
            (tmp_path / "go").unlink()
            many = "".join(f'{{"text": "{text}"}}\n' for text in ["wait", *"abcdefgh"])
            options = ("--request-size", "1", "--inputs", "in.jsonl")
            (shell.folder / "in.jsonl").write_text(many)
            with shell.start("post", "/", *options) as posting:
                wait_until(lambda: called.read_text().count("wait") == 2)
                posting.end(signal.SIGINT)
            (tmp_path / "go").touch()
            post(client, 5, "last")
            client.answer(5)
            assert called.read_text() == "wait\nwanted\nwait\nlast\n"
        finally:
            sockets.close(context)
