"""Say that a method failed after it read a field that none of its Documents has.

Nothing is done until a method has raised. Then the code of the user's frames tells which fields
were read until there: their instructions name the attributes, so no source is needed.
"""

from __future__ import annotations

import dis
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from types import CodeType, TracebackType
from typing import Any

from jina.executors.user_errors import HELP, is_ours
from jina.records.record import CONTENT_FIELDS, Record
from jina.records.record_ops import children, tensor
from jina.types.arrays.document import DocumentArray

# What methods write through, too, such as tags and chunks, is left out: `doc.tags[...] = 1` reads.
_NAMES = {
    "uri": "uri",
    **{name: name for name in (*CONTENT_FIELDS, "embedding")},
    **{f"{name}s": name for name in (*CONTENT_FIELDS, "embedding")},
    "content": "content",
    "contents": "content",
}
_BY_NAME = frozenset({"get_attributes", "get_attributes_with_docs", "getattr"})
_MAKES = re.compile(r"_to_(?:image_)?(text|blob|buffer|uri|embedding)$|^(embed)$")
_SHOWN = ("text", "blob", "buffer", "embedding", "uri")
_MOST_RECORDS = 10_000
_NONE_HAS = "none of these Documents has"


def add_help(error: BaseException, docs: DocumentArray | None) -> None:
    """Add a note to an error, if its method read a field that none of the Documents has.

    Args:
        error: that a method raised.
        docs: that it was given.
    """
    if docs is None or not len(docs):
        return
    try:
        text = _help(error, docs)
    except Exception:  # whatever the Documents are like now: the error itself is what counts
        return
    if text:
        ours = f"{HELP}{_NONE_HAS}"  # of an error that is raised again
        notes = [note for note in getattr(error, "__notes__", ()) if not _begins(note, ours)]
        error.__notes__ = [*notes, f"{HELP}{text}"]


def _begins(note: object, text: str) -> bool:
    return isinstance(note, str) and note.startswith(text)


def _help(error: BaseException, docs: DocumentArray) -> str:
    read = _fields_read(error.__traceback__)
    if not read:
        return ""
    filled: set[str] = set()
    for record in _records(docs._records()):
        filled.update(name for name in _SHOWN if _is_set(getattr(record, name)))
        if filled.issuperset(read):
            return ""
    contents = filled.intersection(CONTENT_FIELDS)
    if "content" in read:
        read = read - {"content"} | (set() if contents else {"content"})
    if contents & read:  # a Document has one content, so whoever reads several tells them apart
        read -= set(CONTENT_FIELDS)
    empty = [name for name in ("content", *_SHOWN) if name in read - filled]
    if not empty:
        return ""
    has = _listed([name for name in ("uri", *_SHOWN[:-1]) if name in filled], "and")
    rest = f"; they have {has}" if has else ""
    return f"{_NONE_HAS} {_listed(empty, 'or')}{rest}"


def _is_set(value: Any) -> bool:
    """Whether a field has a value; a text without a character is none."""
    return bool(value) if isinstance(value, str) else tensor(value) is not None


def _listed(names: Sequence[str], word: str) -> str:
    """Names with their articles: "a uri and an embedding"."""
    named = [f"an {name}" if name == "embedding" else f"a {name}" for name in names]
    *most, last = ["content" if name == "a content" else name for name in named] or [""]
    return f"{', '.join(most)} {word} {last}" if most else last


def _records(records: Iterable[Record]) -> Iterator[Record]:
    """Those of the Documents, their chunks and matches, as far as there is time."""
    waiting, seen = [iter(records)], 0
    while waiting and seen < _MOST_RECORDS:
        record = next(waiting[-1], None)
        if record is None:
            waiting.pop()
            continue
        seen += 1
        yield record
        below = [*children(record.chunks), *children(record.matches)]
        if below:
            waiting.append(iter(below))


def _fields_read(trace: TracebackType | None) -> set[str]:
    """The fields that the user's code read until it raised, without those that it sets itself."""
    read: set[str] = set()
    made: set[str] = set()
    folder = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not is_ours(code.co_filename):
            folder = folder or os.path.dirname(code.co_filename)
            if _is_beside(code.co_filename, folder):
                below = _look(code, trace.tb_lasti)
                read |= below[0]
                made |= below[1]
        trace = trace.tb_next
    return read - made


def _is_beside(path: str, folder: str) -> bool:
    """Whether a file is one of those beside the Executor's, not of a library below them."""
    start = os.path.join(folder, "")
    return path.startswith(start) and "site-packages" not in path.removeprefix(start)


@lru_cache(maxsize=256)
def _look(code: CodeType, last: int) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that a function reads until an instruction, and those that it makes at all."""
    read: set[str] = set()
    made: set[str] = set()
    is_by_name = not _BY_NAME.isdisjoint(code.co_names)
    for step in dis.get_instructions(code):
        value = step.argval
        is_done = step.offset <= last
        if isinstance(value, CodeType) and is_done:
            below = _look(value, len(value.co_code))
            read |= below[0]
            made |= below[1]
        elif not isinstance(value, str):
            continue
        elif step.opname == "STORE_ATTR" and value in _NAMES:
            made.add(_NAMES[value])
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            if is_done and value in _NAMES:
                read.add(_NAMES[value])
            if found := _MAKES.search(value):
                made.add(found[1] or "embedding")
        elif is_by_name and is_done and step.opname == "LOAD_CONST" and value in _NAMES:
            read.add(_NAMES[value])
    return frozenset(read), frozenset(made)
