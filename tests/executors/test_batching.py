"""`@dynamic_batching` in all its forms, and what YAML lays over it."""

from __future__ import annotations

from typing import Any

import pytest

from jina import dynamic_batching, requests
from jina.executors import BaseExecutor as Executor
from jina.executors.batching import settings_of, unserved
from jina.executors.table import class_table
from jina.wire.batching import Batching


class Batched(Executor):
    @dynamic_batching(preferred_batch_size=8, timeout=10)
    @requests(on="/before")
    def before(self, **kwargs: Any) -> None: ...

    @requests(on=["/after", "/too"])
    @dynamic_batching(timeout=20.5, flush_all=True)
    def after(self, **kwargs: Any) -> None: ...

    @requests(on="/plain")
    def plain(self, **kwargs: Any) -> None: ...


def test_it_stands_before_or_after_requests() -> None:
    assert class_table(Batched) == {
        "/before": "before",
        "/after": "after",
        "/too": "after",
        "/plain": "plain",
    }
    assert settings_of(Batched(), {}) == {
        "/before": Batching(8, 10, False),
        "/after": Batching(4, 20.5, True),
        "/too": Batching(4, 20.5, True),
    }


def test_used_bare_it_has_the_defaults_of_jina_3() -> None:
    class Bare(Executor):
        @dynamic_batching
        @requests
        def all(self, **kwargs: Any) -> None: ...

    assert settings_of(Bare(), {}) == {"/default": Batching(4, 10_000, False)}


def test_what_yaml_says_is_laid_over_key_by_key() -> None:
    given = {
        "/before": {"timeout": 5},
        "after": {"preferred_batch_size": 2},
        "too": {"flush_all": False},
        "/plain": {},
    }
    assert settings_of(Batched(), given) == {
        "/before": Batching(8, 5, False),
        "/after": Batching(2, 20.5, True),
        "/too": Batching(2, 20.5, False),
        "/plain": Batching(),
    }


def test_it_can_be_turned_off() -> None:
    off = {"use_dynamic_batching": False}
    assert settings_of(Batched(), {"before": off, "/after": off}) == {
        "/too": Batching(4, 20.5, True)
    }

    class Off(Executor):
        @dynamic_batching(use_dynamic_batching=False, preferred_batch_size=3)
        @requests(on="/x")
        def x(self, **kwargs: Any) -> None: ...

    assert settings_of(Off(), {}) == {}
    on = {"/x": {"use_dynamic_batching": True}}
    assert settings_of(Off(), on) == {"/x": Batching(3)}


def test_an_endpoint_that_only_the_default_handler_serves_may_have_settings() -> None:
    class Open(Executor):
        @requests
        def any(self, **kwargs: Any) -> None: ...

    assert settings_of(Open(), {"/x": {"timeout": 1}}) == {"/x": Batching(timeout=1)}
    assert not list(unserved(Open().requests, {"/x": {}}))


def test_settings_of_what_nobody_serves_are_left_out_and_named() -> None:
    assert "/x" not in settings_of(Batched(), {"/x": {"timeout": 1}})
    assert list(unserved(Batched().requests, {"/x": {}, "before": {}, "plain": {}})) == ["/x"]


def test_a_subclass_inherits_it_and_may_change_it() -> None:
    class Sub(Batched):
        def before(self, **kwargs: Any) -> None: ...

        @dynamic_batching(preferred_batch_size=2)
        def after(self, **kwargs: Any) -> None: ...

    assert settings_of(Sub(), {}) == {
        "/before": Batching(8, 10),
        "/after": Batching(2),
        "/too": Batching(2),
    }


def test_a_method_that_yaml_binds_keeps_its_settings() -> None:
    executor = Batched(requests={"/more": "before"})
    assert settings_of(executor, {})["/more"] == Batching(8, 10)


def test_the_function_stays_a_plain_function() -> None:
    assert Batched.before.__name__ == "before"
    assert Batched().before() is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"preferred_batch_size": 0}, ValueError, "must be at least 1"),
        ({"preferred_batch_size": "8"}, TypeError, "must be a whole number"),
        ({"preferred_batch_size": True}, TypeError, "must be a whole number"),
        ({"timeout": -1}, ValueError, "0 or more"),
        ({"timeout": float("nan")}, ValueError, "0 or more"),
        ({"timeout": None}, TypeError, "number of milliseconds"),
        ({"flush_all": 1}, TypeError, "True or False"),
        ({"prefered_batch_size": 8}, TypeError, "unexpected keyword"),
    ],
)
def test_wrong_settings_are_refused(settings: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        dynamic_batching(**settings)


def test_a_number_where_the_method_belongs_is_refused() -> None:
    with pytest.raises(TypeError, match="must be applied to a method, got int"):
        dynamic_batching(32)  # type: ignore[call-overload]
