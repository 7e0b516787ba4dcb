"""Run user code in a fork: if it ends the process, there is another one to say so.

Modules may call `os._exit`, crash, or be killed for their memory while they are imported. No
exception is raised then, and the exit code may be 0.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable

from jina.launch.ending import ending
from jinacli import exits
from jinacli.check.children import IS_POSSIBLE, Begin, Children, Note
from jinacli.screens.errors import say

__all__ = ["Begin", "watched"]


def watched(work: Callable[[Begin], int], *, failed: int = exits.FAILED) -> int:
    """Run work that calls the user's code in a process forked for it.

    This returns in the new process alone; the old one waits for it and exits with the same code. On
    systems other than Linux nothing is forked.

    Args:
        work: returns the exit code; it calls its argument with the name of what it runs next.
        failed: the exit code where the user's code ended the process.

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
        sys.exit(_end_of(children, note, failed))
    try:
        return work(note.write)
    except KeyboardInterrupt as error:
        if error.args in ((signal.SIGTERM,), (signal.SIGHUP,)):
            raise exits.Terminated from None
        raise
    finally:
        note.write("")


def _end_of(children: Children, note: Note, failed: int) -> int:
    """Wait for the work, and say what ended it, if it did not end by itself; the exit code."""
    end = children.next_end()
    assert end is not None  # it is waited for without a limit
    _, code = end
    if code in (-children.stopped_by, -signal.SIGKILL):
        children.raise_stop()  # the new process could not say so
    what = note.read()
    if not what and code >= 0:
        return code
    say(f"error: {what or 'the end of the command'}: the process {ending(code)}")
    return failed
