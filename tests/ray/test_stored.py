"""Inputs at s3:// and https:// URLs: `jina post`, and lanes on a real cluster; S3 is moto's."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.readers.pages import CERTIFICATE, served
from tests.shell import Shell

ADDRESS = os.environ["JINA_RAY"]
LINES = 3000
FLOW = """\
jtype: Flow
executors: [{name: upper, uses: {jtype: Upper, py_modules: upper.py}}]
"""
EXECUTOR = """\
from jina import Executor, requests

class Upper(Executor):
    @requests
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()
"""


def lines(name: str, count: int = LINES) -> bytes:
    texts = (f"{name} {number} " + "x" * 100 for number in range(count))
    return b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket with three files."""
    system: Any = import_module("s3fs").S3FileSystem()
    system.mkdir("lines")
    for name in ("a", "b"):
        system.pipe(f"lines/in/{name}.jsonl", lines(name))
    system.pipe("lines/packed/c.jsonl.gz", gzip.compress(lines("c", 10)))
    yield "s3://lines"
    system.rm("lines", recursive=True)


@pytest.fixture
def here(shell: Shell) -> Shell:
    shell.write("flow.yml", FLOW)
    shell.write("upper.py", EXECUTOR)
    return shell


def post(shell: Shell, *words: str, **environment: str) -> Any:
    return shell.run("post", "/x", "--flow", "flow.yml", *words, **environment)


def on_ray(*words: str) -> list[str]:
    return ["--on", "ray", "--ray-address", ADDRESS, "--output", "out", *words]


def texts(shell: Shell, name: str = "all.jsonl") -> list[str]:
    rows = (shell.folder / name).read_text().splitlines()
    return [" ".join(json.loads(row)["text"].split()[:2]) for row in rows]


def expected(*names: str) -> list[str]:
    return [f"{name} {number}" for name in names for number in range(LINES)]


def test_lanes_read_parts_of_a_bucket(here: Shell, bucket: str) -> None:
    done = post(here, *on_ray("--inputs", f"{bucket}/in/*.jsonl", "--join", "all.jsonl"))
    assert done.code == 0, done.err
    assert texts(here) == expected("A", "B")
    assert len(list((here.folder / "out").glob("part-*"))) > 4
    done = post(here, *on_ray("--inputs", f"{bucket}/in/*.jsonl"))
    assert "already complete: 6,000 results" in done.err


def test_one_flow_writes_the_same(here: Shell, bucket: str) -> None:
    named = ("--inputs", f"{bucket}/in", "--inputs", f"{bucket}/packed/c.jsonl.gz")
    assert post(here, *named, "--output", "all.jsonl").code == 0
    assert texts(here) == [*expected("A", "B"), *(f"C {number}" for number in range(10))]
    assert post(here, *on_ray(*named, "--join", "lanes.jsonl")).code == 0
    assert (here.folder / "all.jsonl").read_bytes() == (here.folder / "lanes.jsonl").read_bytes()


def test_lanes_read_pages(here: Shell) -> None:
    # The cluster trusts the certificate, too: see .ci/ray.
    with served() as server:
        server.files["a.jsonl"] = lines("a")
        named = ("--inputs", server.url("half/a.jsonl"), "--join", "all.jsonl")
        done = post(here, *on_ray(*named), SSL_CERT_FILE=str(CERTIFICATE))
    assert done.code == 0, done.err
    assert texts(here) == expected("A")


def test_what_is_wrong_with_a_bucket(here: Shell, bucket: str) -> None:
    for name, message in (
        (f"{bucket}/in/*.csv", "no file matches this pattern"),
        (f"{bucket}/in/c.jsonl", "no such file"),
        ("s3://elsewhere/*.jsonl", "there is no elsewhere"),
        ("s3://elsewhere/a.jsonl", "no such file"),
        ("s3://", "names no file"),
    ):
        done = post(here, *on_ray("--inputs", name))
        assert (done.code, f"error: {name}: {message}" in done.err) == (2, True), done.err
    nobody = {name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    done = post(here, "--inputs", f"{bucket}/in/a.jsonl", **nobody)
    assert (done.code, "no credentials were found" in done.err) == (2, True), done.err
