"""What a method receives, and what goes on after it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from jina import Document, DocumentArray
from jina.executors import BaseExecutor as Executor
from jina.executors.call import call, close_loop, endpoints, specific_parameters
from jina.executors.decorators import requests


class Recorder(Executor):
    """Remembers what each of its methods was given."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seen: list[dict[str, Any]] = []

    @requests
    def everything(self, **kwargs: Any) -> None:
        self.seen.append(kwargs)

    @requests(on="/docs")
    def docs_alone(self, docs: Any) -> None:
        self.seen.append({"docs": docs})

    @requests(on="/some")
    def some(self, docs: Any, parameters: Any, **kwargs: Any) -> None:
        self.seen.append({"docs": docs, "parameters": parameters, **kwargs})

    @requests(on="/none")
    def nothing(self) -> None:
        self.seen.append({})

    @requests(on="/default_value")
    def with_default(self, parameters: Any, limit: int = 3) -> None:
        self.seen.append({"parameters": parameters, "limit": limit})


def texts(docs: Any) -> list[str]:
    return [d.text for d in docs]


def some_docs(*names: str) -> DocumentArray:
    return DocumentArray([Document(text=name) for name in names or ("a", "b")])


def test_r17_each_endpoint_runs_its_method_and_others_run_none() -> None:
    class E(Executor):
        @requests(on="/index")
        def foo(self, docs: Any) -> None:
            docs[0].text = "foo"

        @requests(on="/random_work")
        def bar(self, docs: Any) -> None:
            docs[0].text = "bar"

    for endpoint, text in (("/index", "foo"), ("/random_work", "bar"), ("/blah", "a")):
        assert texts(call(E(), endpoint, docs=some_docs("a"), parameters={})) == [text]


def test_r18_the_default_serves_what_nobody_else_does() -> None:
    e = Recorder()
    for endpoint in ("/blah", "/default", "", "blah"):
        call(e, endpoint, docs=None, parameters={})
    assert len(e.seen) == 4
    assert all("docs_matrix" in seen for seen in e.seen)


def test_r26_the_slash_may_be_missing() -> None:
    e = Recorder()
    call(e, "none", docs=None, parameters=None)
    assert e.seen == [{}]


def test_r20_without_a_method_the_documents_go_through() -> None:
    docs = some_docs()
    assert call(Executor(), "/x", docs=docs, parameters={}) is docs
    assert len(call(Executor(), "/x", docs=None, parameters={})) == 0


def test_r28_zero_documents_are_none() -> None:
    e = Recorder()
    for docs in (None, DocumentArray(), DocumentArray([])):
        call(e, "/docs", docs=docs, parameters={})
    assert e.seen == [{"docs": None}] * 3


def test_r29_parameters_are_a_dict_always_and_fresh() -> None:
    e = Recorder()
    given = {"a": 1}
    call(e, "/some", docs=None, parameters=given)
    call(e, "/some", docs=None, parameters=None)
    e.seen[0]["parameters"]["b"] = 2
    assert e.seen[1]["parameters"] == {}
    assert given == {"a": 1}


def test_r30_r31_matrices_are_none_for_a_single_request() -> None:
    e = Recorder()
    call(e, "/x", docs=some_docs(), parameters={})
    assert e.seen[0]["docs_matrix"] is None
    assert e.seen[0]["groundtruths"] is None
    assert e.seen[0]["groundtruths_matrix"] is None


def test_r30_on_a_join_there_is_one_array_per_branch() -> None:
    e = Recorder()
    left, right = some_docs("l"), some_docs("r")
    truths = some_docs("t")
    call(
        e,
        "/x",
        docs=some_docs("l", "r"),
        parameters={},
        docs_matrix=[left, right],
        groundtruths=truths,
        groundtruths_matrix=[truths, DocumentArray()],
    )
    seen = e.seen[0]
    assert seen["docs_matrix"][0] is left
    assert seen["docs_matrix"][1] is right
    assert texts(seen["groundtruths"]) == ["t"]
    assert [len(part) for part in seen["groundtruths_matrix"]] == [1, 0]


