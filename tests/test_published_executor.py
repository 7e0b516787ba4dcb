"""An Executor as they were published for Jina 2, and its own tests, as those were written."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina import Document, DocumentArray, DocumentArrayMemmap, Executor, Flow
from jina.excepts import PretrainedModelFileDoesNotExist
from jina.executors.metas import get_default_metas
from tests.shell import Shell

INDEXER = '''\
__copyright__ = "Copyright (c) 2021 Jina AI Limited. All rights reserved."
__license__ = "Apache-2.0"

import os
from abc import ABC, abstractmethod
from typing import Dict, Iterable, List, Optional, Tuple

import numpy as np

from jina import Document, DocumentArray, Executor, requests
from jina.enums import PollingType
from jina.excepts import ExecutorFailToLoad, PretrainedModelFileDoesNotExist
from jina.executors.decorators import requests as also_requests
from jina.helper import batch_iterator, cached_property, random_identity, random_port
from jina.logging.logger import JinaLogger
from jina.logging.predefined import default_logger
from jina.logging.profile import TimeContext
from jina.types.arrays.document import DocumentArray as Documents
from jina.types.arrays.memmap import DocumentArrayMemmap
from jina.types.document.generators import from_ndarray
from jina.records.score import NamedScore

from .helper import length


class Encoding(ABC):
    @abstractmethod
    def _encode(self, texts: List[str]) -> "np.ndarray": ...


class TextIndexer(Executor, Encoding):
    """
    Encodes texts and keeps them.

    :param index_file_name: name of the folder in the workspace
    :param default_traversal_paths: fallback traversal path
    """

    def __init__(
        self,
        index_file_name: str = "index",
        default_batch_size: int = 2,
        default_traversal_paths: Optional[List[str]] = None,
        model_path: Optional[str] = None,
        *args,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.logger = JinaLogger(getattr(self.metas, "name", self.__class__.__name__))
        if model_path and not os.path.exists(model_path):
            self.logger.error(f"{model_path} is missing")
            raise PretrainedModelFileDoesNotExist(f"The model path {model_path} does not exist.")
        self.default_batch_size = default_batch_size
        self.default_traversal_paths = default_traversal_paths or ["r"]
        self._storage = DocumentArrayMemmap(os.path.join(self.workspace, index_file_name))
        self.logger.info("pea %s is ready", getattr(self.runtime_args, "pea_id", None))

    @cached_property
    def model(self):
        return np.eye(3)

    def _encode(self, texts):
        return np.array([[length(text), 1.0, 0.0] for text in texts]) @ self.model

    @requests(on="/index")
    def index(self, docs: Optional[DocumentArray], parameters: Dict, **kwargs):
        if docs is None:
            return
        paths = parameters.get("traversal_paths", self.default_traversal_paths)
        size = int(parameters.get("batch_size", self.default_batch_size))
        with TimeContext("index", self.logger):
            for batch in batch_iterator(docs.traverse_flat(paths), size):
                texts = batch.get_attributes("text")
                for doc, embedding in zip(batch, self._encode(texts)):
                    doc.embedding = embedding
        self._storage.extend(docs)
        self.logger.success(f"{len(self._storage)} Documents are kept")

    @also_requests(on=["/search", "/query"])
    async def search(self, docs: Documents, parameters: Dict = {}, *args, **kwargs):
        for doc in docs:
            doc.embedding = self._encode([doc.text])[0]
        docs.match(self._storage, metric="euclidean", limit=int(parameters.get("top_k", 1)))
        for doc in docs:
            for match in doc.matches:
                match.scores["length"] = NamedScore(value=length(match.text), op_name="len")

    @requests(on="/fail")
    def fail(self, **kwargs):
        raise ExecutorFailToLoad(f"{random_identity()} {random_port()} {PollingType.ANY}")

    def close(self):
        default_logger.info("closed")
'''
FILES = {
    "config.yml": (
        "jtype: TextIndexer\nwith:\n  default_batch_size: 3\nmetas:\n  name: TextIndexer\n"
        "  py_modules:\n    - text_indexer/__init__.py\n"
    ),
    "text_indexer/__init__.py": "from .text_indexer import TextIndexer\n",
    "text_indexer/text_indexer.py": INDEXER,
    "text_indexer/helper.py": "def length(text):\n    return len(text)\n",
    "flow.yml": (
        "jtype: Flow\nwith:\n  workspace: $TEXT_INDEXER_WORKSPACE\n"
        "pods:\n  - name: indexer\n    uses: config.yml\n"
    ),
}


@pytest.fixture
def project(shell: Shell) -> Iterator[Path]:
    (shell.folder / "text_indexer").mkdir()
    for name, text in FILES.items():
        shell.write(name, text)
    before, path = set(sys.modules), list(sys.path)
    yield shell.folder
    for name in set(sys.modules) - before:
        if name.startswith("text_indexer"):
            del sys.modules[name]
    sys.path[:] = path


@pytest.fixture
def cls(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(project))
    return importlib.import_module("text_indexer").TextIndexer


def texts() -> DocumentArray:
    return DocumentArray([Document(text="a"), Document(text="bb"), Document(text="cccccc")])


def test_its_config_is_loaded(project: Path) -> None:
    workspace = {"workspace": str(project)}
    indexer: Any = Executor.load_config(str(project / "config.yml"), override_metas=workspace)
    assert indexer.default_batch_size == 3


def test_by_hand_with_metas_and_runtime_args(cls: Any, tmp_path: Path) -> None:
    metas = get_default_metas()
    metas["workspace"] = str(tmp_path)
    with cls(metas=metas, runtime_args={"pea_id": 0}) as indexer:
        docs = texts()
        indexer.index(docs, parameters={"batch_size": 1})
        assert np.stack(docs.get_attributes("embedding")).shape == (3, 3)
        assert len(DocumentArrayMemmap(str(tmp_path / "TextIndexer" / "0" / "index"))) == 3
        indexer.index(docs=None, parameters={})


def test_a_model_that_is_missing(cls: Any, tmp_path: Path) -> None:
    with pytest.raises(PretrainedModelFileDoesNotExist):
        cls(model_path="nowhere.bin", metas={"workspace": str(tmp_path)})


def test_in_a_flow(cls: Any, tmp_path: Path) -> None:
    uses = {"jtype": "TextIndexer", "metas": {"workspace": str(tmp_path)}}
    with Flow().add(name="indexer", uses=uses) as f:
        f.post(on="/index", inputs=texts(), parameters={"traversal_paths": ["r"]})
        results = f.post("/search", inputs=Document(text="ddd"), return_results=True)
    assert [m.text for m in results[0].docs[0].matches] == ["bb"]
    assert results[0].docs[0].matches[0].scores["length"].value == 2


def test_from_the_command_line(project: Path, shell: Shell, tmp_path: Path) -> None:
    done = shell.call("executor", "check", "config.yml")
    assert (done.code, done.err) == (0, "no problems in config.yml\n")
    shell.write("data.jsonl", "".join(json.dumps(d.dict()) + "\n" for d in texts()))
    given = ("--flow", "flow.yml", "--inputs", "data.jsonl")
    done = shell.call("post", "/index", *given, TEXT_INDEXER_WORKSPACE=str(tmp_path))
    assert (done.code, len(done.lines)) == (0, 3), done.err
    for line in (
        "INFO jina.TextIndexer: pea 0 is ready",
        "INFO jina.TextIndexer: index ...",
        "SUCCESS jina.TextIndexer: 3 Documents are kept",
        "INFO jina: closed",
    ):
        assert f"indexer/0 | {line}\n" in done.err
    done = shell.call("post", "/fail", *given, TEXT_INDEXER_WORKSPACE=str(tmp_path))
    assert done.code == 3
    assert {line["error"]["type"] for line in done.lines} == {"jina.excepts.ExecutorFailToLoad"}
