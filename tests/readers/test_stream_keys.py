"""Stream keys: the same for the same content, different otherwise."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from jina.defaults import MIB
from jina.readers.stream_keys import file_key, random_key


def key_of(path: Path, seen: set[str] | None = None) -> str:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return file_key(descriptor, set() if seen is None else seen)
    finally:
        os.close(descriptor)


def test_a_key_is_sixteen_hex_digits_of_the_content_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same\n")
    (tmp_path / "b").write_bytes(b"same\n")
    key = key_of(tmp_path / "a")
    assert key == key_of(tmp_path / "b")
    assert len(key) == 16
    assert int(key, 16) >= 0


@pytest.mark.parametrize("size", [0, 1, MIB // 2, MIB, 3 * MIB])
def test_the_key_of_any_size_is_sha256(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    whole = size.to_bytes(8, "little") + content[:MIB] + content[max(0, size - MIB) :][:MIB]
    assert key_of(tmp_path / "a") == sha256(whole).hexdigest()[:16]


def test_size_first_and_last_mebibyte_count(tmp_path: Path) -> None:
    path = tmp_path / "data"
    content = bytearray(3 * MIB)
    keys = set()
    for place in (None, 0, 3 * MIB - 1):
        if place is not None:
            content[place] ^= 1
        path.write_bytes(content)
        keys.add(key_of(path))
    path.write_bytes(content + b"\0")
    keys.add(key_of(path))
    assert len(keys) == 4


def test_a_second_file_of_the_same_content_gets_its_own_key_at_every_run(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same\n")

    def run() -> list[str]:
        seen: set[str] = set()
        return [key_of(tmp_path / "a", seen) for _ in range(3)]

    assert len(set(run())) == 3
    assert run() == run()


def test_taking_a_key_leaves_the_position_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"line\n")
    with (tmp_path / "a").open("rb") as file:
        file_key(file.fileno(), set())
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def test_random_keys_differ() -> None:
    assert len(random_key()) == 16
    assert random_key() != random_key()
