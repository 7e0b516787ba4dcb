"""An error of a method that read a field that no Document has says so; other errors stay alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from jina import Document, DocumentArray, Executor, requests
from jina.executors import empty_fields
from jina.executors.call import call, close_loop
from jina.executors.user_errors import message, short_traceback
from jina.types import codec


def value_of(doc: Document) -> float:
    return math.sqrt(doc.blob)  # type: ignore[arg-type]  # that is the mistake


class Reader(Executor):
    @requests(on="/blob")
    def blob(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.embedding = np.array([math.sqrt(doc.blob)])  # type: ignore[arg-type]

    @requests(on="/helper")
    def helper(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            doc.embedding = np.array([value_of(doc)])

    @requests(on="/listed")
    def listed(self, docs: DocumentArray, **kwargs: Any) -> None:
        blobs = [doc.blob for doc in docs]
        np.stack([blob * 2 for blob in blobs])  # type: ignore[operator]

    @requests(on="/column")
    def column(self, docs: DocumentArray, **kwargs: Any) -> None:
        sum(docs.blobs)

    @requests(on="/named")
    def named(self, docs: DocumentArray, **kwargs: Any) -> None:
        sum(docs.get_attributes("embedding"))

    @requests(on="/content")
    def content(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            len(doc.content)  # type: ignore[arg-type]

    @requests(on="/async")
    async def waits(self, docs: DocumentArray, **kwargs: Any) -> None:
        self.blob(docs)

    @requests(on="/sets")
    def sets(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            if doc.embedding is None:
                doc.embedding = np.array([1 / 0])

    @requests(on="/makes")
    def makes(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            if doc.blob is None:
                doc.load_uri_to_image_blob()

    @requests(on="/later")
    def later(self, docs: DocumentArray, **kwargs: Any) -> None:
        raise ValueError("before anything is read")
        math.sqrt(docs[0].blob)  # type: ignore[unreachable]

    @requests(on="/tells-apart")
    def tells_apart(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            value = doc.text if doc.blob is None else doc.blob
            value / 2  # type: ignore[operator]

    @requests(on="/chunks")
    def chunks(self, docs: DocumentArray, **kwargs: Any) -> None:
        for doc in docs:
            for chunk in doc.chunks:
                chunk.text.no  # type: ignore[union-attr] # noqa: B018
            math.sqrt(doc.text)  # type: ignore[arg-type]


def pictures(*more: Document) -> DocumentArray:
    return DocumentArray([Document(uri="a.png", buffer=b"x"), Document(uri="b.png"), *more])


def raised(endpoint: str, docs: DocumentArray) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any of a user's errors
        call(Reader(), endpoint, docs=docs, parameters={})
    return caught.value


NO_BLOB = "help: none of these Documents has a blob; they have a uri and a buffer"


@pytest.mark.parametrize("endpoint", ["/blob", "/helper", "/listed", "/column", "/async"])
def test_a_field_that_no_document_has_is_told_beside_the_error(endpoint: str) -> None:
    error = raised(endpoint, pictures())
    first, *rest = message(error).splitlines()
    assert first == str(error).splitlines()[0]
    assert rest[-1] == NO_BLOB
    assert short_traceback(error).rstrip().endswith(NO_BLOB)
    close_loop()


@pytest.mark.parametrize(
    ("endpoint", "docs", "text"),
    [
        ("/named", pictures(), "has an embedding; they have a uri and a buffer"),
        ("/blob", DocumentArray([Document(text="x")]), "has a blob; they have a text"),
        ("/blob", DocumentArray([Document()]), "has a blob"),
        (
            "/blob",
            codec.decode(codec.encode(DocumentArray([Document(uri="x", embedding=np.ones(2))]))),
            "has a blob; they have a uri and an embedding",
        ),
        ("/content", DocumentArray([Document(uri="x")]), "has content; they have a uri"),
    ],
)
def test_what_they_have_instead_is_told(endpoint: str, docs: DocumentArray, text: str) -> None:
    assert message(raised(endpoint, docs)).endswith(f"\nhelp: none of these Documents {text}")


@pytest.mark.parametrize(
    ("endpoint", "docs"),
    [
        ("/blob", pictures(Document(blob=np.array([-1.0])))),  # one has it
        ("/sets", pictures()),
        ("/makes", pictures()),
        ("/later", pictures()),
        ("/tells-apart", DocumentArray([Document(text="x")])),
        ("/chunks", DocumentArray([Document(chunks=[Document(text="x")])])),
    ],
)
def test_other_errors_stay_as_they_are(endpoint: str, docs: DocumentArray) -> None:
    error = raised(endpoint, docs)
    assert message(error) == str(error)
    assert not hasattr(error, "__notes__")


def test_notes_of_the_user_stay_and_an_error_raised_again_has_one_help() -> None:
    error = TypeError("of long ago")
    error.add_note("a note")
    error.add_note("help: of the user's own")

    class Again(Executor):
        @requests(on="/x")
        def x(self, docs: DocumentArray, **kwargs: Any) -> None:
            if docs[0].blob is None:
                raise error

    for docs in (pictures(), DocumentArray([Document(text="x")])):
        with pytest.raises(TypeError):
            call(Again(), "/x", docs=docs, parameters={})
    assert error.__notes__ == [
        "a note",
        "help: of the user's own",
        "help: none of these Documents has a blob; they have a text",
    ]


def test_files_are_beside_the_executor_if_they_are_in_its_folder() -> None:
    assert empty_fields._is_beside("/a/exec/parts/x.py", "/a/exec")
    assert not empty_fields._is_beside("/a/exec2/x.py", "/a/exec")
    assert not empty_fields._is_beside("/a/exec/venv/site-packages/x.py", "/a/exec")
    assert empty_fields._is_beside("<string>", "")
