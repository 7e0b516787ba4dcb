"""What an Executor says of itself."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from jina import DocumentArray, Executor, requests
from jina.executors.describe import described
from jina.wire.described import Described, Endpoint, Parameter

PLENTY = 64 * 1024


def loud(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Searcher(Executor):
    """Not told: metas have a description of their own."""

    @requests(on=["/search", "/find"])
    def search(self, docs: DocumentArray, parameters: dict[str, Any], **kwargs: Any) -> None:
        """Find the nearest Documents.

        Each one gets matches:
            indented text stays so.
        """
        parameters.get("top_k", 10)

    @requests(on="/index", once=True)
    @loud
    def index(self, docs: DocumentArray, parameters: dict[str, Any], **kwargs: Any) -> None:
        parameters["key"]

    @requests
    @staticmethod
    def rest(**kwargs: Any) -> None:
        """All others."""


def test_class_metas_endpoints_and_parameters() -> None:
    executor = Searcher(
        metas={"name": "vectors", "description": "Finds vectors."}, requests={"/more": "rest"}
    )
    doc = "Find the nearest Documents.\n\nEach one gets matches:\n    indented text stays so."
    top_k = Parameter("top_k", 10, "int")
    assert described(executor, ["/index"], PLENTY) == Described(
        "Searcher",
        "vectors",
        "Finds vectors.",
        [
            Endpoint("/search", "search", doc, False, [top_k]),
            Endpoint("/find", "search", doc, False, [top_k]),
            Endpoint("/index", "index", "", True, [Parameter("key", is_required=True)]),
            Endpoint("/default", "rest", "All others."),
            Endpoint("/more", "rest", "All others."),
        ],
    )


def test_as_json_a_default_that_is_not_there_is_left_out() -> None:
    assert msgspec.to_builtins(Parameter("x")) == {"name": "x", "type": "", "is_required": False}
    null = {"name": "x", "default": None, "type": "", "is_required": False}
    assert msgspec.to_builtins(Parameter("x", None)) == null


class Documented(Executor):
    """Turn texts into vectors
    by their letters.

    Not told: only the first paragraph is.
    """


class Heir(Documented):
    pass


def test_without_metas_the_docstring_of_the_class_describes_it() -> None:
    found = [described(cls(), [], PLENTY) for cls in (Documented, Heir)]
    assert [each and each.description for each in found] == [
        "Turn texts into vectors by their letters.",
        "",
    ]


def test_an_executor_that_serves_nothing() -> None:
    assert described(Executor(), [], PLENTY) == Described("BaseExecutor", "BaseExecutor")


class Odd(Executor):
    """Whatever people put where text is expected."""

    @requests(on="/half \ud800")
    def half(self, **kwargs: Any) -> None:
        "Half of a pair: \ud800."

    @requests(on="/callable")
    def other(self, **kwargs: Any) -> None: ...


def test_what_cannot_be_sent_is_made_so_that_it_can() -> None:
    executor = Odd(metas={"name": "odd", "description": 7})
    executor.requests["/partial"] = functools.partial(print)
    executor.requests["/object"] = object()
    found = described(executor, [], PLENTY)
    assert found is not None
    assert found.description == ""
    assert [(each.path, each.method, each.doc) for each in found.endpoints] == [
        ("/half ?", "half", "Half of a pair: ?."),
        ("/callable", "other", ""),
        ("/partial", "", ""),
        ("/object", "", ""),
    ]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Described) == found


def test_it_is_cut_until_it_fits() -> None:
    """Docstrings first, then parameters, then endpoints, then all of it."""

    class Long(Executor):
        @requests(on=[f"/{number}" for number in range(20)])
        def long(self, parameters: dict[str, Any], **kwargs: Any) -> None:
            parameters.get("top_k", 10)

    Long.long.__doc__ = "word " * 1000
    executor = Long(metas={"description": "d" * 300})

    def cut(most: int) -> tuple[int, int, int] | None:
        found = described(executor, [], most)
        if found is None:
            return None
        assert len(msgspec.msgpack.encode(found)) <= most
        docs = max((len(each.doc) for each in found.endpoints), default=0)
        reads = sum(len(each.parameters) for each in found.endpoints)
        return len(found.endpoints), docs, reads

    assert cut(10**6) == (20, 5000, 20)
    assert cut(60_000) == (20, 2000, 20)
    assert cut(20_000) == (20, 500, 20)
    assert cut(6_000) == (20, 100, 20)
    assert cut(3_500) == (20, 0, 20)
    assert cut(2_000) == (20, 0, 0)
    assert cut(1_000) == (0, 0, 0)
    assert cut(50) is None
