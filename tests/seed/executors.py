"""Executors of the cookbook's rules and worked examples, for Flows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jina import Document, DocumentArray, Executor, requests


class Bindings(Executor):
    """Each handler writes its name into the text."""

    @requests(on="/foo")
    def foo(self, docs: DocumentArray, **kwargs: Any) -> None:
        _write(docs, "foo")

    @requests(on=["/bar", "/baz"])
    def bar(self, docs: DocumentArray, **kwargs: Any) -> None:
        _write(docs, "bar")

    def undecorated(self, docs: DocumentArray, **kwargs: Any) -> None:
        _write(docs, "undecorated")


class WithDefault(Bindings):
    @requests
    def rest(self, docs: DocumentArray, **kwargs: Any) -> None:
        _write(docs, "rest")


class Lone(Executor):
    """The first example: one method, bare."""

    @requests
    def foo(self, **kwargs: Any) -> None:
        kwargs["docs"][0].tags["got"] = sorted(kwargs)


class Empty(Executor):
    """No binding at all."""

    def foo(self, docs: DocumentArray, **kwargs: Any) -> None:
        _write(docs, "foo")


class Arguments(Executor):
    """Tells what a method receives."""

    @requests(on="/arguments")
    def tell(
        self, docs: Any, parameters: Any, docs_matrix: Any, groundtruths: Any, **kwargs: Any
    ) -> DocumentArray:
        tags = {
            "docs": _texts(docs),
            "parameters": parameters,
            "kinds": {name: type(value).__name__ for name, value in parameters.items()},
            "docs_matrix": None if docs_matrix is None else [_texts(part) for part in docs_matrix],
            "groundtruths": _texts(groundtruths),
            "rest": sorted(kwargs),
            "groundtruths_matrix": kwargs["groundtruths_matrix"] is None,
        }
        return DocumentArray([Document(tags=tags)])


class Returns(Executor):
    """One endpoint for each kind of return value."""

    @requests(on="/none")
    def none(self, docs: DocumentArray, **kwargs: Any) -> None:
        _write(docs, "in place")

    @requests(on="/new")
    def new(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        return DocumentArray([Document(text="new")])

    @requests(on="/copy")
    def copy(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        _write(docs, "in place")
        return DocumentArray(docs)

    @requests(on="/list")
    def list(self, docs: DocumentArray, **kwargs: Any) -> Any:
        return [1]

    @requests(on="/nothing")
    def nothing(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        return DocumentArray()


class Downstream(Executor):
    """Stands behind `Returns` and tells what reaches it."""

    def __init__(self, file: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file

    @requests(on=["/none", "/new", "/copy", "/list"])
    def see(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.tags["seen"] = doc.text

    @requests(on="/nothing")
    def see_nothing(self, docs: Any, **kwargs: Any) -> None:
        Path(self.file).write_text(repr(docs))


class Model:
    def predict(self, images: Any) -> Any:
        return images.reshape(len(images), -1).sum(axis=1, keepdims=True)


class PNEncoder(Executor):
    """The first worked example."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = Model()

    @requests(on="/encode")
    def encode(self, docs: DocumentArray, *args: Any, **kwargs: Any) -> None:
        _blob, _docs = docs.traverse_flat(["c"]).get_attributes_with_docs("blob")
        embeds = self.model.predict(np.stack(_blob))
        for d, b in zip(_docs, embeds, strict=True):
            d.embedding = b


def get_mesh(content: bytes) -> list[dict[str, Any]]:
    """Half of the buffer each."""
    halves = (content[: len(content) // 2], content[len(content) // 2 :])
    return [
        {"blob": np.frombuffer(half, dtype=np.uint8), "tags": {"half": n}}
        for n, half in enumerate(halves)
    ]


class ConvertSegmenter(Executor):
    """The second worked example."""

    @requests(on="/segment")
    def segment(self, docs: DocumentArray, **kwargs: Any) -> None:
        for d in docs:
            d.convert_uri_to_buffer()
            d.chunks = [Document(blob=_r["blob"], tags=_r["tags"]) for _r in get_mesh(d.content)]
            d.pop("buffer", "uri")


class MyIndexer(Executor):
    """The third worked example."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._docs = DocumentArray()

    @requests(on="/index")
    def index(self, docs: DocumentArray, **kwargs: Any) -> DocumentArray:
        self._docs.extend(docs)
        return DocumentArray([Document(id=d.id) for d in docs])

    @requests(on="/kept")
    def kept(self, **kwargs: Any) -> DocumentArray:
        return self._docs


class Param(Executor):
    """The example of parameters: each instance writes down what it received."""

    def __init__(self, default_param: int = 1, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default_param = default_param

    @requests(on="/endpoint")
    def foo(self, docs: Any, parameters: dict[str, Any], **kwargs: Any) -> DocumentArray:
        tags = {self.metas.name: parameters.get("param", self.default_param)}
        for doc in docs or ():
            tags.update(doc.tags)
        tags["nested"] = "my-executor-1" in parameters
        return DocumentArray([Document(tags=tags)])


class Place(Executor):
    """Tells where and what it is, and writes a line when it is closed."""

    def __init__(self, bar: int = 0, closed: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bar = bar
        self.closed = closed
        self.inside = [self.metas.name, self.runtime_args.pea_id, "/place" in self.requests]

    @requests(on="/place")
    def place(self, **kwargs: Any) -> DocumentArray:
        tags = {
            "workspace": self.workspace,
            "name": self.metas.name,
            "inside": self.inside,
            "fields": sorted(vars(self.runtime_args)),
            "replica_id": self.runtime_args.replica_id,
        }
        return DocumentArray([Document(tags=tags)])

    def close(self) -> None:
        if self.closed:
            with Path(self.closed).open("a") as file:
                file.write("closed\n")


class Forgetful(Executor):
    """Calls super without its arguments, as several examples of the cookbook do."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()

    @requests(on="/forgetful")
    def place(self, **kwargs: Any) -> DocumentArray:
        tags = {"workspace": self.workspace, "name": self.metas.name}
        return DocumentArray([Document(tags=tags)])


def _write(docs: DocumentArray, text: str) -> None:
    for doc in docs:
        doc.text = text


def _texts(docs: Any) -> Any:
    return None if docs is None else [doc.text for doc in docs]
