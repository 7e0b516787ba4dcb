"""Run user code in a fork: if it ends the process, there is another one to say so.

Modules may call `os._exit`, crash, or be killed for their memory while they are imported. No
exception is raised then, and the exit code may be 0.
"""

from __future__ import annotations

import gc
import re
import signal
import sys
import time
from collections.abc import Callable

from jina.launch.ending import ending
from jinacli import exits
from jinacli.check.children import IS_POSSIBLE, Begin, Children, Note
from jinacli.screens.errors import say
from jinacli.screens.loading import Loading, erase

__all__ = ["CONSTRUCTOR", "Begin", "watched"]

CONSTRUCTOR = "the constructor"
"""How what `begin` is told ends when an Executor is constructed."""
_PLACE = re.compile(r"(:\d+)+$")  # line and column, behind the name of a file
_LOOK_S = 1.0  # between two words about what is waited for


def watched(
    work: Callable[[Begin], int], *, failed: int = exits.FAILED, quiet: bool = False
) -> int:
    """Run work that calls the user's code in a process forked for it.

    This returns in the new process alone; the old one waits for it and exits with the same code. On
    systems other than Linux nothing is forked.

    Args:
        work: returns the exit code; it calls its argument with the name of what it runs next.
        failed: the exit code where the user's code ended the process.
        quiet: do not say what is loading.

    Returns:
        the exit code.

    Raises:
        KeyboardInterrupt: in the new process for the first Ctrl-C; in the old one where that did
            not end it and there was a second, which kills it.
        Terminated: the same for SIGTERM and SIGHUP; what they do not end within 10 s is killed.
    """
    gc.freeze()  # what is loaded stays; what users' code makes is searched for garbage at the end
    if not IS_POSSIBLE:
        return work(lambda what: None)
    note = Note()
    children = Children()
    if children.fork():
        sys.exit(_end_of(children, note, failed, quiet=quiet))

    def begin(what: str) -> None:
        if not quiet and _is_loading(note.read()) and not _is_loading(what):
            with note.alone():  # whoever waits does not draw it again after that
                note.write(what)
                if note.is_drawn:
                    erase()
                    note.is_drawn = False
        note.write(what)

    try:
        return work(begin)
    except KeyboardInterrupt as error:
        if error.args in ((signal.SIGTERM,), (signal.SIGHUP,)):
            raise exits.Terminated from None
        raise
    finally:
        begin("")


def _waited(children: Children, note: Note, *, quiet: bool) -> int:
    """Wait for the work, and say what it loads if that takes long; the exit code of its process."""
    loading = Loading(quiet=quiet)
    began = time.monotonic()
    while (end := children.next_end(time.monotonic() + _LOOK_S)) is None:
        with note.alone():
            what = note.read()
            if _is_loading(what):
                name = _PLACE.sub("", what.rpartition(": ")[0])
                loading.tell([name], time.monotonic() - began)
                note.is_drawn = loading.is_drawn
    if _is_loading(note.read()):
        loading.done()  # else the new process has done that, before it went on
    return end[1]


def _is_loading(what: str) -> bool:
    doing = what.rpartition(": ")[2]
    return doing == CONSTRUCTOR or doing.startswith("importing ")


def _end_of(children: Children, note: Note, failed: int, *, quiet: bool) -> int:
    """Wait for the work, and say what ended it, if it did not end by itself; the exit code."""
    code = _waited(children, note, quiet=quiet)
    if code in (-children.stopped_by, -signal.SIGKILL):
        children.raise_stop()  # the new process could not say so
    what = note.read()
    if not what and code >= 0:
        return code
    say(f"error: {what or 'the end of the command'}: the process {ending(code)}")
    return failed
