"""`content_hash`: there without asking for it, as published Executors expect."""

from __future__ import annotations

from jina import Document, DocumentArray


def test_it_is_that_of_the_content_whatever_the_id() -> None:
    docs = DocumentArray(Document(id=str(n), text=text) for n, text in enumerate("aab"))
    first, second, third = docs.get_attributes("content_hash")
    assert first == second != third
    assert docs[0].get_attributes("content_hash") == first


def test_it_follows_what_the_document_holds() -> None:
    doc = Document(text="a")
    before = doc.content_hash
    doc.tags["x"] = 1
    assert doc.content_hash != before


def test_looking_at_it_sets_no_field() -> None:
    doc = Document(id="a")
    assert doc.content_hash
    assert doc.non_empty_fields == ("id",)


def test_one_that_is_stored_stays() -> None:
    doc = Document(text="a", content_hash="mine")
    doc.text = "b"
    assert doc.content_hash == "mine"
    doc.update_content_hash()
    assert doc.content_hash == Document(text="b").content_hash
    assert "content_hash" in doc.non_empty_fields


def test_hash_content_of_jina_2_changes_nothing():
    for value in (True, False):
        doc = Document(text="a", hash_content=value, id="x")
        assert doc == Document(text="a", id="x")
        assert doc.content_hash == Document(text="a").content_hash
