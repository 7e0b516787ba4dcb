"""The Document calls of the cookbook's eight frameworks, in a real Flow; R75 to R83."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from jina import Document, Flow
from tests.seed import frameworks as seed
from tests.seed.test_rules_in_flows import Served

pytestmark = pytest.mark.slow

EXECUTORS = [
    seed.ResnetImageEncoder,
    seed.PLMwuAutoEncoder,
    seed.PaddleErineExecutor,
    seed.TfMobileNetEncoder,
    seed.MindsporeMwuExecutor,
    seed.TFIDFTextEncoder,
    seed.PytorchMobilNetExecutor,
    seed.ONNXBertExecutor,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """All eight in a row, and one behind them that sees what they have done."""
    flow = Flow()
    for number, executor in enumerate(EXECUTORS):
        flow = flow.add(name=f"e{number}", uses=executor)
    flow = flow.add(name="searcher", uses=seed.Searcher)
    with flow:
        yield Served(flow, tmp_path_factory.mktemp("frameworks"))


def images(count: int) -> list[Document]:
    """Pictures whose sum is 12 times their number."""
    return [
        Document(id=str(n), blob=np.full((3, 2, 2), n, np.float32)) for n in range(1, count + 1)
    ]


def arrived(doc: Document) -> tuple[str, str, list[int]]:
    """What the next process saw."""
    return doc.tags["kind"], doc.tags["dtype"], doc.tags["shape"]


@pytest.mark.parametrize("on", ["/resnet", "/mobilenet-torch"])
def test_r75_r81_r83_a_list_of_blobs_is_a_batch(served: Served, on: str) -> None:
    docs = served.docs(on, images(250))
    assert [doc.id for doc in docs] == [str(n) for n in range(1, 251)]
    assert [doc.embedding[0] for doc in docs] == [12.0 * n for n in range(1, 251)]
    assert {(doc.embedding.shape, doc.embedding.dtype.str) for doc in docs} == {((1000,), "<f4")}
    assert arrived(docs[0]) == ("ndarray", "float32", [1000])
    assert docs[0].blob.dtype == np.float32
    assert len(docs[0].matches) == 1, "the rows of a batch can be searched"


@pytest.mark.parametrize("size", [2, 200], ids=["small", "beyond 64 KiB"])
def test_r76_a_blob_is_writable_for_torch(served: Served, size: int) -> None:
    blobs = [np.ones((3, size, size), np.float32), np.ones((3, size, size), np.float32) * 2]
    docs = served.docs("/autoencoder", [Document(blob=blob) for blob in blobs])
    # One row for each channel: what comes out has two dimensions.
    assert [doc.embedding.shape for doc in docs] == [(3, 16)] * 2
    assert docs[1].embedding[0, 0] == 2 * size * size
    assert docs[0].blob.flags.writeable


def test_r77_an_embedding_may_have_two_dimensions(served: Served) -> None:
    docs = served.docs("/ernie", [Document(text="a bb ccc"), Document(text="dd")])
    assert [doc.embedding[0, 0] for doc in docs] == [6, 2]
    assert arrived(docs[0]) == ("ndarray", "float32", [1, 128])
    assert docs[0].matches[0].scores["cosine"].value == pytest.approx(0, abs=1e-12)


def test_r78_buffers_are_bytes_and_come_with_their_documents(served: Served) -> None:
    def picture(value: int) -> bytes:
        return bytes([4]) + bytes([value]) * (4 * 4 * 3)

    inputs = [Document(buffer=picture(1)), Document(text="none"), Document(buffer=picture(3))]
    docs = served.docs("/mobilenet-tf", inputs)
    assert [None if doc.embedding is None else doc.embedding[0] for doc in docs] == [12, None, 36]
    assert docs[0].buffer == picture(1)
    assert served.docs("/_resize_images", Document(text="x"))[0].embedding is None


def test_r79_an_array_of_another_library_is_stored_as_numpys(served: Served) -> None:
    (doc,) = served.docs("/matmul", Document(blob=np.arange(5.0)))
    assert doc.embedding.tolist() == [0, 2, 4, 6, 8]
    assert arrived(doc) == ("ndarray", "float64", [5])


def test_r80_sparse_rows_are_carried_and_stay_sparse(served: Served) -> None:
    docs = served.docs("/tfidf", [Document(text="the cat the"), Document(text="a bird")])
    assert {type(doc.embedding) for doc in docs} == {scipy.sparse.csr_matrix}
    assert docs[0].embedding.toarray().tolist() == [[0, 0, 1, 0, 2]]
    assert arrived(docs[0]) == ("csr_matrix", "float64", [1, 5])
    assert [doc.matches[0].id == doc.id for doc in docs] == [True, True]
    assert scipy.sparse.issparse(docs[0].matches[0].embedding)


def test_r82_a_row_of_an_output_is_an_embedding(served: Served) -> None:
    docs = served.docs("/bert", [Document(text="a bb"), Document(text="ccc")])
    assert [doc.embedding[0] for doc in docs] == [3, 3]
    assert arrived(docs[0]) == ("ndarray", "float32", [768])


def test_all_eight_do_their_work_one_after_the_other(served: Served) -> None:
    """None of them is touched by what the others have done to the same process's Documents."""
    for _ in range(3):
        one = served.docs("/resnet", images(2))
        two = served.docs("/tfidf", [Document(text="the dog")])
        assert (one[1].embedding[0], two[0].embedding.nnz) == (24, 2)


def test_every_rule_about_frameworks_has_a_test() -> None:
    """R75 to R83: the name of a test carries the number."""
    names: Any = re.findall(r"^def (test_\w+)", Path(__file__).read_text(), re.MULTILINE)
    numbers = {int(n) for name in names for n in re.findall(r"(?<=_r)\d+(?=_)", name)}
    assert numbers == set(range(75, 84))
