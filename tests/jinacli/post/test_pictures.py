"""Files of pictures: what is broken is named by its file, and a field that nobody has is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.shell import Shell

COUNT, BROKEN = 50, "p17.png"

CLASS = """
import io
import math

import numpy as np
from jina import Executor, requests
from PIL import Image


class Pictures(Executor):
    @requests(on="/encode")
    def encode(self, docs, **kwargs):
        for doc in docs:
            picture = np.asarray(Image.open(io.BytesIO(doc.buffer)), "float32")
            doc.embedding = picture.mean((0, 1)) / 255

    @requests(on="/blob")
    def blob(self, docs, **kwargs):
        for doc in docs:
            doc.embedding = np.array([math.sqrt(doc.blob)])
"""


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A folder of pictures, one of them broken, and a running Flow that reads them."""
    image = pytest.importorskip("PIL.Image", reason="the extra `image`")
    shell = shared_shell
    shell.write("pictures.py", CLASS)
    (shell.folder / "pictures").mkdir()
    numbers = np.random.default_rng(3)
    for number in range(COUNT):
        path = shell.folder / "pictures" / f"p{number:02}.png"
        image.fromarray(numbers.integers(0, 255, (8, 8, 3), dtype="u1")).save(path)
        if path.name == BROKEN:
            path.write_bytes(path.read_bytes()[:40])
    executor = "{name: encoder, uses: Pictures, py_modules: pictures.py}"
    with shell.up(shell.write("flow.yml", f"jtype: Flow\nexecutors: [{executor}]\n")):
        yield shell


def post(flow: Shell, endpoint: str, *options: str) -> tuple[list[dict[str, object]], str]:
    done = flow.call("post", endpoint, "-i", "pictures/*.png", *options)
    assert done.code == 3
    return done.lines, done.err


def test_one_broken_picture_fails_alone_and_is_named(flow: Shell) -> None:
    lines, said = post(flow, "/encode", "--select", "id,uri,embedding")
    path = str(flow.folder / "pictures" / BROKEN)
    assert len(lines) == COUNT
    (failed,) = [line for line in lines if "error" in line]
    assert list(failed) == ["id", "uri", "error"]
    assert failed["uri"] == path
    assert failed == lines[17]
    assert failed["error"]["message"].startswith(f"{path}: cannot identify image file")  # type: ignore[index]
    assert f"1 of {COUNT} failed; the first: UnidentifiedImageError in encoder: {path}: " in said
    assert all(set(line) == {"id", "uri", "embedding"} for line in lines if line != failed)
    assert f"UnidentifiedImageError: {path}: cannot" in flow.call("flow", "logs").out


def test_a_request_that_fails_as_a_whole_says_whose_each_error_is(flow: Shell) -> None:
    lines, _ = post(flow, "/encode", "--on-error", "stop")
    names = [f"p{number:02}.png" for number in range(COUNT)]
    assert [str(line["uri"]).rpartition("/")[2] for line in lines] == names
    assert all(BROKEN not in json.dumps(line["error"]) for line in lines)  # whose fault is unknown


def test_a_field_that_no_picture_has_is_told_once(flow: Shell) -> None:
    lines, said = post(flow, "/blob")
    assert len(lines) == COUNT
    assert (
        f"{COUNT} of {COUNT} failed; the first: TypeError in encoder: {lines[0]['uri']}: must be "
        "real number, not NoneType\n"
        "help: none of these Documents has a blob; they have a uri and a buffer\n"
    ) in said
    assert said.count("help: ") == 1
    assert said.rstrip().endswith("TypeError: must be real number, not NoneType")
