"""An array on disk is a list that survives its process."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina import Document, DocumentArray
from jina.excepts import BadDocType, DocumentError
from jina.types.arrays.memmap import DocumentArrayMemmap
from tests.records.strategies import documents


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "docs"


def filled(folder, *ids, **options):
    docs = DocumentArrayMemmap(folder, **options)
    docs.extend(Document(id=name, text=name.upper(), embedding=[1.0, 2.0]) for name in ids)
    return docs


def ids(docs):
    return docs.get_attributes("id")


def test_what_was_appended_is_there_when_it_is_opened_again(folder):
    with filled(folder, "a", "b") as docs:
        docs.append(Document(id="c", tags={"x": 1}, chunks=[Document(id="d")]))
    with DocumentArrayMemmap(folder) as docs:
        assert ids(docs) == ["a", "b", "c"]
        assert docs["c"].tags == {"x": 1}
        assert docs[-1].chunks[0].id == "d"
        assert docs[0] is docs["a"]
        assert ids(docs[1:]) == ["b", "c"]
        assert "z" not in docs


def test_changes_of_documents_are_written_when_they_leave_and_at_the_end(folder):
    with filled(folder, *"abcdef", buffer_pool_size=2) as docs:
        for doc in docs:
            doc.text = doc.text.lower()
        kept = docs["c"]
        list(docs)
        assert docs["c"] is kept
        kept.weight = 0.5
    with DocumentArrayMemmap(folder) as docs:
        assert docs.texts == list("abcdef")
        assert docs["c"].weight == 0.5


def test_what_is_changed_in_a_held_document_that_has_left_the_pool_is_written(folder):
    with filled(folder, *"abc", buffer_pool_size=1) as docs:
        kept = docs["a"]
        list(docs)
        kept.weight = 0.5
    with DocumentArrayMemmap(folder) as docs:
        assert docs["a"].weight == 0.5


def test_it_changes_as_a_list_does(folder):
    with filled(folder, "a", "b", "c") as docs:
        model = ["a", "b", "c"]
        for deed in (
            lambda x, make: x.insert(1, make("n")),
            lambda x, make: x.__setitem__(0, make("s")),
            lambda x, make: x.__delitem__(2),
            lambda x, make: x.append(make("p")),
            lambda x, make: x.reverse(),
            lambda x, make: x.pop(0),
            lambda x, make: x.__delitem__(slice(0, 1)),
        ):
            deed(docs, lambda name: Document(id=name))
            deed(model, str)
            assert ids(docs) == model
            assert all(docs[name].id == name for name in model)
        docs.sort(key=lambda doc: doc.id, reverse=True)
        assert ids(docs) == sorted(model, reverse=True)
        docs[0].id = "renamed"
        assert docs["renamed"] is docs[0]
        docs.clear()
        assert not docs
        for wrong in (0, 1.5):
            with pytest.raises(IndexError):
                docs[wrong]
        with pytest.raises(KeyError):
            docs["a"]


def test_it_searches_and_selects_as_an_array_does(folder):
    with filled(folder, "a", "b", "c") as docs:
        docs.embeddings = np.eye(3)
        queries = DocumentArray([Document(embedding=[0, 1.0, 0.1])])
        queries.match(docs, batch_size=2, limit=2)
        assert ids(queries[0].matches) == ["b", "c"]
        docs.match(queries, limit=1)
        assert [len(doc.matches) for doc in docs] == [1, 1, 1]
        assert len(docs.traverse_flat("r,m")) == 6
        assert len(docs.sample(2)) == 2
        assert [len(part) for part in docs.batch(2)] == [2, 1]
        assert str(docs).startswith("DocumentArray has 3 items:\n{'id': 'a'")


def test_prune_gives_back_what_was_replaced(folder):
    with filled(folder, "a", "b") as docs:
        for _ in range(5):
            docs[0] = Document(id="a", text="x" * 1000)
        before = docs.physical_size
        docs.prune()
        assert docs.physical_size < before / 3
        assert docs.texts == ["x" * 1000, "B"]
        assert sorted(path.name for path in folder.iterdir()) == ["log.1", "table"]
    with DocumentArrayMemmap(folder) as docs:
        assert ids(docs) == ["a", "b"]


def test_another_process_sees_what_was_written_after_reload(folder):
    with filled(folder, "a") as docs, DocumentArrayMemmap(folder) as other:
        docs.append(Document(id="b"))
        other.reload()
        assert ids(other) == ["a", "b"]


KILLED = """
import sys
from jina import Document
from jina.types.arrays.memmap import DocumentArrayMemmap
docs = DocumentArrayMemmap(sys.argv[1])
number = 0
while True:
    docs.append(Document(id=str(number), text="x" * 100))
    print(number, flush=True)
    number += 1
