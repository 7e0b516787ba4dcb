"""What a worker found suspicious about its Executor, though it runs."""

from __future__ import annotations

import msgspec


class Doubt(msgspec.Struct, array_like=True, frozen=True):
    """One such thing; `jina flow check` tells of it too, under the same code.

    Attributes:
        code: a short name that does not change, such as "unknown-argument".
        message: one sentence.
        hint: how to fix it; "" when there is nothing to say.
        section: of the Executor's YAML in which it is written: "with", "requests",
            "dynamic_batching"; "" for the class itself.
        key: in that section.
        file: of the Python code, where that is to blame; "" otherwise.
        line: there, counted from 1; 0 is unknown.
    """

    code: str
    message: str
    hint: str = ""
    section: str = ""
    key: str = ""
    file: str = ""
    line: int = 0

    @property
    def text(self) -> str:
        """The line that people read, where nobody knows the YAML."""
        place = f"{self.file}:{self.line}: " if self.file else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint}"
