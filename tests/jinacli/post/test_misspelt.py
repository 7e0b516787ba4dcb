"""A parameter that is nearly the name of one that is read, and that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.shell import Shell

_EXECUTOR = """
from jina import Executor, requests


class Find(Executor):
    @requests(on="/search")
    def search(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.tags["limit"] = parameters.get("limit", 10)
            doc.tags["metric"] = self._metric(parameters)
            doc.tags["size"] = parameters.get("max_size")

    def _metric(self, parameters):
        return parameters["metric"] if "metric" in parameters else "cosine"

    @requests(on="/index")
    def index(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.tags["field"] = parameters.get("field", "text")


class Anything(Executor):
    @requests
    def all(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.tags.update(parameters)
"""
_FLOW = """
jtype: Flow
executors:
  - {name: finder, uses: {jtype: Find, metas: {name: finder}, py_modules: [find.py]}}
  - {name: any, uses: {jtype: Anything, metas: {name: others}, py_modules: [find.py]}}
"""


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    shared_shell.write("find.py", _EXECUTOR)
    with shared_shell.up(shared_shell.write("flow.yml", _FLOW)):
        yield shared_shell


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("limits=2", "limit"),
        ("metrc=dot", "metric"),  # read by a function that is handed all of them
        ("finder.limits=2", "finder.limit"),
        ('fnder={"limit": 2}', "finder"),
    ],
)
def test_what_was_meant_is_said(flow: Shell, given: str, meant: str) -> None:
    done = flow.call("post", "/search", "--text", "a", "-p", given)
    name = given.partition("=")[0]
    assert f'note: no Executor seems to read the parameter "{name}"; did you mean "{meant}"?\n' in (
        done.err
    )
    assert (done.code, done.err.count("note: ")) == (0, 1)
    quiet = flow.call("post", "/search", "--text", "a", "-p", given, "--quiet")
    assert (quiet.code, quiet.err) == (0, "")


@pytest.mark.parametrize(
    "given",
    [
        "limit=2",
        "finder.limit=2",
        "colour=red",  # whoever takes all of them may read it
        "fields=a",  # is near one of another endpoint
        "min_size=3",  # is near one of another meaning
        "others.limits=2",  # by the name in its metas; it reads nothing by name
        "field=a",
        "finder=2",
    ],
)
def test_other_parameters_are_taken_without_a_word(flow: Shell, given: str) -> None:
    done = flow.call("post", "/search", "--text", "a", "-p", given)
    assert (done.code, "note: " in done.err) == (0, False)


def test_an_executor_has_its_own_by_the_name_in_its_metas(flow: Shell) -> None:
    done = flow.call("post", "/search", "--text", "a", "-p", "any.limit=2")
    assert 'note: "any" is a name in the Flow; parameters for that' in done.err
    assert 'under the name in its metas, "others"\n' in done.err


def test_only_those_count_that_get_the_documents(flow: Shell) -> None:
    post = ("post", "/search", "--text", "a", "-p", "limits=2", "--target")
    assert [flow.call(*post, name).err.count("note: ") for name in ("finder", "any")] == [1, 0]


def test_an_executor_that_runs_alone_has_its_own(flow: Shell) -> None:
    flow.write("find.yml", "jtype: Find\nmetas: {name: finder, py_modules: [find.py]}\n")
    for given, meant in (
        ("limits=2", "limit"),
        ("finder.limits=2", "finder.limit"),
        ("limit=2", ""),
    ):
        done = flow.fork("executor", "run", "find.yml", "/search", "--text", "a", "-p", given)
        assert done.code == 0
        assert ("did you mean" in done.err, f'"{meant}"?' in done.err) == (meant != "",) * 2


def test_an_executor_without_metas_of_ours_runs(flow: Shell) -> None:
    code = """
class Odd(Find):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.metas = {"a": 1}
"""
    flow.write("odd.py", f"from find import Find\nfrom jina import Executor\n\n{code}")
    flow.write("odd.yml", "jtype: Odd\nmetas: {py_modules: [find.py, odd.py]}\n")
    done = flow.fork("executor", "run", "odd.yml", "/search", "--text", "a", "-p", "limits=2")
    assert (done.code, done.err.count('did you mean "limit"?')) == (0, 1)
