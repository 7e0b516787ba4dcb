"""Documents with fixed ids and contents, in each form that outlives a version: files and pickles.

`write` makes them all. `tests/data/kept` has them as an earlier version made them, and
`tests/test_kept_formats.py` compares.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from jina import Document, DocumentArray, DocumentArrayMemmap
from jina.types.score import NamedScore, Scores

PROTOCOL = 5  # of the pickles; it is part of the bytes


class Note(Document):
    """A Document with an attribute of its own."""


class SlottedNote(Document):
    """A Document with a slot of its own."""

    __slots__ = ("author",)


class Notes(DocumentArray):
    """An array with an attribute of its own."""


def full() -> Document:
    """A Document that uses every kind of field."""
    doc = Document(
        id="full",
        text="a text",
        weight=0.5,
        tags={"n": 1, "x": 1.5, "yes": True, "none": None, "list": [1, "two", {"three": 3}]},
        embedding=np.arange(4, dtype=np.float32),
        modality="text",
        location=[1, 2],
        chunks=[
            Document(id="chunk-1", text="a"),
            Document(id="chunk-2", blob=np.arange(6, dtype=np.uint8).reshape(2, 3)),
        ],
        matches=[Document(id="match", buffer=b"\x00\x01", mime_type="image/png")],
    )
    doc.scores["cosine"] = score()
    doc.evaluations["precision"] = 0.25
    return doc


def plain(count: int = 3) -> list[Document]:
    """Short texts, as most Documents are."""
    return [Document(id=f"d{n}", text=f"text {n}", tags={"n": n}) for n in range(count)]


def score() -> NamedScore:
    """A score with all its words and an operand."""
    return NamedScore(0.75, "cosine", "how near", "query", [NamedScore(0.5, "euclidean")])


def note() -> Note:
    doc = Note(id="note", text="kept")
    doc.author = "me"
    return doc


def slotted() -> SlottedNote:
    doc = SlottedNote(id="slotted", text="kept")
    doc.author = "me"
    return doc


def notes() -> Notes:
    docs = Notes([note(), *plain(1)])
    docs.topic = "kept"
    return docs


def scores() -> Scores:
    found = Scores()
    found["cosine"] = score()
    found["plain"] = 2
    return found


PICKLED: dict[str, Callable[[], Any]] = {
    "document": full,
    "plain": lambda: plain(1)[0],
    "array": lambda: DocumentArray([full(), *plain()]),
    "chunks": lambda: full().chunks,
    "matches": lambda: full().matches,
    "note": note,
    "slotted": slotted,
    "notes": notes,
    "named_score": score,
    "scores": scores,
}
"""What is pickled, by the name of its file."""


def array() -> DocumentArray:
    """What is saved in files."""
    return DocumentArray([full(), *plain(), Document(id="empty")])


def write_files(folder: Path) -> None:
    """Write an array in every form that is no pickle."""
    docs = array()
    (folder / "document.jdoc").write_bytes(full().binary_str())
    (folder / "document.json").write_text(full().json() + "\n")
    docs.save_binary(folder / "array.jdafile")
    docs.save_json(folder / "array.jsonl")
    with DocumentArrayMemmap(folder / "memmap") as kept:
        kept.extend(docs)
        kept[1] = Document(id="d0", text="written anew")
        del kept[2]


def files(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by their paths within it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def made() -> dict[str, bytes]:
    """Every form, as the jina that is installed makes it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        found = files(folder)
    pickles = {f"{name}.pickle": pickle.dumps(make(), PROTOCOL) for name, make in PICKLED.items()}
    return found | pickles


def write(folder: Path) -> None:
    """Write every form into a folder."""
    for name, data in made().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
