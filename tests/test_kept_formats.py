"""What an earlier version wrote is read, and what is written is byte for byte the same.

`tests/data/kept` was made by `tests.kept.write` before the records had a room of their own. A
form that is meant to change gets new files there, and the old ones stay to be read.
"""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

from jina import Document, DocumentArray, DocumentArrayMemmap
from tests import kept

OLD = Path(__file__).parent / "data" / "kept"
NEW = kept.made()


def test_every_form_is_kept() -> None:
    assert set(kept.files(OLD)) == set(NEW)


@pytest.mark.parametrize("name", list(NEW))
def test_the_bytes_are_those_of_the_earlier_version(name: str) -> None:
    assert NEW[name] == (OLD / name).read_bytes()


@pytest.mark.parametrize("name", list(kept.PICKLED))
def test_an_earlier_pickle_loads(name: str) -> None:
    old = pickle.loads((OLD / f"{name}.pickle").read_bytes())
    new = pickle.loads(NEW[f"{name}.pickle"])
    assert type(old) is type(new)
    assert old == new == kept.PICKLED[name]()
    assert getattr(old, "__dict__", None) == getattr(new, "__dict__", None)
    assert getattr(old, "author", None) == getattr(new, "author", None)


def test_an_earlier_document_is_read() -> None:
    assert Document((OLD / "document.jdoc").read_bytes()) == kept.full()
    assert Document((OLD / "document.json").read_text()) == kept.full()


def test_earlier_files_are_read() -> None:
    assert DocumentArray.load_binary(OLD / "array.jdafile") == kept.array()
    assert DocumentArray.load_json(OLD / "array.jsonl") == kept.array()


def test_an_earlier_folder_is_opened_and_written_to(tmp_path: Path) -> None:
    folder = shutil.copytree(OLD / "memmap", tmp_path / "memmap")
    expected = kept.array()
    expected[1] = Document(id="d0", text="written anew")
    del expected[2]
    with DocumentArrayMemmap(folder) as docs:
        assert DocumentArray(docs) == expected
        docs.append(Document(id="more"))
    with DocumentArrayMemmap(folder) as docs:
        assert docs[-1].id == "more"
