"""MatmulEncoder with MindSpore, in two replicas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.frameworks import support
from tests.shell import Shell

NAME = "MatmulEncoder"

# What the seed does, with a seed of its own.
PLAIN = """
import json, sys
import mindspore, numpy as np
import mindspore.ops as ops
from mindspore import Tensor, context

context.set_context(mode=context.PYNATIVE_MODE)
mindspore.set_device("CPU")
encoding_mat = Tensor(np.random.default_rng(0).random((5, 5)))
matmul = ops.MatMul()
rows = []
for line in open(sys.argv[2]):
    input_tensor = Tensor(np.array(json.loads(line)["blob"], np.float64))
    rows.append(matmul(encoding_mat, input_tensor).asnumpy())
np.save(sys.argv[1], rows)
"""


@pytest.fixture(scope="module")
def shell(shared_shell: Shell) -> Iterator[Shell]:
    """Two replicas are running."""
    with support.running(shared_shell, support.flow_of(shared_shell, NAME, replicas=2)):
        yield shared_shell


def matrices(count: int) -> list[support.Line]:
    """Lines with matrices of whole numbers, which are the same in every type."""
    numbers = np.random.default_rng(1).integers(-9, 10, (count, 5, 3))
    return [{"id": f"d{n}", "blob": blob} for n, blob in enumerate(numbers.tolist())]


def test_the_check_finds_nothing(shell: Shell) -> None:
    support.check(shell, NAME)


def test_its_rows_are_those_of_plain_python(shell: Shell) -> None:
    inputs = support.written(shell, matrices(60))
    rows = support.embeddings(support.posted(shell, inputs, "--request-size", "7"))
    assert (rows.dtype, rows.shape) == (np.float64, (60, 5, 3))
    assert np.array_equal(rows, support.plain_python(shell, PLAIN, inputs))


def test_a_killed_worker_loses_no_row(shell: Shell) -> None:
    inputs = support.written(shell, matrices(2000))
    docs = support.killed_in_the_middle(shell, inputs, "--request-size", "5")
    again = support.posted(shell, inputs, "--request-size", "5")
    assert np.array_equal(support.embeddings(docs), support.embeddings(again))


def test_a_column_stays_a_column(shell: Shell) -> None:
    column, _, matrix = support.posted(shell, support.written(shell, support.lines_of(NAME)))
    assert (column.embedding.shape, matrix.embedding.shape) == ((5,), (5, 2))
    assert np.array_equal(column.embedding, matrix.embedding[:, 0])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"id": "wrong", "blob": [1, 2, 3]}, "its shape is (3,)"),
        ({"id": "wrong", "text": "x"}, "there is none"),
    ],
)
def test_a_wrong_blob_is_named_and_spoils_no_later_one(
    shell: Shell, line: support.Line, found: str
) -> None:
    """MindSpore itself would go on to fail with the matrix that has seen it."""
    lines = [line, *matrices(20)]
    inputs = support.written(shell, lines)
    done = shell.run("post", "/encode", "--inputs", inputs, "--request-size", "1")
    assert done.code == 3
    wrong, *others = done.lines
    message = wrong["error"]["message"]
    assert f"Document wrong: the blob must have the shape (5,) or (5, n), but {found}" in message
    assert all("embedding" in each for each in others)
