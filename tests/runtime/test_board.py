"""The begin board: what a worker wrote is there after its death."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jina.runtime.board import SLOTS, Board, create_board, next_slot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_board(tmp_path / "board")
    return tmp_path / "board"


def test_an_empty_board_is_private_and_says_that_nothing_was_begun(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    board = Board(path)
    assert {board[slot] for slot in range(SLOTS)} == {0}
    board.close()


@pytest.mark.parametrize(
    ("last", "taken", "slot"),
    [
        (0, [], 1),
        (3, [1, 2, 3], 4),
        (SLOTS - 1, [1, 2], SLOTS),
        (SLOTS, [1, 2, 5], SLOTS + 3),  # whoever was started first still lives
        (3 * SLOTS, [1, SLOTS + 2, 2 * SLOTS + 4], 3 * SLOTS + 3),
        (SLOTS, range(1, SLOTS + 1), SLOTS + 1),
    ],
)
def test_after_thousands_of_restarts_nobody_gets_the_slot_of_one_who_lives(
    last: int, taken: Sequence[int], slot: int
) -> None:
    assert next_slot(last, taken) == slot


def test_two_views_are_one_board(path: Path) -> None:
    writer, reader = Board(path), Board(str(path))
    writer[3] = 2**64 - 1
    writer[4] = 7
    assert (reader[2], reader[3], reader[4]) == (0, 2**64 - 1, 7)
    writer[3] = 0
    assert reader[3] == 0
    writer.close()
    reader.close()


def test_slots_come_round_again(path: Path) -> None:
    board = Board(path)
    board[SLOTS + 5] = 9
    assert board[5] == 9
    board.close()


def test_what_was_written_is_there_after_a_kill(path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from jina.runtime.board import Board\n"
        "board = Board(sys.argv[1])\n"
        "board[1] = 42\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    board = Board(path)
    assert board[1] == 42
    board.close()


def test_a_board_is_never_made_over_something_else(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        create_board(path)
    assert path.read_bytes() == before


def test_an_open_board_holds_no_descriptor(path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    board = Board(path)
    assert len(os.listdir("/proc/self/fd")) <= len(before) + 1  # mmap keeps one of its own
    board.close()
    assert os.listdir("/proc/self/fd") == before
