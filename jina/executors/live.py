"""Classes that exist only in the user's process, as bytes for their worker.

The one place where anything is pickled, and it goes from parent to child. Loaded late: only such a
class needs it.
"""

from __future__ import annotations

import io
from collections import ChainMap
from types import CodeType
from typing import Any, ClassVar

import cloudpickle

_HIDDEN = "<dynamic-code>"  # what cloudpickle puts in the place of a file's name
_BY_TYPE = cloudpickle.Pickler.dispatch_table


def _with_its_file(code: CodeType) -> tuple[Any, ...]:
    """Take code apart as cloudpickle does, and keep the name of its file: tracebacks show it."""
    make, parts = _BY_TYPE[CodeType](code)
    return make, tuple(code.co_filename if part == _HIDDEN else part for part in parts)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    dispatch_table: ClassVar[Any] = ChainMap({CodeType: _with_its_file}, _BY_TYPE)


def dumps(cls: type) -> bytes:
    """Pickle a class, with whatever of its script or notebook it uses."""
    file = io.BytesIO()
    _Pickler(file).dump(cls)
    return file.getvalue()


def loads(data: bytes) -> Any:
    """Return the class again, in a worker of the same Python."""
    return cloudpickle.loads(data)
