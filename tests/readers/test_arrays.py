"""Numpy's arrays: a row is a Document, nothing is unpickled, rows before damage are read."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.readers import LineSource, ReadOptions
from jina.readers.inputs import find_inputs
from jina.readers.rows import Rows
from jina.wire.body import write_body
from tests.readers.drained import read, refusal


def saved(tmp_path: Path, array: Any, name: str = "a.npy") -> Path:
    path = tmp_path / name
    file = io.BytesIO()
    np.save(file, array)
    path.write_bytes(gzip.compress(file.getvalue()) if name.endswith(".gz") else file.getvalue())
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npy.gz"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_become_blobs_with_their_own_dtype(tmp_path: Path, name: str, order: str) -> None:
    array = np.asarray(np.arange(24).reshape(4, 3, 2), dtype="<i2", order=order)  # type: ignore[call-overload]  # one of two
    found = read(saved(tmp_path, array, name), max_lines=3)
    assert [doc.blob.tolist() for doc in found.docs] == array.tolist()
    assert {doc.blob.dtype.str for doc in found.docs} == {"<i2"}
    assert [doc.id.rpartition("-")[2] for doc in found.docs] == ["1", "2", "3", "4"]
    found.docs[0].blob[0, 0] = 7  # writable, and not the file's


def test_large_rows_are_sent_from_where_they_were_read(tmp_path: Path) -> None:
    array = np.arange(120_000, dtype="f4").reshape(6, 20_000)
    options = ReadOptions("auto", {}, "auto")
    inputs = find_inputs([str(saved(tmp_path, array))], stdin_fd=0, options=options)
    with LineSource(inputs, stdin_fd=0, options=options) as source:
        rows = source.next_chunk(max_lines=4, max_bytes=1 << 20)
    assert isinstance(rows, Rows)
    frames = [write_body(rows.docs, None, None)[1] for _ in range(2)]
    first, second = (np.frombuffer(each[1], "f4") for each in frames)
    assert np.shares_memory(first, second)
    assert np.array_equal(first.reshape(4, -1), array[:4])
    rows.docs[0].blob[:] = 7  # that of the user, and not what is on its way
    assert np.array_equal(first.reshape(4, -1), array[:4])


def test_rows_become_embeddings_when_told_so(tmp_path: Path) -> None:
    path = saved(tmp_path, np.eye(2, dtype=">f4"))
    docs = read(path, resolver={"blob": "embedding"}).docs
    assert [doc.embedding.tolist() for doc in docs] == [[1, 0], [0, 1]]
    assert docs[0].embedding.dtype.str == "<f4"


def test_rows_of_a_vector_are_tensors_without_dimension(tmp_path: Path) -> None:
    docs = read(saved(tmp_path, np.array([1.5, 2.5], "f4"))).docs
    assert [(doc.blob.shape, doc.blob.dtype.str, float(doc.blob)) for doc in docs] == [
        ((), "<f4", 1.5),
        ((), "<f4", 2.5),
    ]


def test_a_row_that_no_line_can_hold_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    half = "\ud800"
    np.savez(
        path,
        id=np.array(["a", "b", "c", half, "e"]),
        text=np.array(["1", half, "3", "4", "5"]),
        score=np.array([0.5, 0.5, np.nan, 0.5, 0.5]),
    )
    found = read(path)
    assert found.texts == ["1", "5"]
    assert found.places == [1, 2, 3]
    assert [message.partition(" of Document")[0] for message in found.failures] == [
        f"{path}: row 2: `text`",
        f"{path}: row 3: `tags.score` is NaN, which JSON cannot represent",
        f"{path}: row 4: `id`",
    ]


def test_arrays_of_an_archive_stand_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(
        path, vectors=np.eye(2, dtype="f4"), id=np.array(["x", "y"]), n=np.array([3, 4])
    )
    docs = read(path, resolver={"vectors": "embedding"}).docs
    assert [(doc.id, doc.embedding.tolist(), doc.tags) for doc in docs] == [
        ("x", [1, 0], {"n": 3}),
        ("y", [0, 1], {"n": 4}),
    ]
    assert docs[0].embedding.dtype.str == "<f4"
    assert refusal(path) == (
        f'{path}: the array "vectors" has rows of numbers, and no field has this name\n'
        "help: --field-resolver vectors=embedding"
    )


def test_the_only_array_of_an_archive_is_the_blob(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, np.arange(2))
    assert [int(doc.blob) for doc in read(path).docs] == [0, 1]
    packed = tmp_path / "b.npz.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [int(doc.blob) for doc in read(packed).docs] == [0, 1]


def test_objects_are_refused_and_never_unpickled(tmp_path: Path) -> None:
    path = saved(tmp_path, np.array([{}, []], dtype=object))
    assert refusal(path) == (
        f"{path}: an array of objects, which only pickle can read, and jina never uses pickle\n"
        "help: save numbers: numpy.save(path, array.astype('float32'))"
    )
    archive = tmp_path / "a.npz"
    np.savez(archive, a=np.array([{}], dtype=object))
    assert refusal(archive).startswith(f"{archive}: a: an array of objects")


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array(["a"]), "an array of <U1, which Documents cannot hold"),
        (np.zeros(2, dtype="M8[s]"), "an array of datetime64[s], which Documents cannot hold"),
        (
            np.zeros(2, dtype=[("a", "f4")]),
            "an array with several values per element",
        ),
        (
            np.zeros(2, np.longdouble),
            f"an array of {np.dtype(np.longdouble)}, which Documents cannot hold",
        ),
        (np.zeros((1,) * 17), "an array of 17 dimensions, more than 16"),
        (np.float32(1), "an array without dimensions has no rows"),
    ],
)
def test_what_has_no_rows_of_numbers_is_refused(tmp_path: Path, array: Any, expected: str) -> None:
    path = saved(tmp_path, array)
    assert refusal(path) == f"{path}: {expected}"


@pytest.mark.parametrize("name", ["a.npy", "a.npy.gz"])
def test_rows_before_a_cut_are_read(tmp_path: Path, name: str) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3000, dtype="f4").reshape(1000, 3))
    cut = file.getvalue()[: 128 + 12 * 500 + 5]
    path = tmp_path / name
    path.write_bytes(gzip.compress(cut) if name.endswith(".gz") else cut)
    found = read(path)
    assert [doc.blob.tolist() for doc in found.docs[-1:]] == [[1497, 1498, 1499]]
    assert len(found.docs) == 500
    assert found.broken.startswith(f"{path}: the array is damaged: ")
    assert found.broken.endswith("help: the rows before it were read")


def test_a_packed_array_that_is_cut_keeps_its_rows(tmp_path: Path) -> None:
    path = saved(tmp_path, np.random.default_rng(1).random((4000, 8)), "a.npy.gz")
    path.write_bytes(path.read_bytes()[:150_000])
    found = read(path)
    assert 1000 < len(found.docs) < 4000
    assert found.broken.startswith(f"{path}: the array is damaged: ")


@pytest.mark.parametrize("name", ["a.npy", "a.npy.gz"])
def test_bytes_behind_the_array_are_said(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, np.eye(2), name)
    more = gzip.compress(b"more") if name.endswith(".gz") else b"more"
    path.write_bytes(path.read_bytes() + more)
    found = read(path)
    assert len(found.docs) == 2
    assert found.broken.startswith(
        f"{path}: the array is damaged: the file contains more data after it"
    )


@pytest.mark.parametrize(
    "data", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4'}\n"]
)
def test_a_damaged_head_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path}: not a valid .npy file: ")


def test_a_head_that_promises_too_much_allocates_nothing(tmp_path: Path) -> None:
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3)}"
    head += b" " * (118 - len(head) - 1) + b"\n"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + b"\0" * 24)
    found = read(path)
    assert len(found.docs) == 1
    assert "the array is damaged" in found.broken
    packed = tmp_path / "b.npy.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read(packed).docs) == 1


def test_an_archive_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK no")
    assert refusal(path) == f"{path}: not a valid .npz file: File is not a zip file"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert refusal(path) == f"{path}: it contains no array"


def test_arrays_of_different_length_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, blob=np.zeros(2), n=np.zeros(3))
    assert refusal(path) == f"{path}: its arrays have different numbers of rows: blob 2, n 3"


def test_a_name_that_no_array_has_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, np.eye(2))
    assert refusal(path, resolver={"x": "embedding"}) == (
        f'{path}: there is no array "x"\nhelp: the arrays are: blob'
    )


@given(
    st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1", "<c8", ">f8"]),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from("CF"),
    st.sampled_from(["a.npy", "a.npy.gz", "a.npz"]),
    st.integers(1, 5),
    st.integers(1, 100),
)
def test_any_array_comes_back_in_any_runs(
    tmp_path_factory: pytest.TempPathFactory,
    dtype: str,
    shape: list[int],
    order: str,
    name: str,
    most: int,
    most_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("arrays")
    numbers = np.arange(np.prod(shape)).reshape(shape)
    array = np.asarray(numbers, dtype=dtype, order=order)  # type: ignore[call-overload]  # of two
    path = folder / name
    if name == "a.npz":
        np.savez(path, blob=array)
    else:
        saved(folder, array, name)
    found = read(path, max_lines=most, max_bytes=most_bytes)
    assert not found.broken
    assert np.array_equal(np.stack([doc.blob for doc in found.docs]), array)
    assert found.docs[0].blob.dtype == array.dtype.newbyteorder("<")
