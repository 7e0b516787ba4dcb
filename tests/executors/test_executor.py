"""The base class: constructor, attributes, workspace."""

from __future__ import annotations

import copy
import pickle
from abc import ABC, abstractmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jina.excepts import ExecutorError
from jina.executors import BaseExecutor as Executor
from jina.executors.decorators import requests


class Plain(Executor):
    """Nothing of its own."""


class Forgets(Executor):
    """A constructor that never calls up."""

    def __init__(self, **kwargs: Any) -> None:
        self.model = "loaded"

    @requests(on="/a")
    def foo(self, **kwargs: Any) -> None: ...


class CallsWithNothing(Executor):
    """A constructor that drops what it is given."""

    def __init__(self, bar: int = 0, **kwargs: Any) -> None:
        super().__init__()
        self.bar = bar

    def foo(self, **kwargs: Any) -> None: ...


def test_r6_the_base_class_has_no_metaclass() -> None:
    assert type(Executor) is type


def test_a_class_may_also_derive_from_an_abstract_one() -> None:
    class Indexing(ABC):
        @abstractmethod
        def index(self) -> int: ...

    class E(Executor, Indexing):
        def index(self) -> int:
            return 1

    assert E(metas={"name": "x"}).metas.name == "x"

    class Lacking(Executor, Indexing): ...

    with pytest.raises(TypeError, match="abstract"):
        Lacking()


def test_r7_r8_the_attributes_are_there_inside_the_constructor() -> None:
    seen = {}

    class E(Executor):
        def __init__(self, foo: str, bar: int, **kwargs: Any) -> None:
            kwargs["metas"]["description"] = "changed on the way"
            super().__init__(**kwargs)
            self.bar, self.foo = bar, foo
            seen.update(vars(self))

        def serve(self, **kwargs: Any) -> None: ...

    E(
        foo="f",
        bar=1,
        metas={"name": "n"},
        requests={"/x": "serve"},
        runtime_args={"pea_id": 3},
    )
    assert seen["metas"].name == "n"
    assert seen["metas"].description == "changed on the way"
    assert seen["requests"] == {"/x": E.serve}
    assert seen["runtime_args"] == SimpleNamespace(pea_id=3)


def test_r10_an_instance_holds_four_members() -> None:
    assert set(vars(Plain())) == {"metas", "requests", "runtime_args", "_init_record"}


def test_r11_surplus_arguments_are_swallowed() -> None:
    assert Plain(unknown=1).metas.name == "Plain"


@pytest.mark.parametrize("cls", [Forgets, CallsWithNothing])
def test_r12_r13_what_a_constructor_drops_is_there_all_the_same(
    cls: type[Executor], tmp_path: Path
) -> None:
    e = cls(
        metas={"name": "n", "workspace": str(tmp_path)},
        requests={"/y": "foo"},
        runtime_args={"pea_id": 0},
    )
    assert e.metas.name == "n"
    assert e.requests["/y"] is cls.foo  # type: ignore[attr-defined]
    assert e.workspace == str(tmp_path / "n" / "0")


def test_r13_a_constructor_without_super_serves_its_endpoints() -> None:
    assert Forgets().requests == {"/a": Forgets.foo}


def test_r14_a_with_block_closes() -> None:
    class E(Executor):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    with E() as e:
        assert e.closed == 0
    assert e.closed == 1


def test_r21_a_binding_to_a_missing_method_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"requests\['/x'\]: Plain has no method 'foo'"):
        Plain(requests={"/x": "foo"})


def test_r21_a_binding_to_something_uncallable_is_a_type_error() -> None:
    class E(Executor):
        limit = 3

    with pytest.raises(TypeError, match=r"requests\['/x'\]: E\.limit is not a method"):
        E(requests={"/x": "limit"})


def test_r22_bindings_of_one_instance_stay_its_own() -> None:
    class E(Executor):
        @requests(on="/a")
        def foo(self) -> None: ...

        def bar(self) -> None: ...

    first = E(requests={"/b": "bar"})
    first.requests["/c"] = E.bar
    assert E().requests == {"/a": E.foo}


def test_r46_metas_are_empty_but_for_the_class_name() -> None:
    assert vars(Plain().metas) == {
        "name": "Plain",
        "description": "",
        "workspace": "",
        "py_modules": "",
    }


def test_r46_unknown_metas_are_kept() -> None:
    assert Plain(metas={"batch": 3}).metas.batch == 3


def test_r64_runtime_args_are_empty_outside_a_flow() -> None:
    assert Plain().runtime_args == SimpleNamespace()


@pytest.mark.parametrize(
    ("runtime_args", "tail"),
    [
        ({}, ["n"]),
        ({"pea_id": 0}, ["n", "0"]),
        ({"pea_id": -1, "replica_id": None}, ["n"]),
        ({"pea_id": 0, "replica_id": 2}, ["n", "2", "0"]),
        ({"replica_id": 1}, ["n", "1"]),
    ],
)
def test_r61_the_workspace_names_executor_replica_and_pea(
    tmp_path: Path, runtime_args: dict[str, Any], tail: list[str]
) -> None:
    e = Plain(metas={"name": "n", "workspace": str(tmp_path)}, runtime_args=runtime_args)
    assert e.workspace == str(tmp_path.joinpath(*tail))
    assert Path(e.workspace).is_dir()


def test_r60_the_executors_own_workspace_comes_first(tmp_path: Path) -> None:
    flow = {"workspace": str(tmp_path / "flow")}
    own = Plain(metas={"workspace": str(tmp_path / "own")}, runtime_args=flow)
    assert own.workspace == str(tmp_path / "own" / "Plain")
    assert Plain(runtime_args=flow).workspace == str(tmp_path / "flow" / "Plain")


def test_r62_no_workspace_is_an_error_only_when_it_is_read() -> None:
    e = Plain()
    with pytest.raises(ExecutorError) as caught:
        _ = e.workspace
    assert str(caught.value) == (
        "Plain has no workspace: can not find metas.workspace or runtime_args.workspace\n"
        "help: write `metas: {workspace: …}` in YAML, or metas={'workspace': …} in Python"
    )


@pytest.mark.parametrize("name", ["..", "a/b", "../x", ".hidden", "x" * 65])
def test_a_name_that_would_leave_the_workspace_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExecutorError, match="is not a valid folder name"):
        _ = Plain(metas={"name": name, "workspace": str(tmp_path)}).workspace
    assert list(tmp_path.iterdir()) == []


def test_an_instance_can_be_copied_and_pickled() -> None:
    e = CallsWithNothing(bar=3, metas={"name": "n"})
    for twin in (copy.deepcopy(e), pickle.loads(pickle.dumps(e))):
        assert (twin.bar, twin.metas.name) == (3, "n")