def test_r33_a_method_receives_the_arguments_it_names() -> None:
    e = Recorder()
    call(e, "/default_value", docs=some_docs(), parameters={"p": 1})
    call(e, "/none", docs=some_docs(), parameters={"p": 1})
    call(e, "/some", docs=some_docs(), parameters={"p": 1})
    assert e.seen[0] == {"parameters": {"p": 1}, "limit": 3}
    assert e.seen[1] == {}
    assert set(e.seen[2]) == {
        "docs",
        "parameters",
        "docs_matrix",
        "groundtruths",
        "groundtruths_matrix",
    }


def test_r35_none_keeps_the_documents_changed_in_place() -> None:
    class E(Executor):
        @requests
        def upper(self, docs: Any) -> None:
            for doc in docs:
                doc.text = doc.text.upper()

    docs = some_docs()
    assert call(E(), "/", docs=docs, parameters={}) is docs
    assert texts(docs) == ["A", "B"]


def test_r36_r39_a_returned_array_replaces_them() -> None:
    class E(Executor):
        @requests(on="/new")
        def new(self, docs: Any) -> Any:
            return some_docs("new")

        @requests(on="/empty")
        def empty(self, docs: Any) -> Any:
            return DocumentArray()

    assert texts(call(E(), "/new", docs=some_docs(), parameters={})) == ["new"]
    assert len(call(E(), "/empty", docs=some_docs(), parameters={})) == 0


def test_r37_a_shallow_copy_changes_nothing() -> None:
    class E(Executor):
        @requests
        def same(self, docs: Any) -> Any:
            docs[0].text = "changed"
            return DocumentArray(docs)

    assert texts(call(E(), "/", docs=some_docs(), parameters={})) == ["changed", "b"]


@pytest.mark.parametrize("value", [[], "text", 3, {}, False])
def test_r38_anything_else_is_a_type_error_that_names_it(value: Any) -> None:
    class E(Executor):
        @requests
        def wrong(self, docs: Any) -> Any:
            return value

    with pytest.raises(TypeError) as caught:
        call(E(), "/", docs=some_docs(), parameters={})
    assert str(caught.value).endswith(
        f"E.wrong returned {type(value).__name__}; an endpoint method must return a "
        "DocumentArray, or None if it changed the Documents in place"
    )


def test_what_the_method_raises_goes_through() -> None:
    class E(Executor):
        @requests
        def fail(self) -> None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        call(E(), "/", docs=None, parameters={})


def test_a_generator_is_named_with_its_cause() -> None:
    class E(Executor):
        @requests(on="/sync")
        def one(self, docs: Any) -> Any:
            yield docs

        @requests(on="/async")
        async def other(self, docs: Any) -> Any:
            yield docs

    for endpoint in ("/sync", "/async"):
        with pytest.raises(TypeError, match="returned a generator: it contains `yield`; an end"):
            call(E(), endpoint, docs=some_docs(), parameters={})


@pytest.mark.parametrize(("code", "said"), [(3, "3"), (None, "0"), ("no model", "no model")])
def test_a_method_that_exits_says_what_to_do(code: Any, said: str) -> None:
    class E(Executor):
        @requests
        def leave(self) -> None:
            raise SystemExit(code)

    with pytest.raises(SystemExit) as caught:
        call(E(), "/", docs=None, parameters={})
    assert caught.value.code == code
    assert str(caught.value) == (
        f"{said}; a method must not end its process: raise another exception instead"
    )


def test_r69_the_executors_own_parameters_come_first() -> None:
    given = {"param": 5, "my-executor-1": {"param": 10, "more": 1}, "other": {"param": 7}}
    assert specific_parameters(given, "my-executor-1") == {**given, "param": 10, "more": 1}
    assert specific_parameters(given, "my-executor-2") == given


