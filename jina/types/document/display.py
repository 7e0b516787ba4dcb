"""A Document as people see it: printed, in a rich terminal, in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jina.types import content
from jina.types.document.fields import Fields


class Display(Fields):
    """Printed forms; none of them needs a library."""

    __slots__ = ()

    def __str__(self) -> str:
        """The set fields, like a dict; tensors by dtype and shape."""
        return str(content.as_dict(self._record, brief))

    def __repr__(self) -> str:
        """The class, the set fields without their nesting, and the address."""
        parts = [f"{name}={value}" for name, value in self._shown()]
        kind = type(self)
        return f"<{kind.__module__}.{kind.__qualname__} {' '.join(parts)} at {id(self)}>"

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        """The set fields, for rich's printer."""
        yield from self._shown()

    def _shown(self) -> Iterator[tuple[str, Any]]:
        for name, value in content.as_dict(self._record, brief).items():
            if name in ("chunks", "matches"):
                yield name, f"{len(value)} Documents"
            else:
                yield name, value


def brief(tensor: Any) -> str:
    """Say what a tensor is without its numbers."""
    return f"<{type(tensor).__name__} {tensor.dtype} {tuple(tensor.shape)}>"
