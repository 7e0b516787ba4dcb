"""A project with a bit of everything that is exported."""

from __future__ import annotations

from pathlib import Path

from jinacli.flow.export import Export, export_compose, export_dockerfile, export_kubernetes
from jinacli.flow.given import Given

FLOW = """\
jtype: Flow
version: '1'
name: search
with:
  env: {REGION: "$$(eu)", API_TOKEN: top-secret}
http: {title: Search, timeout: 30s, coalesce_ms: 2}
executors:
  - name: encoder
    uses: encoder/config.yml
    uses_with: {words: words.txt}
    replicas: 3
    threads: 2
    retries: {times: 2, on: [OSError]}
    env: {CUDA_VISIBLE_DEVICES: RR}
  - name: pictures
    uses: {jtype: Shout, py_modules: encoder/shout.py}
    needs: gateway
    timeout: 2000
  - name: joiner
    method: needs
    needs: [encoder, pictures]
  - name: indexer
    uses: {jtype: Store, py_modules: store.py}
    shards: 2
    replicas: 2
    polling: {/index: ANY, /search: ALL}
    stop_grace_period: 20000
    uses_after: {jtype: Best, py_modules: store.py}
"""
FILES = {
    "flow.yml": FLOW,
    "encoder/config.yml": (
        "jtype: Shout\nwith: {times: 2}\nmetas: {py_modules: shout.py}\nenv: {LANGUAGE: en}\n"
    ),
    "encoder/shout.py": """\
from louder import louder

from jina import Executor, requests


class Shout(Executor):
    def __init__(self, times=1, words="", **kwargs):
        super().__init__(**kwargs)
        self.times = times

    @requests
    def shout(self, docs, **kwargs):
        for doc in docs:
            doc.text = louder(doc.text or "") * self.times
""",
    "encoder/louder.py": "def louder(text):\n    return text.upper()\n",
    "encoder/words.txt": "  one\ntwo\t\n\n",
    "encoder/requirements.txt": "tinydb==4.8\n",
    "store.py": """\
import os

from jina import Executor, requests


class Store(Executor):
    @requests(on="/index")
    def index(self, docs, **kwargs):
        os.makedirs(self.workspace, exist_ok=True)
        with open(os.path.join(self.workspace, "texts"), "a") as file:
            file.writelines(f"{doc.text}\\n" for doc in docs)

    @requests(on="/search")
    def search(self, docs, **kwargs):
        with open(os.path.join(self.workspace, "texts")) as file:
            texts = file.read().split()
        for doc in docs:
            doc.tags["known"] = doc.text in texts


class Best(Executor):
    @requests(on="/search")
    def best(self, docs_matrix, **kwargs):
        for n, doc in enumerate(docs_matrix[0]):
            doc.tags["known"] = any(docs[n].tags["known"] for docs in docs_matrix)
        return docs_matrix[0]
""",
}


def write(folder: Path, **changed: str) -> Path:
    """Write the project; `changed` replaces files by name, without the ending. Returns the YAML."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.stem, text))
    return folder / "flow.yml"


def kubernetes(file: Path, output: Path, image: str = "jina:1", **how: object) -> int:
    """As `jina flow export kubernetes`."""
    return export_kubernetes(Given(file), Export(output, (image,), **how))  # type: ignore[arg-type]


def compose(file: Path, output: Path, image: str = "jina:1", **how: object) -> int:
    """As `jina flow export compose`."""
    return export_compose(Given(file), Export(output, (image,), **how))  # type: ignore[arg-type]


def dockerfile(file: Path, output: Path) -> int:
    """As `jina flow export dockerfile`."""
    return export_dockerfile(Given(file), Export(output, may_be_empty=True))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
