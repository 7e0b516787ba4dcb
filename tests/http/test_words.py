"""Answers that no last worker writes: of several ends, and of one whose result floats on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.fronts import FrontProcess, front_beside, is_answered
from tests.http.protos import parsed
from tests.shell import Shell

EXECUTOR = """\
from jina import Executor, requests


class Words(Executor):
    @requests
    def write(self, docs, **kwargs):
        for doc in docs:
            doc.text += f" {self.runtime_args.name}"
"""
NODE = "  - {{name: {}, uses: {{jtype: Words, py_modules: [words.py]}}, needs: gateway{}}}\n"
FLOWS = {
    "ends": NODE.format("a", "") + NODE.format("b", ""),
    "floating": NODE.format("a", "") + NODE.format("b", ", floating: true").replace("gateway", "a"),
    "shards": NODE.format("a", ", shards: 2, polling: all, disable_reduce: true"),
}
CLIENTS: dict[str, dict[str, Any]] = {
    "2.0": {"request_id": "badb9ccc-6670-48fc-abf5-4871dbfc2d77"},
    "2.6": {"request_id": "865c34256aba43e59d8d19cf23941d4f"},
    "3": {"header": {"request_id": "45330b0352c6426780729ec53b9bfdfc"}},
}
TEXTS = {"ends": ["x a", "x b"], "floating": ["x a"], "shards": ["x a", "x a"]}


@pytest.fixture(scope="module", params=FLOWS)
def flow(request: pytest.FixtureRequest, shared_shell: Shell) -> Iterator[tuple[str, FrontProcess]]:
    name: str = request.param
    shared_shell.write("words.py", EXECUTOR)
    file = shared_shell.write("flow.yml", f"jtype: Flow\nexecutors:\n{FLOWS[name]}")
    with (
        shared_shell.up(file),
        front_beside(shared_shell.ps()[0]["addresses"][0]) as front,
    ):
        assert is_answered(front, "/search", {"data": ["x"]})
        yield name, front


@pytest.mark.parametrize("release", CLIENTS)
def test_they_are_in_the_words_of_who_asks(flow: tuple[str, FrontProcess], release: str) -> None:
    name, front = flow
    body = {"data": [{"id": "x", "text": "x", "mime_type": "text/plain"}], **CLIENTS[release]}
    found = front.post("/search", body).json()
    message = parsed(release, found)
    docs = message.data.docs.docs if release == "3" else message.data.docs
    assert [doc.text for doc in docs] == TEXTS[name]
    (first, *_) = found["data"] if release == "3" else found["data"]["docs"]
    assert first["mime_type" if release == "3" else "mimeType"] == "text/plain"
    assert "chunks" in first  # unset, which our words leave out
