"""Members of Jina 2's Flow that do nothing here: kept as they are said, or refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

BY_ADDRESS = "clients find it at `address`, and `jina flow up --port` listens on tcp"
_UNHEARD = ("host", "port", "port_expose", "protocol")


class NotHere:
    """A member of Jina 2's Flow that this one lacks: using it and setting it are errors.

    Args:
        instead: what to do instead.
    """

    def __init__(self, instead: str) -> None:
        self._instead = instead
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, flow: object, owner: type) -> NoReturn:
        raise AttributeError(f"a Flow has no `{self._name}` here; {self._instead}")

    def __set__(self, flow: object, value: object) -> NoReturn:
        self.__get__(flow, type(flow))


class Said:
    """A member of Jina 2's Flow that is kept as it was said, and does nothing yet."""

    def __init__(self) -> None:
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, flow: Any, owner: type) -> Any:
        value = None if flow is None else flow._description.said.get(self._name)
        if value is None:
            raise AttributeError(f"a Flow has no `{self._name}` of its own; {BY_ADDRESS}")
        return value

    def __set__(self, flow: Any, value: object) -> None:
        flow._description = flow._description.with_option(self._name, value)
        tell_unheard({self._name: value})


def tell_unheard(said: Mapping[str, Any]) -> None:
    """Warn of what was said of HTTP and of ports: it does nothing yet."""
    listed = [f"{key}={said[key]!r}" for key in _UNHEARD if said.get(key) is not None]
    if listed:
        text = f"{', '.join(listed)}: kept, but nothing listens there yet; {BY_ADDRESS}"
        warnings.warn(text, stacklevel=3)
