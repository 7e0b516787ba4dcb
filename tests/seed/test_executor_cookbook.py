"""The Executor cookbook's examples and rules, in process; each test names its requirement."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jina import Document, DocumentArray, Executor, requests
from jina.executors.call import call
from jina.executors.load import build
from jina.executors.spec import ExecutorSpec

MY_YML = """
jtype: MyExecutor
with:
  bar: 123
metas:
  name: awesomeness
  description: my first awesome executor
  py_modules: [foo.py]
requests:
  /random_work: foo
"""
FOO_PY = """
from jina import Executor


class MyExecutor(Executor):
    def __init__(self, bar: int, **kwargs):
        super().__init__(**kwargs)
        self.bar = bar

    def foo(self, **kwargs):
        return None
"""


@pytest.fixture
def my_yml(tmp_path: Path) -> Path:
    (tmp_path / "my.yml").write_text(MY_YML)
    (tmp_path / "foo.py").write_text(FOO_PY)
    return tmp_path / "my.yml"


def test_r1_three_concepts_and_a_decorator_are_imported_from_the_top() -> None:
    import jina

    for name in ("Executor", "Flow", "Document", "DocumentArray", "requests"):
        assert getattr(jina, name)


def test_r3_r4_the_yaml_of_the_first_example_builds_its_executor(my_yml: Path) -> None:
    e: Any = Executor.load_config(str(my_yml))
    assert type(e).__name__ == "MyExecutor"
    assert e.bar == 123
    assert (e.metas.name, e.metas.description) == ("awesomeness", "my first awesome executor")
    assert e.metas.py_modules == [str(my_yml.parent / "foo.py")]


def test_r3_the_binding_in_yaml_alone_makes_an_endpoint(my_yml: Path) -> None:
    assert list(Executor.load_config(my_yml).requests) == ["/random_work"]


def test_r9_no_constructor_is_needed() -> None:
    class E(Executor):
        @requests
        def foo(self, docs: Any) -> None: ...

    assert E().metas.name == "E"


def test_r14_what_jina_1_had_is_gone() -> None:
    for name in ("save", "load", "logger", "pre_init", "post_init", "on_gpu", "touch", "name"):
        assert not hasattr(Executor, name)
    for name in ("__getstate__", "__setstate__"):
        assert name not in vars(Executor)


def test_r15_close_is_a_hook_that_does_nothing() -> None:
    Executor().close()


def test_r22_yaml_bindings_do_not_leak_into_other_instances(my_yml: Path) -> None:
    first = Executor.load_config(my_yml)
    assert list(first.requests) == ["/random_work"]
    assert type(first)(bar=1).requests == {}


def test_r32_an_undecorated_method_gets_nothing() -> None:
    class E(Executor):
        def helper(self, anything: int) -> int:
            return anything

    e = E()
    assert e.requests == {}
    assert e.helper(3) == 3


def test_r40_on_a_join_without_a_method_the_documents_of_all_branches_go_on() -> None:
    left, right = DocumentArray([Document(text="l")]), DocumentArray([Document(text="r")])
    joined = DocumentArray([*left, *right])
    out = call(Executor(), "/x", docs=joined, parameters={}, docs_matrix=[left, right])
    assert [d.text for d in out] == ["l", "r"]


def test_r41_the_methods_signature_of_the_first_worked_example() -> None:
    class PNEncoder(Executor):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.seen: list[str] = []

        @requests
        def encode(self, docs: DocumentArray, *args: Any, **kwargs: Any) -> None:
            self.seen = [d.text for d in docs]

    e = PNEncoder()
    e("/index", docs=DocumentArray([Document(text="a")]))
    assert e.seen == ["a"]


def test_r43_an_indexer_that_returns_ids_alone() -> None:
    class MyIndexer(Executor):
        """Simple indexer class"""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self._docs = DocumentArray()

        @requests(on="/index")
        def index(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
            self._docs.extend(docs)
            return DocumentArray([Document(id=d.id) for d in docs])

    e = MyIndexer()
    for text in ("a", "b"):
        out = call(e, "/index", docs=DocumentArray([Document(id=text, text=text)]), parameters={})
        assert [(d.id, d.text) for d in out] == [(text, "")]
    assert [d.text for d in e._docs] == ["a", "b"]


def test_r44_tag_and_jtype_are_the_same(my_yml: Path) -> None:
    text = MY_YML.replace("jtype: MyExecutor", "!MyExecutor")
    my_yml.write_text(text)
    assert type(Executor.load_config(my_yml)).__name__ == "MyExecutor"


def test_r45_py_modules_may_be_a_single_text(my_yml: Path) -> None:
    my_yml.write_text(MY_YML.replace("[foo.py]", "foo.py"))
    assert type(Executor.load_config(my_yml)).__name__ == "MyExecutor"


def test_r53_runtime_args_are_neither_saved_nor_loaded(my_yml: Path) -> None:
    e = Executor.load_config(my_yml, runtime_args={"pea_id": 5})
    saved = Path(e.save_config(my_yml.parent / "saved.yml"))
    assert "pea_id" not in saved.read_text()
    assert Executor.load_config(saved).runtime_args == SimpleNamespace()


def test_r59_nothing_of_a_runtime_is_needed() -> None:
    class MyExec(Executor):
        @requests
        def foo(self, docs: Any, **kwargs: Any) -> None:
            for d in docs:
                d.text = "hello world"

    m = MyExec()
    da = DocumentArray([Document(text="test")])
    m.foo(da)
    assert da[0].text == "hello world"


def test_r63_both_collections_are_namespaces() -> None:
    e = Executor(metas={"name": "x"}, runtime_args={"pea_id": 0})
    assert type(e.metas) is type(e.runtime_args) is SimpleNamespace
    assert not hasattr(e, "name")


def test_r64_constructed_by_hand_it_behaves_as_in_a_flow(tmp_path: Path) -> None:
    class MyExec(Executor):
        """Nothing of its own."""

    by_hand = MyExec(metas={"workspace": str(tmp_path), "name": "x"}, runtime_args={"pea_id": 0})
    spec = ExecutorSpec(metas={"workspace": str(tmp_path), "name": "x"})
    assert by_hand.workspace == build(spec, {"pea_id": 0}).workspace == str(tmp_path / "x" / "0")


def test_r66_everything_else_is_a_constructor_argument_or_a_parameter() -> None:
    class E(Executor):
        def __init__(self, default_param: int = 1, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.default_param = default_param

        @requests
        def foo(self, docs: Any, parameters: dict[str, Any], **kwargs: Any) -> DocumentArray:
            param = parameters.get("param", self.default_param)
            return DocumentArray([Document(text=str(param))])

    # R68: a post without Documents, and with a parameter.
    e = E(default_param=3)
    for parameters, text in (({"param": 5}, "5"), ({}, "3")):
        out = call(e, "/endpoint", docs=DocumentArray([]), parameters=parameters)
        assert [d.text for d in out] == [text]


def test_r69_each_executor_sees_its_own_parameter() -> None:
    class E(Executor):
        @requests
        def foo(self, parameters: dict[str, Any], **kwargs: Any) -> DocumentArray:
            return DocumentArray([Document(text=str(parameters["param"]))])

    parameters = {"param": 5, "my-executor-1": {"param": 10}}
    texts = [
        call(E(metas={"name": name}), "/x", docs=None, parameters=parameters)[0].text
        for name in ("my-executor-1", "my-executor-2")
    ]
    assert texts == ["10", "5"]


def test_r72_numbers_stay_what_they_are() -> None:
    class E(Executor):
        @requests
        def foo(self, parameters: dict[str, Any], **kwargs: Any) -> None:
            assert type(parameters["n"]) is int
            assert type(parameters["own"]) is float

    call(E(metas={"name": "e"}), "/x", docs=None, parameters={"n": 1, "e": {"own": 2.0}})
