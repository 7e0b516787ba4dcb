"""How a single value is addressed on a command line: `executors.encoder.with.batch=32`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from jina.suggest import nearest

_STEP = re.compile(r'"(?P<quoted>[^"]+)"|(?P<plain>[^.\[\]="]+)|\[(?P<index>[0-9]+)\]')
_LISTS = ("executors", "pods")
_EXAMPLE = "write it as `executors.NAME.with.KEY=VALUE`"


class SettingFault(Exception):
    """What is wrong with a setting.

    Attributes:
        message: what.
        column: where it begins in the word, from 0.
        end: where it ends.
        hint: how to fix it.
    """

    def __init__(self, message: str, column: int = 0, end: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.end = end
        self.hint = hint


class Step(NamedTuple):
    """One name of a path.

    Attributes:
        name: a key, or the digits of an index.
        at: its position in the word, from 0.
        end: where it ends.
    """

    name: str
    at: int
    end: int

    def index_in(self, items: Sequence[Any], what: str) -> int:
        """The place in a list that it means.

        Raises:
            SettingFault: there is none.
        """
        if self.name.isascii() and self.name.isdigit() and int(self.name) < len(items):
            return int(self.name)
        if what not in _LISTS:
            message = f"`{what}` is a list of {len(items)}; it has no `{self.name}`"
            raise SettingFault(message, self.at, self.end, "use an index, starting at 0")
        found = entry_of(items, self.name)
        if found is not None:
            return found
        names = [name_of(entry, n) for n, entry in enumerate(items)]
        near = nearest(self.name, names)
        hint = f"did you mean `{near}`?" if near else f"the executors are: {', '.join(names)}"
        raise SettingFault(f"there is no executor `{self.name}`", self.at, self.end, hint)


class Setting(NamedTuple):
    """A path and a value.

    Attributes:
        path: as written.
        value: as written, YAML.
    """

    path: str
    value: str

    @property
    def value_at(self) -> int:
        """Position of the value in the word, from 0."""
        return len(self.path) + 1

    @property
    def key_at(self) -> int:
        """Position of the last name of the path in the word, from 0."""
        return _steps(self.path, 0)[-1].at

    def steps(self, data: Any) -> list[Step]:
        """The names of the path; the name of an executor may have dots in it.

        Args:
            data: of the Flow.

        Raises:
            SettingFault: it is not a path.
        """
        first = _steps(self.path, 0)
        rest = first[0].end + 1
        entries = data.get(first[0].name) if isinstance(data, dict) else None
        if first[0].name not in _LISTS or not isinstance(entries, list):
            return first
        names = [name_of(entry, n) for n, entry in enumerate(entries)]
        for name in sorted(filter(lambda each: "." in each, names), key=len, reverse=True):
            if self.path.startswith(f"{name}.", rest):
                found = Step(name, rest, rest + len(name))
                return [first[0], found, *_steps(self.path, found.end + 1)]
        return first


def read_setting(word: str) -> Setting:
    """A word of the command line as a setting.

    Raises:
        SettingFault: it is none.
    """
    inside = False
    for n, character in enumerate(word):
        if character == '"':
            inside = not inside
        if character == "=" and not inside:
            setting = Setting(word[:n], word[n + 1 :])
            _steps(setting.path, 0)
            return setting
    raise SettingFault(f"{word!r} has no `=`", 0, len(word), _EXAMPLE)


def entry_of(entries: Sequence[Any], name: str) -> int | None:
    """Which entry of the executors has a name; None for none."""
    for n, entry in enumerate(entries):
        if name_of(entry, n) == name:
            return n
    return None


def name_of(entry: Any, number: int) -> str:
    """The name of an entry; the one that it gets where it has none."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and name else f"executor{number}"


def _steps(path: str, at: int) -> list[Step]:
    """The names of a path from a place on."""
    steps: list[Step] = []
    while True:
        found = _STEP.match(path, at)
        if found is None:
            rest = path[at:]
            what = f"{rest!r} is not a name" if rest else "a name is missing"
            raise SettingFault(f"{what} in `{path}`", at, len(path), _EXAMPLE)
        name = found["quoted"] or found["plain"] or found["index"]
        steps.append(Step(name, found.start(), found.end()))
        at = found.end()
        if at == len(path):
            return steps
        if path[at] == ".":
            at += 1
        elif path[at] != "[":
            raise SettingFault(f"{path[at:]!r} is not a name in `{path}`", at, len(path), _EXAMPLE)
