"""The forms of YAML that Jina 2 documents: all of them load, and mean what they meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina import Executor, Flow, requests
from jina.check import check_executor, check_flow
from jina.config import load_flow


class DocumentedExecutor(Executor):
    """A class of this process, which YAML may name."""

    def __init__(self, bar: int = 0, foo: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bar, self.foo = bar, foo

    @requests
    def serve(self, **kwargs: Any) -> None: ...

    def work(self, **kwargs: Any) -> None: ...


MODULE = """
from jina import Executor, requests


class Segmenter(Executor):
    @requests
    def segment(self, docs, **kwargs): ...


class TextCrafter(Segmenter): ...


class TextEncoder(Segmenter): ...


class DocVectorIndexer(Executor):
    def __init__(self, index_file_name: str, **kwargs):
        super().__init__(**kwargs)
        self.index_file_name = index_file_name

    @requests(on='/index')
    def index(self, docs, **kwargs): ...

    @requests(on='/search')
    def search(self, docs, parameters, **kwargs): ...


class KeyValueIndexer(DocVectorIndexer): ...
"""
# As the multimodal example has them: inline, one module, a workspace from the environment.
MULTIMODAL = """
jtype: Flow
version: '1'
with:
  port_expose: 12345
  protocol: grpc
executors:
  - name: segment
    uses:
      jtype: Segmenter
      metas:
        workspace: $HW_WORKDIR
        py_modules:
          - my_executors.py
  - name: craftText
    uses:
      jtype: TextCrafter
      metas:
        py_modules:
          - my_executors.py
  - name: encodeText
    uses: TextEncoder
    py_modules: my_executors.py
  - name: textIndexer
    uses:
      jtype: DocVectorIndexer
      with:
        index_file_name: "text.json"
      metas:
        workspace: ${HW_WORKDIR}
        py_modules:
          - my_executors.py
  - name: keyValueIndexer
    needs: segment
    uses: |
      !KeyValueIndexer
      with:
        index_file_name: kv.json
      metas:
        workspace: ${{ ENV.HW_WORKDIR }}
        py_modules: my_executors.py
      requests:
        on: search
        /delete: index
  - name: joinAll
    needs: [textIndexer, keyValueIndexer]
"""
FLOWS = {
    "the smallest": "jtype: Flow\n",
    "a tag alone": "!Flow\n",
    "a class of the program": (
        "jtype: Flow\nexecutors:\n  - name: myexec1\n    uses: DocumentedExecutor\n"
    ),
    "pods": "!Flow\nversion: '1.0'\npods:\n  - name: a\n    uses: DocumentedExecutor\n",
    "joins": (
        "jtype: Flow\nexecutors:\n  - {name: a, needs: gateway}\n  - {name: b, needs: [gateway]}\n"
        "  - {method: needs, name: joiner, needs: [a, b]}\n  - {method: add, needs: joiner}\n"
    ),
    "options of the gateway": (
        "jtype: Flow\nversion: '1'\nwith:\n  protocol: http\n  port_expose: 45678\n  cors: True\n"
        "  title: mine\n  description: mine\n  prefetch: 10\n  compress: LZ4\n  no_crud_endpoints: "
        "yes\n  expose_endpoints:\n    /foo: {methods: [GET]}\n  env:\n    JINA_LOG_LEVEL: debug\n"
        "executors:\n  - name: a\n"
    ),
    "options of an executor": (
        "jtype: Flow\nexecutors:\n  - name: a\n    uses: DocumentedExecutor\n    parallel: 1\n"
        "    replicas: 2\n    polling: any\n    scheduling: ROUND_ROBIN\n    timeout_ready: 60000\n"
        "    host: localhost\n    external: false\n    port_in: 1234\n    quiet: true\n"
        "    override_with: {bar: 1}\n    override_metas: {name: n}\n    workspace: w\n"
        "    override_requests: {/x: work}\n    uses_before:\n    uses_after:\n"
        "    env: {OMP_NUM_THREADS: 1, DEBUG: true}\n"
    ),
}
EXECUTORS = {
    "the class alone": "jtype: DocumentedExecutor",
    "the tag alone": "!DocumentedExecutor",
    "an empty map": "!DocumentedExecutor {}",
    "four sections": (
        "jtype: DocumentedExecutor\nwith:\n  bar: 123\nmetas:\n  name: awesomeness\n"
        "  description: my first awesome executor\nrequests:\n  /random_work: work\n"
    ),
    "empty sections": "!DocumentedExecutor\nwith:\nmetas:\nrequests:\npy_modules:\n",
    "a hub template": (
        "jtype: DocumentedExecutor\nwith:\n    foo: test\nmetas:\n  name: X\n  description: Y\n"
        "  url: https://example.org\n  keywords: [a, b]\n"
    ),
    "json": '{"jtype": "DocumentedExecutor", "with": {"bar": 1}, "requests": {"/x": "work"}}',
    "references": (
        "jtype: DocumentedExecutor\nwith:\n  foo: ${{root.metas.name}}\n  bar: ${{ ENV.HW_BAR }}\n"
        "metas:\n  name: q\n  workspace: '${{this.name}}/w'\n"
    ),
    "arguments of the runtime": "!DocumentedExecutor\nruntime_args:\n  pea_id: 3\n",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HW_WORKDIR", str(tmp_path / "work"))
    monkeypatch.setenv("HW_BAR", "7")
    Path("my_executors.py").write_text(MODULE)


def test_the_multimodal_flow_means_what_it_meant(tmp_path: Path) -> None:
    Path("flow.yml").write_text(MULTIMODAL)
    report = check_flow("flow.yml")
    assert report.errors == []
    assert {problem.code for problem in report.warnings} == {"ignored-key"}
    rows = {(row.executor, row.endpoint, row.method.split(".")[1]) for row in report.endpoints}
    assert ("keyValueIndexer", "/on", "search") in rows
    assert ("keyValueIndexer", "/delete", "index") in rows
    nodes = {node.name: node for node in load_flow("flow.yml").executors}
    assert nodes["joinAll"].needs == ["textIndexer", "keyValueIndexer"]
    assert nodes["keyValueIndexer"].executor.metas["workspace"] == str(tmp_path / "work")
    assert nodes["textIndexer"].executor.with_ == {"index_file_name": "text.json"}


@pytest.mark.parametrize("name", FLOWS)
def test_flows_load(name: str) -> None:
    assert isinstance(Flow.load_config(FLOWS[name]), Flow)
    Path("flow.yml").write_text(FLOWS[name])
    assert check_flow("flow.yml").errors == []


@pytest.mark.parametrize("name", EXECUTORS)
def test_executors_load(name: str) -> None:
    assert type(Executor.load_config(EXECUTORS[name])) is DocumentedExecutor
    Path("my.yml").write_text(EXECUTORS[name])
    assert check_executor("my.yml").errors == []
    assert type(Executor.load_config("my.yml")) is DocumentedExecutor


def test_what_executors_say_is_what_they_get(tmp_path: Path) -> None:
    e: Any = Executor.load_config(EXECUTORS["references"])
    assert (e.foo, e.bar) == ("q", 7)
    assert e.metas.workspace == str(tmp_path / "q" / "w")
    assert sorted(Executor.load_config(EXECUTORS["four sections"]).requests) == [
        "/default",
        "/random_work",
    ]
    hub: Any = Executor.load_config(EXECUTORS["a hub template"])
    assert (hub.foo, hub.metas.keywords) == ("test", ["a", "b"])
