"""How inputs are read, beyond their names, and which of the new names for keys were needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

CONTENTS = ("auto", "text", "buffer", "none")


class ReadOptions(NamedTuple):
    """How inputs are read, beyond their names.

    Attributes:
        format: one of jina.readers.formats.FORMATS; "auto" goes by each name.
        resolver: new names for keys and columns, such as {"question": "text"}.
        content: for the format `files`: a Document gets the file as "text" or as "buffer"; with
            "none" it has only its uri; "auto" goes by the media type that the name says.
    """

    format: str = "auto"
    resolver: Mapping[str, str] = MappingProxyType({})
    content: str = "auto"


class Renames:
    """The new names for keys, over all inputs of one run.

    A table lists its columns in its first row, but any JSON object may bring a new key: only at the
    end of a run is it certain that nothing had one.

    Args:
        resolver: new names by key.
    """

    def __init__(self, resolver: Mapping[str, str]) -> None:
        self.resolver = resolver
        self.unmet = set(resolver)
        """Keys that nothing has had so far."""
        self.first: tuple[str, ...] = ()
        """The keys of the first object that lacked one of them."""

    def meet(self, keys: Iterable[str]) -> None:
        """Take note of the keys of an object, or of the columns of a table."""
        if self.unmet:
            self.unmet.difference_update(keys)
            if self.unmet and not self.first:
                self.first = tuple(keys)
