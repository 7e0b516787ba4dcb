"""What Jina's gateways and clients were recorded with, sent to a front as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.http.differences import ANY, DIFFERENCES, Case, Expected, masked
from tests.http.fronts import FrontProcess, front_beside, is_answered
from tests.http.protos import parsed
from tests.http.recordings import exchanges, replayed
from tests.shell import Shell

DOCS = Path(__file__).parents[2] / "docs" / "http.md"
FOLDERS = [
    f"jina-{release}-{kind}"
    for release in ("2.0.24", "2.6.4", "3.34.0")
    for kind in ("http", "client-http")
]
OTHERS = {"preflight"}  # which pages of other sites may ask has tests of its own
SHOWN = {"/emb": {"path": "/v1/emb"}, "/fail": {}}

UPPER = """\
import numpy as np

from jina import Document, DocumentArray, Executor, requests


class Upper(Executor):
    @requests(on="/index")
    def upper(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper() + str(parameters.get("suffix", ""))

    @requests(on="/emb")
    def encode(self, docs, **kwargs):
        for doc in docs:
            doc.embedding = np.array([1, 2, 3.5], np.float32)

    @requests(on="/search")
    def search(self, docs, **kwargs):
        for doc in docs:
            match = Document(id="m1", text="match", tags={"n": 1}, adjacency=1)
            match.scores["cosine"] = 0.25
            doc.matches.append(match)

    @requests(on="/fail")
    def fail(self, **kwargs):
        raise ValueError("boom")

    @requests(on="/status")
    def status(self, **kwargs):
        return DocumentArray([Document(id="s", text="fine")])
"""
FLOW = """\
jtype: Flow
executors:
  - name: upper
    uses: Upper
    py_modules: upper.py
"""


class Fronts(NamedTuple):
    """The same Flow, as those see it who do not say which release they are."""

    two: FrontProcess
    three: FrontProcess


@pytest.fixture(scope="module")
def fronts(shared_shell: Shell) -> Iterator[Fronts]:
    shared_shell.write("upper.py", UPPER)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with (
            front_beside(address, api=2, cors=True, expose_endpoints=SHOWN) as two,
            front_beside(address, api=3, cors=True, expose_endpoints=SHOWN) as three,
        ):
            assert is_answered(two, "/index", {"data": ["a"]})
            assert is_answered(three, "/index", {"data": ["a"]})
            yield Fronts(two, three)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_recording_is_answered_as_it_was(fronts: Fronts, folder: str) -> None:
    wrong = []
    for case in cases_of(folder):
        front = fronts.three if folder == "jina-3.34.0-http" else fronts.two
        expected, _ = expected_of(case)
        if not expected.status:
            continue  # a page of the gateway itself
        status, _, body = replayed(front.port, case.exchange.request)
        found = masked(_json(body), case.exchange.request)
        if status != expected.status or not agrees(found, expected.body):
            wrong.append((case.name, expected, status, found))
    assert wrong == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_answers_are_messages_of_the_release(fronts: Fronts, folder: str) -> None:
    front = fronts.three if folder == "jina-3.34.0-http" else fronts.two
    read = 0
    for case in cases_of(folder):
        status, _, body = replayed(front.port, case.exchange.request)
        found = _json(body)
        if status == 200 and isinstance(found, dict) and "data" in found:
            release = case.release[:3] if case.is_two else "3"
            if release == "2.0" and not case.is_client:
                release = "2.6"  # as nobody says which it is
            message = parsed(release, found)
            docs = message.data.docs.docs if release == "3" else message.data.docs
            assert [doc.id for doc in docs] == [doc["id"] for doc in _docs(found)]
            read += 1
    assert read > 4


def _docs(body: Any) -> list[Any]:
    data = body["data"]
    return list(data if isinstance(data, list) else data["docs"])


def test_the_table_of_differences_names_each_of_them_once() -> None:
    section = DOCS.read_text().partition("## Differences from Jina")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!what \|)([^|-][^|]*?) \|", section, re.MULTILINE)
    assert rows == list(DIFFERENCES)


def test_every_difference_is_met_in_a_recording() -> None:
    met = {name for folder in FOLDERS for case in cases_of(folder) for name in expected_of(case)[1]}
    assert met == DIFFERENCES.keys()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def cases_of(folder: str) -> list[Case]:
    _, release, kind = folder.split("-", 2)
    return [
        Case(release, kind == "client-http", each)
        for each in exchanges(folder)
        if each.name not in OTHERS
    ]


def expected_of(case: Case) -> tuple[Expected, list[str]]:
    """What is expected here, and by which differences from what was recorded."""
    exchange = case.exchange
    expected = Expected(exchange.status, masked(exchange.body, exchange.request))
    used = []
    for name, change in DIFFERENCES.items():
        changed = change(case, expected)
        if changed != expected:
            used.append(name)
        expected = changed
    return expected, used


def agrees(found: Any, expected: Any) -> bool:
    """Whether an answer is as expected, but for what is not compared."""
    if expected == ANY:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            agrees(found[key], each) for key, each in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(agrees, found, expected))
    return bool(found == expected)
