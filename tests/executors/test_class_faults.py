"""What is suspicious about a class, and what is not."""

from __future__ import annotations

from typing import Any

from jina import Executor
from jina.executors.class_faults import constructor_faults


def test_a_constructor_that_needs_nothing_of_executors_own_need_not_call_it() -> None:
    """As in examples that people copy: metas and the like are there before it runs."""

    class Own(Executor):
        def __init__(self, metas: Any = None, **kwargs: Any) -> None:
            self.requests_seen: list[Any] = []
            self.title = self.metas.name

    assert list(constructor_faults(Own)) == []
    assert Own().title == "Own"


def test_a_base_class_with_a_constructor_is_missed() -> None:
    class Mixin:
        def __init__(self, **kwargs: Any) -> None:
            self.layers: list[Any] = []

    class Model(Executor, Mixin):
        def __init__(self, **kwargs: Any) -> None:
            self.width = 3

    (fault,) = constructor_faults(Model)
    assert (fault.code, fault.is_error) == ("no-super-call", False)
    assert fault.message == (
        "the constructor of Model never calls that of Mixin, so what that one sets up is missing"
    )


def test_settings_that_are_changed_for_nobody_are_told() -> None:
    class Changes(Executor):
        def __init__(self, metas: Any, **kwargs: Any) -> None:
            metas["name"] = "another"

    (fault,) = constructor_faults(Changes)
    assert fault.message == (
        "the constructor of Changes uses `metas` but never calls super().__init__(**kwargs), so "
        "changes to `metas` have no effect"
    )
