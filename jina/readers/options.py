"""Which of the new names for keys were needed: JSON has no first row that says it at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Renames:
    """New names for keys, over all inputs of one run.

    Args:
        resolver: new names by key.
    """

    def __init__(self, resolver: Mapping[str, str]) -> None:
        self.resolver = resolver
        self.unmet = set(resolver)
        """Keys that nothing had so far."""
        self.first: tuple[str, ...] = ()
        """The keys of the first object that lacked one of them."""

    def meet(self, keys: Iterable[str]) -> None:
        """Take note of the keys of an object, or of the columns of a table."""
        if self.unmet:
            self.unmet.difference_update(keys)
            if self.unmet and not self.first:
                self.first = tuple(keys)
