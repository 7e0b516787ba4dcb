"""A Flow that can be held back: its Executor waits for a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.http.fronts import FrontProcess, front_beside, is_answered
from tests.polling import wait_until
from tests.shell import Running, Shell

EXECUTOR = """\
import os
import time

from jina import Executor, requests


class Gated(Executor):
    @requests(on="/upper")
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on="/gate")
    def gate(self, docs, parameters, **kwargs):
        with open(parameters["seen"], "a") as file:
            file.writelines(f"{doc.text}\\n" for doc in docs)
        while not os.path.exists(parameters["until"]):
            time.sleep(0.005)

    @requests(on="/fail")
    def fail(self, **kwargs):
        raise ValueError("no luck")
"""
FLOW = """\
jtype: Flow
executors:
  - name: gated
    uses: Gated
    py_modules: gated.py
"""
UPPER = {"data": [{"text": "a"}]}


class Gate(NamedTuple):
    """Requests that wait for each other in the Executor."""

    until: Path
    seen_file: Path

    def body(self, text: str = "a") -> dict[str, Any]:
        parameters = {"until": str(self.until), "seen": str(self.seen_file)}
        return {"data": [{"text": text}], "parameters": parameters}

    def seen(self) -> list[str]:
        """The texts of the Documents that have come to the Executor."""
        return self.seen_file.read_text().splitlines() if self.seen_file.exists() else []

    def open(self) -> None:
        self.until.touch()


class Gated(NamedTuple):
    """The Flow, and where it is."""

    shell: Shell
    address: str
    running: Running

    def gate(self, name: str) -> Gate:
        return Gate(self.shell.folder / f"{name}.until", self.shell.folder / f"{name}.seen")

    @contextlib.contextmanager
    def front(self, **settings: Any) -> Iterator[FrontProcess]:
        """A front with these settings, once it has found the Flow."""
        with front_beside(self.address, **settings) as front:
            key = settings.get("api_key_file")
            if key is None and not settings.get("ssl_certfile"):
                assert is_answered(front, "/upper", UPPER)
            yield front

    def held(self) -> int:
        """How many requests the gateway holds."""
        (flow,) = self.shell.ps()
        return int(flow["requests_held"])

    def is_idle(self) -> None:
        wait_until(lambda: self.held() == 0, what="the gateway holds no request")


@contextlib.contextmanager
def gated(shell: Shell) -> Iterator[Gated]:
    """Run the Flow."""
    shell.write("gated.py", EXECUTOR)
    with shell.up(shell.write("flow.yml", FLOW)) as running:
        yield Gated(shell, shell.ps()[0]["addresses"][0], running)
