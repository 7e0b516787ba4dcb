"""An error of the user's code as text: its class, its message, the frames of the user's code.

`class_name`, `message` and `short_traceback` never fail, and what they return fits in a message.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from traceback import FrameSummary, TracebackException, format_exception
from types import CodeType, TracebackType

from jina.defaults import KIB
from jina.excepts import ExecutorFailToLoad

HELP = "help: "
"""How a note begins that jina adds to a user's error."""

_MAX_MESSAGE = 8 * KIB
_MAX_NAMES = 16  # of classes; more are above no error that people wrote
_MAX_NAME = 200
_MAX_TRACEBACK = 64 * KIB - 16 * KIB  # with the rest of a description still one small frame
_HOUSE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def class_name(error: BaseException) -> str:
    """The dotted name of an error's class; a builtin one has no module before it."""
    return dotted_name(type(error))


EXIT_HINT = "raise another exception instead; its message is shown"


def exited(error: SystemExit) -> str:
    """What code did that raised this, as people write it: "called sys.exit with code 3"."""
    if isinstance(error.code, str):
        return f"called sys.exit: {error.code}"
    return f"called sys.exit with code {0 if error.code is None else error.code}"


def class_names(error: BaseException) -> list[str]:
    """The dotted names of an error's class and of those above it, the nearest first."""
    names = [
        _bounded(dotted_name(cls), _MAX_NAME) for cls in type(error).__mro__ if cls is not object
    ]
    return names[:_MAX_NAMES]


def dotted_name(cls: type) -> str:
    """The dotted name of a class; a builtin one has no module before it."""
    name = cls.__qualname__
    return name if cls.__module__ == "builtins" else f"{cls.__module__}.{name}"


def message(error: BaseException) -> str:
    """The error's own text, and jina's help on it; its head and tail if it is long."""
    try:
        text = str(error)
    except Exception as broken:
        text = f"<its __str__ raised {type(broken).__name__}>"
    notes = getattr(error, "__notes__", None) or ()
    helps = [note for note in notes if isinstance(note, str) and note.startswith(HELP)]
    return _bounded("\n".join([text, *helps]), _MAX_MESSAGE)


def short_traceback(error: BaseException) -> str:
    """The trimmed traceback, else the error's class; its head and tail if it is long."""
    try:
        text = trimmed_traceback(error)
    except Exception:  # an error's own text may raise while the traceback is written
        text = f"{class_name(error)}\n"
    return _bounded(text, _MAX_TRACEBACK)


def whole_traceback(error: BaseException) -> str:
    """The traceback with all of its frames; its head and tail if it is long."""
    try:
        text = "".join(format_exception(error))
    except Exception:  # as above
        text = f"{class_name(error)}\n"
    return _bounded(text, _MAX_TRACEBACK)


def _bounded(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8: head and tail stay. What cannot be encoded is escaped."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > limit:
        half = limit // 2 - 16
        data = data[:half] + b"\n[...]\n" + data[-half:]
    return data.decode("utf-8", "replace")


def trimmed_traceback(exc: BaseException) -> str:
    """The traceback as text, with the user's frames only: none of jina's or the importer's.

    An earlier error that was raised and handled within jina is left out: it is only how jina found
    out what the last one says. So is our own error about a SystemExit, its cause.
    """
    if isinstance(exc, ExecutorFailToLoad) and isinstance(exc.__cause__, SystemExit):
        exc = exc.__cause__
    is_chained = exc.__cause__ is not None or exc.__context__ is not None
    if is_chained or isinstance(exc, BaseExceptionGroup):
        return _formatted(exc)
    # Where many Documents fail, they do so at few places: the text of a place is made once.
    place = tuple(_steps(exc.__traceback__))
    only = "".join(
        TracebackException(type(exc), exc, exc.__traceback__, limit=0).format_exception_only()
    )
    if place not in _stacks:
        text = _formatted(exc)
        if not text.endswith(only):
            return text
        if len(_stacks) >= _MOST_STACKS:
            _stacks.clear()
        _stacks[place] = text.removesuffix(only)
    return _stacks[place] + only


_stacks: dict[tuple[tuple[CodeType, int], ...], str] = {}  # frames -> the traceback down to them
_MOST_STACKS = 64


def _steps(trace: TracebackType | None) -> Iterator[tuple[CodeType, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lasti
        trace = trace.tb_next


def _formatted(exc: BaseException) -> str:
    whole = TracebackException.from_exception(exc)
    chained: list[TracebackException] = []
    seen: set[int] = set()
    queue: list[TracebackException | None] = [whole]
    while queue:
        part = queue.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        chained.append(part)
        queue += [part.__cause__, part.__context__, *(part.exceptions or ())]
    inner = {id(part) for part in chained if part.stack and all(map(_is_inner, part.stack))}
    for part in chained:
        if part.__cause__ is not None and id(part.__cause__) in inner:
            # The error behind it did not cause this one; it was being handled.
            part.__context__ = part.__cause__
            part.__cause__, part.__suppress_context__ = None, False
        part.__context__ = _outer(part.__context__, inner)
        part.stack[:] = [frame for frame in part.stack if not is_ours(frame.filename)]
    return "".join(whole.format())


def _outer(part: TracebackException | None, inner: set[int]) -> TracebackException | None:
    """The first link of a chain that the user has a part in."""
    while part is not None and id(part) in inner:
        hidden = None if part.__suppress_context__ else part.__context__
        part = part.__cause__ or hidden
    return part


def _is_inner(frame: FrameSummary) -> bool:
    return frame.filename.startswith(_HOUSE)


def is_ours(filename: str) -> bool:
    """Whether the frames of this file are left out of what the user sees."""
    if filename.startswith((_HOUSE, "<frozen importlib", "<frozen runpy")):
        return True
    # What runs an `async def` method, and `importlib.import_module`.
    parts = filename.replace(os.sep, "/").rsplit("/", 2)
    return parts[-2:] in (
        ["asyncio", "runners.py"],
        ["asyncio", "base_events.py"],
        ["importlib", "__init__.py"],
    )