def test_r71_a_value_under_the_name_that_is_no_dict_is_left_alone() -> None:
    assert specific_parameters({"enc": 3}, "enc") == {"enc": 3}


def test_r70_the_key_is_the_executors_own_name() -> None:
    e = Recorder(metas={"name": "my-executor-1"})
    call(e, "/some", docs=None, parameters={"a": 1, "my-executor-1": {"a": 2}})
    assert e.seen[0]["parameters"]["a"] == 2


def test_async_methods_run_to_their_end_on_one_loop() -> None:
    class E(Executor):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.loops: list[Any] = []

        @requests
        async def later(self, docs: Any) -> None:
            self.loops.append(asyncio.get_running_loop())
            await asyncio.sleep(0)
            docs[0].text = "done"

    e = E()
    for _ in range(2):
        assert texts(call(e, "/", docs=some_docs("a"), parameters={})) == ["done"]
    assert e.loops[0] is e.loops[1]
    close_loop()
    assert e.loops[0].is_closed()


def test_async_methods_run_on_other_threads_and_inside_a_loop() -> None:
    class E(Executor):
        @requests
        async def later(self) -> Any:
            return some_docs("done")

    found = []
    thread = threading.Thread(target=lambda: found.append(E()("/x")))
    thread.start()
    thread.join()

    async def inside() -> Any:
        return E()("/x")

    found.append(asyncio.run(inside()))
    assert [texts(docs) for docs in found] == [["done"], ["done"]]


def test_r58_the_object_is_called_with_an_endpoint() -> None:
    e = Recorder()
    assert e("/docs", docs=some_docs()) is None
    assert e("/some", docs=some_docs(), parameters={"a": 1}) is None
    assert e.seen[1]["parameters"] == {"a": 1}
    assert Executor()("/anything", docs=some_docs()) is None


def test_an_argument_that_no_method_receives_is_refused() -> None:
    with pytest.raises(TypeError, match="no endpoint receives 'doc'; the arguments are docs, "):
        Recorder()("/docs", doc=some_docs())


def test_r27_a_method_called_directly_is_an_ordinary_call() -> None:
    class E(Executor):
        @requests(on="/x")
        def count(self, docs: Any, factor: int = 1) -> Any:
            return len(docs) * factor

    assert E().count(some_docs(), 10) == 20


def test_bindings_of_yaml_static_and_class_methods_are_called_rightly() -> None:
    class E(Executor):
        @requests(on="/static")
        @staticmethod
        def static(docs: Any) -> Any:
            return some_docs("static")

        @requests(on="/class")
        @classmethod
        def of_class(cls, docs: Any) -> Any:
            return some_docs(cls.__name__)

        def bound(self, docs: Any) -> Any:
            return some_docs(self.metas.name)

    e = E(requests={"/bound": "bound", "again": "static"})
    found = {
        endpoint: texts(call(e, endpoint, docs=None, parameters={})) for endpoint in endpoints(e)
    }
    assert found == {
        "/static": ["static"],
        "/class": ["E"],
        "/bound": ["E"],
        "/again": ["static"],
    }


def test_a_subclass_runs_its_own_override() -> None:
    class Parent(Executor):
        @requests(on="/x")
        def run(self) -> Any:
            return some_docs("parent")

    class Child(Parent):
        def run(self) -> Any:
            return some_docs("child")

    assert texts(Child()("/x")) == ["child"]
    assert texts(Parent()("/x")) == ["parent"]


def test_r56_the_printed_example() -> None:
    class MyExec(Executor):
        @requests
        def foo(self, docs: Any, **kwargs: Any) -> None:
            for d in docs:
                d.text = "hello world"

    da = DocumentArray([Document(text="test")])
    MyExec().foo(da)
    assert str(da).startswith("DocumentArray has 1 items:\n{'id': '")
    assert str(da).endswith("'mime_type': 'text/plain', 'text': 'hello world'}")
