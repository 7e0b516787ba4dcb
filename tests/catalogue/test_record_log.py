"""The indexer's log: what was appended is there after any kill, and damage is never passed over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from jina.excepts import ExecutorError


@pytest.fixture
def module(catalogue: Any) -> Any:
    return catalogue("VectorIndexer/record_log.py")


def payloads(module: Any, folder: Path) -> list[bytes]:
    """What a new start finds."""
    log = module.RecordLog(folder)
    found = [payload for _, payload in log.records()]
    log.close()
    return found


def filled(module: Any, folder: Path, records: list[bytes]) -> Path:
    """A closed log with these records; returns its file."""
    log = module.RecordLog(folder)
    log.append(records)
    log.close()
    return folder / "log"


def test_records_come_back_in_order_and_by_place(module: Any, tmp_path: Path) -> None:
    log = module.RecordLog(tmp_path, fsync=True)
    first = log.append([b"one", b""])
    second = log.append([b"three" * 1000])
    assert [log.read(place) for place in first + second] == [b"one", b"", b"three" * 1000]
    assert log.size_bytes == (tmp_path / "log").stat().st_size
    log.close()
    assert payloads(module, tmp_path) == [b"one", b"", b"three" * 1000]


def test_records_larger_than_one_read_come_back(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_READ_BYTES", 64)
    records = [bytes([size % 251]) * size for size in (1, 40, 63, 64, 65, 200, 0, 51, 52, 53)]
    filled(module, tmp_path, records)
    assert payloads(module, tmp_path) == records


def test_an_incomplete_last_record_is_cut_wherever_it_ends(module: Any, tmp_path: Path) -> None:
    kept = [b"kept one", b"kept two"]
    file = filled(module, tmp_path, kept)
    start = file.stat().st_size
    file = filled(module, tmp_path, [b"the last record"])
    whole = file.read_bytes()
    for end in range(start, len(whole)):
        file.write_bytes(whole[:end])
        assert payloads(module, tmp_path) == kept
        assert file.stat().st_size == start
        filled(module, tmp_path, [b"after"])
        assert payloads(module, tmp_path) == [*kept, b"after"]


def test_a_file_cut_within_its_first_bytes_is_begun_anew(module: Any, tmp_path: Path) -> None:
    for end in range(len(module.MAGIC) + 1):
        (tmp_path / "log").write_bytes(module.MAGIC[:end])
        assert payloads(module, tmp_path) == []
        filled(module, tmp_path, [b"new"])
        assert payloads(module, tmp_path) == [b"new"]


def test_zeros_after_the_end_are_cut(module: Any, tmp_path: Path) -> None:
    file = filled(module, tmp_path, [b"kept"])
    with file.open("ab") as end:
        end.write(bytes(4096))
    assert payloads(module, tmp_path) == [b"kept"]


def test_any_wrong_bit_before_the_last_record_is_refused(module: Any, tmp_path: Path) -> None:
    file = filled(module, tmp_path, [b"first", b"last"])
    whole = file.read_bytes()
    end_of_first = len(whole) - len(b"last") - 12
    for at in range(end_of_first):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        with pytest.raises(ExecutorError):
            module.RecordLog(tmp_path)
    file.write_bytes(whole)
    assert payloads(module, tmp_path) == [b"first", b"last"]


def test_damage_is_told_with_its_place(module: Any, tmp_path: Path) -> None:
    file = filled(module, tmp_path, [b"first", b"last"])
    whole = bytearray(file.read_bytes())
    whole[22] ^= 1
    file.write_bytes(whole)
    with pytest.raises(ExecutorError) as caught:
        module.RecordLog(tmp_path)
    assert str(caught.value) == (
        f"{file}: the record at byte 8 is damaged, and whole ones may follow it\n"
        "help: bring the file back from a backup, or move it away and index again"
    )


def test_a_second_opener_is_refused_and_told_who_has_it(module: Any, tmp_path: Path) -> None:
    log = module.RecordLog(tmp_path)
    with pytest.raises(ExecutorError) as caught:
        module.RecordLog(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: this index is in use by process {os.getpid()}\n"
        "help: stop that process, or give this Executor a workspace of its own"
    )
    log.close()
    log.close()
    module.RecordLog(tmp_path).close()


def test_a_rewrite_keeps_the_named_records_alone(module: Any, tmp_path: Path) -> None:
    log = module.RecordLog(tmp_path)
    places = log.append([b"a" * 100, b"b", b"c"])
    moved = log.rewrite([places[2], places[1]])
    assert [log.read(place) for place in moved] == [b"c", b"b"]
    log.append([b"d"])
    assert log.size_bytes == (tmp_path / "log").stat().st_size
    log.close()
    assert payloads(module, tmp_path) == [b"c", b"b", b"d"]


def test_a_rewrite_that_was_killed_is_forgotten(module: Any, tmp_path: Path) -> None:
    filled(module, tmp_path, [b"kept"])
    (tmp_path / "log.new").write_bytes(b"half of a rewr")
    assert payloads(module, tmp_path) == [b"kept"]
    assert not (tmp_path / "log.new").exists()


def test_an_append_that_does_not_fit_on_the_disk_leaves_nothing(
    module: Any, tmp_path: Path
) -> None:
    """The limit on the file's size stands in for a full disk: the write stops half-way."""
    script = """
        import resource, signal, sys
        sys.path.insert(0, sys.argv[1])
        from record_log import RecordLog
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        log = RecordLog(sys.argv[2])
        log.append([b"kept"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        try:
            log.append([b"x" * 6_000, b"y" * 6_000])
        except OSError:
            log.append([b"later"])
    """
    folder = str(Path(module.__file__).parent)
    command = [sys.executable, "-c", dedent(script), folder, str(tmp_path)]
    subprocess.run(command, check=True, timeout=60)
    assert payloads(module, tmp_path) == [b"kept", b"later"]
