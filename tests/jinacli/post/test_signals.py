"""A signal ends a post wherever it comes."""

from __future__ import annotations

import ctypes
import json
import os
import pty
import select
import signal
import sys

import pytest

from jina.client.holding import held
from jinacli.exits import Terminated
from jinacli.post.signals import signals_unwind
from tests.shell import WAIT_S, Shell, json_lines


def test_a_signal_raises() -> None:
    with pytest.raises(Terminated), signals_unwind():
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("error", [Terminated, KeyboardInterrupt])
def test_what_comes_where_nothing_can_be_raised_is_raised_afterwards(
    error: type[BaseException],
) -> None:
    """As in a callback of ZeroMQ, from which no exception leads out."""

    def interrupted() -> None:
        raise error

    hook = sys.unraisablehook
    with signals_unwind() as check:
        ctypes.CFUNCTYPE(None)(interrupted)()
        with pytest.raises(error):
            check()
        check()  # once
    assert sys.unraisablehook is hook


def test_while_something_is_written_a_signal_waits_for_its_end() -> None:
    seen = []

    def write() -> None:
        with held():
            os.kill(os.getpid(), signal.SIGINT)
            with held():
                seen.append("inside")
            seen.append("outside")

    with signals_unwind(), pytest.raises(KeyboardInterrupt):
        write()
    assert seen == ["inside", "outside"]


@pytest.mark.parametrize("where", ["pipe", "terminal"])
def test_an_interrupted_post_cuts_no_line_and_says_how_many_it_wrote(
    shell: Shell, where: str
) -> None:
    shell.write("many.jsonl", json_lines(20_000))
    ours, theirs = pty.openpty() if where == "terminal" else os.pipe()
    try:
        with shell.up(shell.flow("Upper")):
            command = ("post", "/", "-i", "many.jsonl", "--output-format", "jsonl")
            with shell.start(*command, stdout=theirs) as post:
                os.close(theirs)
                theirs = -1
                shown = os.read(ours, 1000)  # it is writing, and nobody reads on
                post.process.send_signal(signal.SIGINT)
                shown += _rest_of(ours)
                done = post.end()
    finally:
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)
    found = [json.loads(line) for line in shown.splitlines()]
    assert shown.endswith(b"\n")
    assert done.code == 130
    assert 0 < len(found) < 20_000
    assert f"{len(found)} results were written before the interruption" in done.err


def _rest_of(descriptor: int) -> bytes:
    shown = b""
    while select.select([descriptor], [], [], WAIT_S)[0]:
        try:
            block = os.read(descriptor, 65536)
        except OSError:  # how a terminal says that the other side has closed
            break
        if not block:
            break
        shown += block
    return shown
