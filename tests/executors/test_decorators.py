"""`@requests` in all its forms, and what it refuses."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from jina.executors import BaseExecutor as Executor
from jina.executors.decorators import requests
from jina.executors.table import claims, class_table


def test_r16_on_names_the_endpoint() -> None:
    class E(Executor):
        @requests(on="/index")
        def foo(self, **kwargs: Any) -> None: ...

    assert class_table(E) == {"/index": "foo"}


def test_r18_bare_binds_the_default_handler() -> None:
    class E(Executor):
        @requests
        def foo(self, **kwargs: Any) -> None: ...

    assert class_table(E) == {"/default": "foo"}


@pytest.mark.parametrize("on", [["/foo", "/bar"], ("/foo", "/bar")])
def test_r19_a_list_or_tuple_binds_each(on: Any) -> None:
    class E(Executor):
        @requests(on=on)
        def foo(self, **kwargs: Any) -> None: ...

    assert class_table(E) == {"/foo": "foo", "/bar": "foo"}


def test_r20_a_class_without_bindings_has_an_empty_table() -> None:
    class E(Executor):
        def foo(self, **kwargs: Any) -> None: ...

    assert E().requests == {}


@pytest.mark.parametrize(
    ("argument", "table"),
    [("/bar", {"/bar": "m"}), (["/a", "b"], {"/a": "m", "/b": "m"}), ("", {"/default": "m"})],
)
def test_r24_endpoints_may_be_positional(argument: Any, table: dict[str, str]) -> None:
    class E(Executor):
        @requests(argument)
        def m(self, **kwargs: Any) -> None: ...

    assert class_table(E) == table


def test_r24_empty_parentheses_are_bare() -> None:
    class E(Executor):
        @requests()
        def foo(self) -> None: ...

    assert class_table(E) == {"/default": "foo"}


def test_decorating_twice_binds_both() -> None:
    class E(Executor):
        @requests(on="/a")
        @requests(on="/b")
        def foo(self) -> None: ...

    assert class_table(E) == {"/b": "foo", "/a": "foo"}


def test_r25_the_last_of_two_claims_wins_and_the_claim_is_known() -> None:
    class E(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

        @requests(on="/a")
        def bar(self) -> None: ...

    assert class_table(E) == {"/a": "bar"}
    assert claims(E) == {"/a": ["foo", "bar"]}


def test_a_subclass_that_takes_over_an_endpoint_claims_nothing_twice() -> None:
    class Parent(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

    class Child(Parent):
        @requests(on="/a")
        def bar(self) -> None: ...

    assert class_table(Child) == {"/a": "bar"}
    assert claims(Child) == {}


def test_r22_a_subclass_binds_nothing_in_its_parent() -> None:
    class Parent(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

    class Child(Parent):
        @requests(on="/b")
        def bar(self) -> None: ...

    assert class_table(Parent) == {"/a": "foo"}
    assert class_table(Child) == {"/a": "foo", "/b": "bar"}


def test_an_undecorated_override_keeps_the_endpoints() -> None:
    class Parent(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

    class Child(Parent):
        def foo(self) -> None: ...

    assert Child().requests == {"/a": Child.foo}


def test_a_redecorated_override_has_its_own_endpoints_only() -> None:
    class Parent(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

    class Child(Parent):
        @requests(on="/b")
        def foo(self) -> None: ...

    assert class_table(Child) == {"/b": "foo"}


def test_a_redecorated_override_claims_behind_what_it_inherits() -> None:
    class Parent(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

        @requests(on="/b")
        def bar(self) -> None: ...

    class Child(Parent):
        @requests(on="/b")
        def foo(self) -> None: ...

    assert class_table(Child) == {"/b": "foo"}


def test_r23_a_required_parameter_that_no_call_fills_is_refused_at_definition() -> None:
    with pytest.raises(TypeError) as caught:

        class E(Executor):
            @requests
            def foo(self, docs: Any, threshold: float) -> None: ...

    assert str(caught.value) == (
        "test_r23_a_required_parameter_that_no_call_fills_is_refused_at_definition.<locals>.E.foo "
        "cannot serve an endpoint: nothing fills its parameter 'threshold'. The "
        "arguments a method can take are docs, parameters, docs_matrix, groundtruths, "
        "groundtruths_matrix; give any other one a default"
    )


def test_with_kwargs_such_a_method_is_taken_for_the_sake_of_the_others() -> None:
    class E(Executor):
        @requests(on="/fill")
        def fill(self, query_da: Any, **kwargs: Any) -> None: ...

        @requests(on="/index")
        def index(self, parameters: Any, **kwargs: Any) -> None:
            parameters["seen"].append(1)

    seen: list[int] = []
    E()("/index", parameters={"seen": seen})
    assert seen == [1]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'query_da'"):
        E()("/fill")


def test_r23_docs_alone_is_a_signature() -> None:
    class E(Executor):
        @requests
        def foo(self, docs: Any) -> None: ...

        @requests(on="/x")
        def bar(self, docs: Any, limit: int = 3, *args: Any) -> None: ...

    assert set(class_table(E)) == {"/default", "/x"}


@pytest.mark.parametrize("on", [5, b"/x", ["/a", 3], {"/a": 1}])
def test_endpoints_that_are_no_text_are_refused(on: Any) -> None:
    with pytest.raises(TypeError, match=r"@requests\(on=…\) takes"):
        requests(on=on)


def test_endpoints_given_twice_are_refused() -> None:
    with pytest.raises(TypeError, match="twice"):
        requests("/a", on="/b")  # type: ignore[call-overload]


def test_r27_the_function_stays_a_plain_function() -> None:
    class E(Executor):
        @requests(on="/a")
        def foo(self, docs: Any, limit: int = 1) -> int:
            return len(docs) + limit

    assert E().foo([1, 2], limit=5) == 7


def test_a_decorator_that_wraps_keeps_the_mark() -> None:
    def logged(func: Any) -> Any:
        @functools.wraps(func)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            return func(self, *args, **kwargs)

        return wrapper

    class E(Executor):
        @logged
        @requests(on="/a")
        def foo(self, docs: Any) -> str:
            return "foo"

    assert class_table(E) == {"/a": "foo"}
    assert E().foo(docs=None) == "foo"


def test_a_wrapper_without_a_signature_of_its_own_is_decorated() -> None:
    class E(Executor):
        @requests(on="/cached")
        @functools.lru_cache  # noqa: B019 - what is cached here ends with the test
        def cached(self, docs: Any = None) -> None:
            self.calls = getattr(self, "calls", 0) + 1

    e = E()
    for _ in range(2):
        assert e("/cached") is None
    assert e.calls == 1


def test_static_and_class_methods_can_serve() -> None:
    class E(Executor):
        @requests(on="/s")
        @staticmethod
        def s(docs: Any) -> None: ...

        @classmethod
        @requests(on="/c")
        def c(cls, docs: Any) -> None: ...

    assert class_table(E) == {"/s": "s", "/c": "c"}
