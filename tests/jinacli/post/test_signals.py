"""A signal ends a post wherever it comes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import pytest

from jinacli.exits import Terminated
from jinacli.post.signals import signals_unwind


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