"""


def test_a_killed_process_loses_nothing_that_was_acknowledged(folder):
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True
    )
    with child:
        for line in child.stdout:
            if int(line) == 50:
                child.send_signal(signal.SIGKILL)
                break
        told = [50, *(int(line) for line in child.stdout if line.endswith("\n"))]
    with DocumentArrayMemmap(folder) as docs:
        assert len(docs) >= told[-1] + 1
        assert ids(docs) == [str(number) for number in range(len(docs))]
        docs.append(Document(id="after"))
        assert docs[-1].id == "after"


def test_half_an_entry_is_ignored_and_written_over(folder):
    filled(folder, "a", "b").close()
    os.truncate(folder / "table", (folder / "table").stat().st_size - 5)
    with DocumentArrayMemmap(folder) as docs:
        assert ids(docs) == ["a"]
        docs.append(Document(id="c"))
    with DocumentArrayMemmap(folder) as docs:
        assert ids(docs) == ["a", "c"]


def test_damage_is_named_with_its_offset(folder):
    filled(folder, "a", "b").close()
    log = folder / "log.0"
    data = bytearray(log.read_bytes())
    data[-1] ^= 1
    log.write_bytes(data)
    docs = DocumentArrayMemmap(folder)
    assert docs[0].id == "a"
    with pytest.raises(DocumentError, match=r"log\.0: byte \d+: these bytes are not a Document"):
        docs[1]
    docs.close()
    table = folder / "table"
    data = bytearray(table.read_bytes())
    data[50] ^= 1
    table.write_bytes(data)
    docs = DocumentArrayMemmap(folder)
    assert docs[0].id == "a"
    with pytest.raises(DocumentError, match=r"table: byte 48: a damaged entry"):
        docs[1]
    docs.close()
    table.write_bytes(b"something else")
    with pytest.raises(DocumentError, match="table: byte 0: this is not a table"):
        DocumentArrayMemmap(folder)


def test_lists_masks_and_slices_select_as_in_memory(folder):
    with filled(folder, *"abcde") as docs:
        assert docs[[0, -1]].get_attributes("id") == ["a", "e"]
        assert docs[["b", 3]].get_attributes("id") == ["b", "d"]
        assert docs[np.array([True, False] * 2 + [True])].get_attributes("id") == ["a", "c", "e"]
        docs[1:3] = [Document(id="x"), Document(id="y")]
        with pytest.raises(DocumentError, match="cannot replace 2 Documents with 1"):
            docs[1:3] = [Document()]
        del docs[["x", -1]]
        more = DocumentArray([Document(id="z")])
        assert (docs + more).get_attributes("id") == ["a", "y", "d", "z"]
        for key in (1.5, None, [True], [9], b"a"):
            with pytest.raises(IndexError):
                docs[key]
    with DocumentArrayMemmap(folder) as docs:
        assert [doc.id for doc in docs] == ["a", "y", "d"]


def test_it_equals_an_array_of_the_same_documents(folder):
    with filled(folder, "a", "b") as docs:
        assert docs == DocumentArray(docs)
        assert DocumentArray(docs) == docs
        assert docs != DocumentArray(docs)[:1]
        assert docs != [1]


def test_no_copy_writes_into_the_same_folder(folder):
    with filled(folder, "a") as docs:
        for way in (copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="an array on disk cannot be copied"):
                way(docs)
        docs[0].text = "changed"
        with pickle.loads(pickle.dumps(docs)) as other:
            assert other[0].text == "changed"
        docs.append(Document(id="b"))
        assert docs["b"].id == "b", "the other one has closed its own files"


def test_a_closed_array_says_so(folder):
    docs = filled(folder, "a")
    docs.close()
    docs.close()
    for call in (
        lambda: docs[0],
        lambda: docs["a"],
        lambda: docs.append(Document()),
        docs.pop,
        docs.save,
        docs.reverse,
        lambda: list(docs),
    ):
        with pytest.raises(DocumentError, match="this array is closed"):
            call()
    docs.reload()
    assert docs[0].id == "a"
    docs.close()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DocumentError, match="file: this is not a folder"):
        DocumentArrayMemmap(tmp_path / "file")


def test_a_table_that_became_shorter_is_named(folder):
    with filled(folder, "a", "b") as docs:
        os.truncate(folder / "table", 20)
        docs._forget()
        with pytest.raises(DocumentError, match=r"table: byte \d+: the table ends before"):
            docs[1]
        docs._forget()


@settings(max_examples=60, deadline=None)
@given(st.lists(documents, max_size=4))
def test_every_document_survives_the_disk(docs):
    with TemporaryDirectory() as folder:
        with DocumentArrayMemmap(folder) as kept:
            kept.extend(docs)
        with DocumentArrayMemmap(folder) as kept:
            assert DocumentArray(kept) == DocumentArray(docs)
            kept.prune()
        with DocumentArrayMemmap(folder, buffer_pool_size=1) as kept:
            assert DocumentArray(kept) == DocumentArray(docs)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_what_lies_before_a_cut_or_a_flip_is_readable(data):
    """However much of the last writes is missing, as after a crash of the machine."""
    names = [str(number) for number in range(4)]
    with TemporaryDirectory() as folder:
        filled(folder, *names).close()
        path = Path(folder, data.draw(st.sampled_from(["table", "log.0"])))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(16, len(content) - 1))
        whole = (at - 16) // 32 if path.name == "table" else at * len(names) // len(content)
        if data.draw(st.booleans()):
            del content[at:]
        else:
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        docs = DocumentArrayMemmap(folder)
        read = []
        error = ""
        try:
            for doc in docs:
                read.append(doc.id)
        except DocumentError as err:
            error = str(err)
        assert read == names[: len(read)]
        assert len(read) >= whole
        if error:
            assert f"{path.name}: byte " in error
        else:
            assert len(read) == len(docs)
        with suppress(DocumentError):
            docs.close()


def test_it_opens_in_constant_time(tmp_path):
    """Whatever it holds: what is read of it at its opening is the head of its table."""
    counts = []
    for number in (1, 20_000):
        folder = tmp_path / str(number)
        with DocumentArrayMemmap(folder) as docs:
            docs.extend(Document(id=str(i)) for i in range(number))
        before = Path("/proc/self/io").read_text().split()
        docs = DocumentArrayMemmap(folder)
        after = Path("/proc/self/io").read_text().split()
        assert len(docs) == number
        counts.append(int(after[1]) - int(before[1]))
        docs.close()
    assert counts[1] - counts[0] < 100


LARGER = """
import resource, sys
from jina import Document
from jina.types.arrays.memmap import DocumentArrayMemmap
import numpy as np
docs = DocumentArrayMemmap(sys.argv[1], buffer_pool_size=10)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
for number in range(150):
    docs.append(Document(id=str(number), blob=np.full(1 << 20, number % 251, np.uint8)))
docs[0].text = "first"
assert sum(int(doc.blob[5]) for doc in docs[:0]) == 0
total = 0
for doc in docs:
    total += int(doc.blob[5]) if doc.blob is not None else 0
print(len(docs), total, docs["149"].id)
"""


def test_it_may_be_larger_than_memory(folder):
    """150 MiB of Documents in a process that may have 64."""
    told = subprocess.run(
        [sys.executable, "-c", LARGER, str(folder)], capture_output=True, text=True, check=False
    )
    assert told.stdout.split() == ["150", str(sum(range(150))), "149"], told.stderr


def test_the_array_on_disk_takes_documents_only(tmp_path):
    with DocumentArrayMemmap(tmp_path / "docs") as docs:
        with pytest.raises(BadDocType, match="an int is not a Document"):
            docs.append(5)
        with pytest.raises(BadDocType, match="a Document where several"):
            docs.extend(Document())
        with pytest.raises(TypeError, match="not a Document"):
            Document() in docs  # noqa: B015 - to see what it raises
        assert len(docs) == 0
