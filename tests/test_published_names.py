"""Import paths and small functions that published Jina 2 Executors use."""

from __future__ import annotations

import importlib
import socket
import uuid
from typing import Any

import numpy as np
import pytest

from jina import Document, DocumentArray, helper
from jina.enums import OnErrorStrategy, PollingType
from jina.types.arrays.traversable import TraversableSequence

PUBLISHED = [
    "jina:Executor",
    "jina:Flow",
    "jina:Document",
    "jina:DocumentArray",
    "jina:AsyncFlow",
    "jina:Client",
    "jina:DocumentArrayMemmap",
    "jina:requests",
    "jina:dynamic_batching",
    "jina:__version__",
    "jina.executors:BaseExecutor",
    "jina.executors:Executor",
    "jina.executors.metas:get_default_metas",
    "jina.executors.decorators:requests",
    "jina.logging.logger:JinaLogger",
    "jina.logging.predefined:default_logger",
    "jina.logging.profile:TimeContext",
    "jina.excepts:ExecutorFailToLoad",
    "jina.excepts:PretrainedModelFileDoesNotExist",
    "jina.excepts:BadClient",
    "jina.excepts:BadDocType",
    "jina.excepts:BaseJinaException",
    "jina.excepts:NoAvailablePortError",
    "jina.enums:PollingType",
    "jina.enums:FlowInspectType",
    "jina.helper:random_port",
    "jina.helper:batch_iterator",
    "jina.helper:random_identity",
    "jina.types.arrays:DocumentArray",
    "jina.types.arrays:DocumentArrayMemmap",
    "jina.types.arrays:ChunkArray",
    "jina.types.arrays:MatchArray",
    "jina.types.arrays.document:DocumentArray",
    "jina.types.arrays.memmap:DocumentArrayMemmap",
    "jina.types.arrays.traversable:TraversableSequence",
    "jina.types.document:Document",
    "jina.types.document.generators:from_files",
    "jina.types.score:NamedScore",
    "jina.types.request:Request",
    "jina.types.request:Response",
    "jina.types.request.data:DataRequest",
    "jina.logging:JinaLogger",
    "jina.logging:default_logger",
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_name_is_where_published_code_looks_for_it(name: str) -> None:
    module, _, attribute = name.partition(":")
    assert hasattr(importlib.import_module(module), attribute)


def test_default_metas_are_the_documented_fields() -> None:
    from jina.executors.metas import get_default_metas

    assert set(get_default_metas()) == {"name", "description", "workspace", "py_modules"}


def test_a_random_port_can_be_bound() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", helper.random_port()))


def test_identities_are_uuids() -> None:
    first, second = helper.random_identity(), helper.random_identity(use_uuid1=True)
    assert uuid.UUID(first) != uuid.UUID(second)
    assert uuid.UUID(second).version == 1


@pytest.mark.parametrize(
    ("data", "batches"),
    [
        ([1, 2, 3], [[1, 2], [3]]),
        ((1, 2), [(1, 2)]),
        (iter("abc"), [["a", "b"], ["c"]]),
        ([], []),
        ({"a": 1, "b": 2, "c": 3}, [["a", "b"], ["c"]]),
    ],
)
def test_batches(data: Any, batches: list[Any]) -> None:
    assert list(helper.batch_iterator(data, 2)) == batches


def test_batches_of_an_array_and_of_everything() -> None:
    matrix = np.arange(6).reshape(3, 2)
    assert [part.shape for part in helper.batch_iterator(matrix, 2)] == [(2, 2), (1, 2)]
    assert list(helper.batch_iterator([1, 2], 0)) == [[1, 2]]
    with pytest.raises(NotImplementedError):
        list(helper.batch_iterator(matrix, 2, axis=1))


def test_batches_of_documents_are_arrays() -> None:
    docs = DocumentArray([Document(text=str(n)) for n in range(3)])
    batches = list(helper.batch_iterator(docs, 2))
    assert [batch.get_attributes("text") for batch in batches] == [["0", "1"], ["2"]]
    assert batches[0][0] is docs[0]


def test_async_functions_run_to_their_end() -> None:
    async def double(x: int) -> int:
        return 2 * x

    assert helper.run_async(double, 4) == 8


def test_a_cached_property_is_computed_once() -> None:
    class Model:
        loads = 0

        @helper.cached_property
        def weights(self) -> int:
            self.loads += 1
            return 5

    model = Model()
    assert (model.weights, model.weights, model.loads) == (5, 5, 1)
    del model.weights
    assert (model.weights, model.loads) == (5, 2)


def test_an_older_argument_name_warns() -> None:
    @helper.deprecated_alias(old="new")
    def func(new: int = 0) -> int:
        return new

    with pytest.warns(DeprecationWarning, match="'old' is the old name of 'new'"):
        assert func(old=3) == 3


def test_names_and_addresses() -> None:
    assert helper.typename([]) == "builtins.list"
    assert helper.typename(uuid.UUID) == "uuid.UUID"
    assert helper.is_url("https://x")
    assert not helper.is_url("file.txt")
    assert helper.random_name() != helper.random_name()


def test_enumerations_are_found_by_name_in_any_case() -> None:
    assert PollingType.from_string("any") is PollingType.ANY
    assert str(OnErrorStrategy.IGNORE) == "IGNORE"
    with pytest.raises(
        ValueError, match="'SOME' is not a valid PollingType; choose from: ANY, ALL"
    ):
        PollingType.from_string("some")


def test_what_post_answers_with_is_the_response_of_the_published_path() -> None:
    from jina.client.response import Response
    from jina.types import request

    assert request.Response is request.Request is request.DataRequest is Response
    with pytest.raises(AttributeError, match=r"'jina\.types\.request' has no attribute 'ControlR"):
        request.ControlRequest  # noqa: B018
    with pytest.raises(AttributeError, match=r"'jina\.logging' has no attribute 'sse'"):
        importlib.import_module("jina.logging").sse  # noqa: B018


def test_a_document_is_filled_in_a_with_block() -> None:
    with Document() as doc:
        doc.text = "filled"
    assert doc.text == "filled"


class Pair:
    """Two Documents that are walked over together, as evaluators do."""

    def __init__(self, doc: Document, truth: Document) -> None:
        self.both = (doc, truth)

    def _children(self, name: str) -> Pairs:
        doc, truth = (getattr(one, name) for one in self.both)
        return Pairs([Pair(*both) for both in zip(doc, truth, strict=True)])

    @property
    def chunks(self) -> Pairs:
        return self._children("chunks")

    @property
    def matches(self) -> Pairs:
        return self._children("matches")


class Pairs(TraversableSequence):
    def __init__(self, pairs: list[Pair]) -> None:
        self.pairs = pairs

    def __iter__(self) -> Any:
        return iter(self.pairs)

    def texts(self) -> list[str]:
        return ["".join(doc.text for doc in pair.both) for pair in self]


def test_a_sequence_of_ones_own_is_walked_along_paths() -> None:
    def doc(letter: str) -> Document:
        chunks = [Document(text=letter + str(n), matches=[Document(text=letter)]) for n in range(2)]
        return Document(text=letter, chunks=chunks)

    pairs = Pairs([Pair(doc("a"), doc("b")), Pair(doc("c"), doc("d"))])
    assert pairs.traverse_flat(["r", "c"]).texts() == ["ab", "cd", "a0b0", "a1b1", "c0d0", "c1d1"]
    assert pairs.traverse_flat("cm").texts() == ["ab", "ab", "cd", "cd"]
    assert [leaf.texts() for leaf in pairs.traverse(["c"])] == [["a0b0", "a1b1"], ["c0d0", "c1d1"]]

    def first(pair: Pair) -> bool:
        return pair.both[0].text == "a"

    assert [p.texts() for p in pairs.traverse_flat_per_path("r,c", first)] == [["ab"], []]
    with pytest.raises(ValueError, match="the letter 'x'"):
        pairs.traverse_flat("x")
    with pytest.raises(NotImplementedError, match="Bare has no `__iter__`"):
        type("Bare", (TraversableSequence,), {})().traverse_flat("c")
