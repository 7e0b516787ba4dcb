"""Key files: what is written, what is accepted, and what is said of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jina.excepts import BadKeys
from jina.transport.keys import AllowList, gateway_key, make_key, own_key
from tests.polling import wait_until


def test_a_key_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", "laptop", "client")
    assert (tmp_path / "keys" / "laptop.key").stat().st_mode & 0o777 == 0o600
    assert key.secret.decode() not in (tmp_path / "keys" / "laptop.pub").read_text()
    assert own_key(tmp_path / "keys", "client") == key


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    make_key(tmp_path, "laptop", "client")
    before = (tmp_path / "laptop.key").read_text()
    with pytest.raises(BadKeys, match="there is such a key already"):
        make_key(tmp_path, "laptop", "worker")
    assert (tmp_path / "laptop.key").read_text() == before


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "x" * 65])
def test_names_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadKeys, match="cannot be the name of a key"):
        make_key(tmp_path, name, "client")
    assert not list(tmp_path.iterdir())


def test_a_secret_that_others_can_read_is_refused_and_that_of_a_group_is_not(
    tmp_path: Path,
) -> None:
    make_key(tmp_path, "laptop", "client")
    path = tmp_path / "laptop.key"
    path.chmod(0o640)  # as Kubernetes mounts secrets
    assert own_key(tmp_path, "client").name == "laptop"
    path.chmod(0o644)
    with pytest.raises(BadKeys) as caught:
        own_key(tmp_path, "client")
    assert str(caught.value) == (f"{path}: others can read this secret key\nhelp: chmod 600 {path}")


def test_which_key_is_ones_own(tmp_path: Path) -> None:
    with pytest.raises(BadKeys, match="no such folder"):
        own_key(tmp_path / "none", "client")
    make_key(tmp_path, "gateway", "gateway")
    with pytest.raises(BadKeys, match="no key of a client or worker"):
        own_key(tmp_path, "client", "worker")
    make_key(tmp_path, "gpu", "worker")
    assert own_key(tmp_path, "client", "worker").name == "gpu"
    assert gateway_key(tmp_path).name == "gateway"
    make_key(tmp_path, "laptop", "client")
    with pytest.raises(BadKeys, match=r"several keys of a client or worker: gpu.key, laptop.key"):
        own_key(tmp_path, "client", "worker")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no role"),
        ("role: clint\npublic: x\n", "did you mean 'client'?"),
        ("role: client\n", "no public key of 40 characters"),
        ("role: client\npublic: short\n", "no public key of 40 characters"),
        ("hello\n", "not a line of a key: 'hello'"),
        ("\0\xff", "not a line of a key"),
    ],
)
def test_files_that_are_no_keys(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.pub").write_text(text)
    with pytest.raises(BadKeys) as caught:
        gateway_key(tmp_path)
    assert words in str(caught.value)
    assert f"{tmp_path}/x.pub" in str(caught.value)


def test_the_list_follows_its_folder(tmp_path: Path) -> None:
    make_key(tmp_path, "gateway", "gateway")
    first = make_key(tmp_path, "first", "client")
    allowed = AllowList(tmp_path)
    assert allowed.of(first.public) == first._replace(secret=b"")
    assert allowed.of(make_key(tmp_path / "elsewhere", "x", "client").public) is None
    second = make_key(tmp_path, "second", "worker")
    wait_until(lambda: allowed.of(second.public))
    os.remove(tmp_path / "first.pub")
    wait_until(lambda: allowed.of(first.public) is None)
    assert allowed.of(second.public)


def test_a_damaged_file_concerns_no_other_and_is_told_once(tmp_path: Path) -> None:
    first, second = (make_key(tmp_path, name, "client") for name in ("first", "second"))
    allowed = AllowList(tmp_path)
    assert allowed.news == []
    damaged = tmp_path / "damaged.pub"
    damaged.write_text("role: client\n")
    told = f"keys: {damaged}: no public key of 40 characters; this key is not let in"
    wait_until(lambda: allowed.of(first.public) and allowed.news)
    (tmp_path / "second.pub").unlink()  # whatever else there is, who is removed is not let in
    wait_until(lambda: allowed.of(second.public) is None)
    assert allowed.of(first.public)
    assert allowed.news == [told, "keys: second.pub was removed"]
    allowed.news.clear()
    damaged.unlink()
    make_key(tmp_path, "third", "client")
    wait_until(lambda: allowed.of(first.public) and allowed.news)
    assert allowed.news == ["keys: third.pub was added"]
