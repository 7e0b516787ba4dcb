"""ErnieTextEncoder with PaddlePaddle, in two replicas."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import pytest

from tests.frameworks import support
from tests.shell import Shell

NAME = "ErnieTextEncoder"
VOCABULARY = support.EXECUTORS / NAME / "vocab.txt"

# What the seed does, with the small model. It is saved as a pretrained one where a third and a
# fourth argument give a seed and a folder.
PLAIN = """
import json, sys
from pathlib import Path
import numpy as np, paddle as P
from ernie.modeling_ernie import ErnieModel
from ernie.tokenizing_ernie import ErnieTokenizer

words = Path(sys.argv[3]).read_text().splitlines()
config = {
    "num_hidden_layers": 4, "hidden_size": 128, "vocab_size": len(words),
    "max_position_embeddings": 512, "type_vocab_size": 2, "num_attention_heads": 4,
    "initializer_range": 0.02, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}
tokenizer = ErnieTokenizer({word: n for n, word in enumerate(words)})
P.seed(int(sys.argv[4]) if sys.argv[4:] else 0)
model = ErnieModel(config)
model.eval()
if sys.argv[5:]:
    folder = Path(sys.argv[5])
    folder.mkdir()
    (folder / "ernie_config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("".join(f"{word}\\n" for word in words))
    P.save(model.state_dict(), str(folder / "saved_weights.pdparams"))
rows = []
with P.no_grad():
    for line in open(sys.argv[2]):
        ids, _ = tokenizer.encode(json.loads(line)["text"])
        pooled, encoded = model(P.to_tensor(np.expand_dims(ids, 0)))
        rows.append(pooled.numpy()[0])
np.save(sys.argv[1], rows)
"""


@pytest.fixture(scope="module")
def shell(shared_shell: Shell) -> Iterator[Shell]:
    """Two replicas are running, with a thread each."""
    with support.running(shared_shell, support.flow_of(shared_shell, NAME, replicas=2)) as flow:
        assert "ccache" not in flow.err
        yield shared_shell


def texts(count: int) -> list[support.Line]:
    """Lines like the example's, each with an id and a text of its own."""
    lines = islice(cycle(support.lines_of(NAME)), count)
    return [{**line, "id": f"d{n}", "text": f"{line['text']} {n}"} for n, line in enumerate(lines)]


def test_the_check_finds_nothing(shell: Shell) -> None:
    support.check(shell, NAME)


def test_its_rows_are_those_of_plain_python(shell: Shell) -> None:
    inputs = support.written(shell, texts(60))
    rows = support.embeddings(support.posted(shell, inputs, "--request-size", "7"))
    assert (rows.dtype, rows.shape) == (np.float32, (60, 128))
    plain = support.plain_python(shell, PLAIN, inputs, VOCABULARY, OMP_NUM_THREADS="1")
    assert np.array_equal(rows, plain)
    assert len({row.tobytes() for row in rows}) == 60


def test_a_killed_worker_loses_no_row(shell: Shell) -> None:
    inputs = support.written(shell, texts(300))
    docs = support.killed_in_the_middle(shell, inputs, "--request-size", "5")
    again = support.posted(shell, inputs, "--request-size", "5")
    assert np.array_equal(support.embeddings(docs), support.embeddings(again))


def test_any_text_has_a_vector(shell: Shell) -> None:
    """An empty one, one in other letters, one that is longer than the model."""
    lines = [
        {"id": "empty", "text": ""},
        {"id": "none", "tags": {}},
        {"id": "other", "text": "变量 - naïve"},
        {"id": "long", "text": "a slice " * 2000},
    ]
    rows = support.embeddings(support.posted(shell, support.written(shell, lines)))
    assert np.isfinite(rows).all()
    assert np.array_equal(rows[0], rows[1])


def test_a_pretrained_model_comes_from_a_folder(shell: Shell) -> None:
    """One of another seed, saved by plain Python."""
    inputs = support.written(shell, texts(3))
    folder = shell.folder / "own-ernie"
    wanted = support.plain_python(
        shell, PLAIN, inputs, VOCABULARY, "7", folder, OMP_NUM_THREADS="1"
    )
    flow = support.flow_of(
        shell, NAME, flow="own.yml", threads=1, uses_with={"pretrained": folder.name}
    )
    done = shell.run("post", "/encode", "--flow", flow, "--inputs", inputs, "--tensors", "base64")
    assert done.code == 0, done.err
    assert np.array_equal(support.embeddings(support.documents(done.out, inputs)), wanted)
    (folder / "vocab.txt").unlink()
    done = shell.run("post", "/encode", "--flow", flow, "--inputs", inputs)
    assert done.code == 1
    assert f"pretrained: {folder} has no vocab.txt" in done.err
