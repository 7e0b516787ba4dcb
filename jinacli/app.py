"""Where the `jina` command begins and ends: the one place where errors become messages.

It imports little: Ctrl-C while the rest is loaded is an interruption like any other. For the same
reason, and so that `jina --help` loads nothing that it does not show, every command imports late.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys

from jinacli import color, first_process, older_commands
from jinacli.completion.scripts import VARIABLE
from jinacli.streams import escape_foreign_letters, forget, open_closed_streams

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_GARBAGE = 100_000  # objects; what is loaded is no garbage, and a search takes a tenth of a start
_INTERRUPTED = 130  # as in jinacli.exits, which may not be loaded yet


def main() -> None:
    """Run the command line; every error ends here, as a message and an exit code."""
    if first_process.is_first():
        first_process.stay_as_init()
    open_closed_streams()
    escape_foreign_letters()
    gc.set_threshold(_GARBAGE)
    color.settle(sys.argv[1:], os.environ)
    try:
        # Late: see above.
        from jinacli.commands.root import commands

        if VARIABLE in os.environ:
            from jinacli.completion import answering

            answering.answer(commands)
            return
        older = older_commands.answer(sys.argv[1:])
        code = _refuse(older) if older else commands()(standalone_mode=False)
        if code == _INTERRUPTED:  # typer has made a number of it
            code = _interrupted()
    except KeyboardInterrupt:
        code = _interrupted()
    except BaseException as error:
        code = _explain(error)
    _leave_on_interrupt()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _explain(error)
        forget(sys.stdout)
    if not gc.get_freeze_count():  # else users' code ran since then, and may rely on the search
        gc.freeze()  # to search all that is loaded at the end takes a fifth of a short command
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(words: str) -> int:
    # Late: only wrong usage needs them.
    from jinacli.exits import USAGE
    from jinacli.screens.errors import say

    say(words)
    return USAGE


def _leave_on_interrupt() -> None:
    """Let Ctrl-C end the process from here on: there is nothing left to interrupt."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupted() -> int:
    """Say so without any import: Ctrl-C may have come in the middle of one."""
    _leave_on_interrupt()
    with contextlib.suppress(OSError, AttributeError):  # no standard error is no reason to fail
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
    return _INTERRUPTED


def _explain(error: BaseException) -> int:
    # Late: only a command that goes wrong needs it.
    from jina.excepts import OutputError
    from jinacli.exits import exit_code_of
    from jinacli.screens.errors import show

    closed = error.__context__ if isinstance(error, SystemExit) else error  # typer turns it into 1
    if isinstance(closed, BrokenPipeError):
        forget(sys.stdout)  # whoever read us has seen enough
        return 0
    if isinstance(error, OSError) and error.filename is None and error.errno in _DISK_FULL:
        error = OutputError(f"cannot be written: {error.strerror}", where="<stdout>")
    show(error)
    return exit_code_of(error)
