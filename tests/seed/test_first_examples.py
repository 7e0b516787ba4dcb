"""The first examples of the Jina 2 Executor cookbook, as they are printed there (R2 to R5).

Their scripts have no `if __name__ == "__main__"`: people paste them as they stand.
"""

from __future__ import annotations

import sys

from jina import Document, DocumentArray, Executor, Flow
from tests.shell import Shell

MINIMUM = """\
from jina import Executor, Flow, Document, requests

class MyExecutor(Executor):

    @requests
    def foo(self, **kwargs):
        print(kwargs)


f = Flow().add(uses=MyExecutor)

with f:
    f.post(on='/random_work', inputs=Document(), on_done=print)
"""

YAML = """\
jtype: MyExecutor
with:
  bar: 123
metas:
  name: awesomeness
  description: my first awesome executor
  py_modules: foo.py
requests:
  /random_work: foo
"""

MODULE = """\
from jina import Executor

class MyExecutor(Executor):

    def __init__(self, bar: int, **kwargs):
        super().__init__(**kwargs)
        self.bar = bar

    def foo(self, **kwargs):
        print(f'foo says: {self.bar} {self.metas.name} {kwargs}')
"""

WITH_YAML = """\
from jina import Flow, Document

f = Flow().add(uses='my.yml')

with f:
    f.post(on='/random_work', inputs=Document(), on_done=print)
"""


def test_a_class_and_a_flow_in_an_unguarded_script(shell: Shell) -> None:
    shell.write("minimum.py", MINIMUM)
    with shell.start("minimum.py", program=(sys.executable,)) as script:
        done = script.end()
    assert done.code == 0, done.err
    assert done.out.count("/random_work") == 1  # one response, printed by on_done
    assert done.err.count("'docs': <jina.types.arrays.document.DocumentArray length=1") == 1
    for name in ("parameters", "docs_matrix", "groundtruths", "groundtruths_matrix"):
        assert f"'{name}': " in done.err
    assert not shell.processes()
    assert not shell.directories()


def test_the_same_typed_into_an_interpreter(shell: Shell) -> None:
    """Where no file holds the class: standard input, as in a notebook."""
    with shell.start("-c", MINIMUM, program=(sys.executable,)) as script:
        done = script.end()
    assert done.code == 0, done.err
    assert done.out.count("/random_work") == 1


def test_the_same_with_yaml(shell: Shell) -> None:
    shell.write("my.yml", YAML)
    shell.write("foo.py", MODULE)
    shell.write("with_yaml.py", WITH_YAML)
    with shell.start("with_yaml.py", program=(sys.executable,)) as script:
        done = script.end()
    assert done.code == 0, done.err
    assert done.out.count("/random_work") == 1
    assert done.err.count("foo says: 123 awesomeness {") == 1


def test_load_config_gives_an_instance(shell: Shell) -> None:
    path = shell.write("my.yml", YAML)
    shell.write("foo.py", MODULE)
    executor = Executor.load_config(str(path))
    assert type(executor).__name__ == "MyExecutor"
    assert (executor.bar, executor.metas.name) == (123, "awesomeness")
    assert executor.metas.description == "my first awesome executor"
    assert executor.requests == {"/random_work": "foo"} or "/random_work" in executor.requests


def test_a_flow_yaml_runs_it_too(shell: Shell) -> None:
    shell.write("my.yml", YAML)
    shell.write("foo.py", MODULE)
    path = shell.write("flow.yml", "jtype: Flow\nexecutors:\n  - uses: my.yml\n")
    answers: list[DocumentArray] = []
    with Flow.load_config(str(path)) as flow:
        flow.post("/random_work", Document(id="x"), on_done=lambda r: answers.append(r.docs))
    assert [doc.id for docs in answers for doc in docs] == ["x"]
