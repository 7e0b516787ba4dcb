"""`jina flow top`: a live screen of a Flow, until q or Ctrl-C; the terminal is left as it was."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from types import FrameType

from jina.excepts import FlowNotFound
from jina.launch.asking import directory_of
from jina.launch.find import find_flow
from jina.launch.looking import Looker
from jina.launch.rundir import FlowRecord
from jinacli import exits
from jinacli.screens.columns import screen_width
from jinacli.screens.errors import say
from jinacli.screens.top import Sample, top_lines

_ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, without a cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"
_SNAPSHOT_S = 0.5  # between the two looks at a Flow of which rates are known


def show_top(wanted: str, *, interval_s: float) -> int:
    """Show a Flow until somebody presses q; without a terminal, once.

    Args:
        wanted: name or file of the Flow; empty for the only one that runs.
        interval_s: between two looks.

    Raises:
        FlowError: no such Flow, or it does not answer.
    """
    record = find_flow(wanted, one_shots=True, as_in="jina flow top")
    with Looker(directory_of(record), record) as looker:
        if not (sys.stdout.isatty() and sys.stdin.isatty()):
            return _show_once(record, looker)
        with contextlib.suppress(KeyboardInterrupt), _screen():  # Ctrl-C is how people leave
            return _show(record, looker, interval_s)
    return exits.OK


def _show_once(record: FlowRecord, looker: Looker) -> int:
    before = Sample(looker.look(), time.monotonic())
    time.sleep(_SNAPSHOT_S)
    now = Sample(looker.look(), time.monotonic())
    lines = top_lines(record, before, now, screen_width(), 1_000_000)
    sys.stdout.write("\n".join(lines[:-2]) + "\n")  # without the keys
    if not sys.stdout.isatty():
        say("note: `jina flow status --json` is for scripts")
    return exits.OK


def _show(record: FlowRecord, looker: Looker, interval_s: float) -> int:
    before: Sample | None = None
    now = Sample(looker.look(), time.monotonic())
    while True:
        _draw(record, before, now)
        if _is_told_to_quit(interval_s):
            return exits.OK
        try:
            report = looker.look()
        except FlowNotFound:
            return exits.OK  # it has ended: there is nothing to see
        before, now = now, Sample(report, time.monotonic())


def _draw(record: FlowRecord, before: Sample | None, now: Sample) -> None:
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    lines = top_lines(record, before, now, columns or 80, rows or 24)
    body = "".join(f"{line}{_REST_OF_LINE}\r\n" for line in lines[:-1])
    sys.stdout.write(f"{_HOME}{body}{lines[-1]}{_REST}")
    sys.stdout.flush()


def _is_told_to_quit(seconds: float) -> bool:
    """Wait for a key, for some seconds; whether it was q, Escape or the end of the input."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            if not select.select([sys.stdin], [], [], left)[0]:
                return False
        except InterruptedError:
            continue
        if os.read(sys.stdin.fileno(), 1) in (b"q", b"Q", b"\x1b", b"\x03", b"\x04", b""):
            return True
    return False


@contextlib.contextmanager
def _screen() -> Iterator[None]:
    """Take the terminal: another screen, keys at once; give it back as it was, whatever happens."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    signals = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for signum in signals:
            signal.signal(signum, _terminated)
        tty.setcbreak(descriptor)  # Ctrl-C stays a signal
        sys.stdout.write(_ENTER)
        sys.stdout.flush()
        yield
    finally:
        for signum, handler in signals.items():
            signal.signal(signum, handler)
        with contextlib.suppress(OSError):  # the terminal is gone
            sys.stdout.write(_LEAVE)
            sys.stdout.flush()
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _terminated(signum: int, frame: FrameType | None) -> None:
    raise exits.Terminated
