"""Several YAML files as one Flow, and single values of a command line: the last one wins.

Maps are merged key by key, and `executors` by name; everything else is replaced as a whole, lists
too. Relative paths lead from the first file. Each value remembers its own file, so that messages
name the right one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from jina.config.loader import parse
from jina.config.problems import Problem
from jina.config.scalars import kind
from jina.config.setting_paths import Setting, SettingFault, entry_of, read_setting
from jina.config.source import Source
from jina.config.tree import DataPath, Span, Tree, path_text, value_at

_LISTS = ("executors", "pods")
#: What a path may call them, beside their own names; in an executor alone.
_SECTIONS = {"with": "uses_with", "metas": "uses_metas", "requests": "uses_requests"}


def lay_over(tree: Tree, over: Tree) -> None:
    """Merge a file into the files before it.

    Args:
        tree: of those; it is changed.
        over: of the file, its variables not replaced yet.
    """
    tree.problems += over.problems
    tree.codes |= over.codes
    if over.data is None or not isinstance(tree.data, dict):
        return
    if not isinstance(over.data, dict):
        tree.problems.append(
            over.problem(
                (), "wrong-type", f"this is {kind(over.data)}; expected a map with keys of a Flow"
            )
        )
        return
    _Merge(tree, over).maps((), (), over.data)


class _Merge:
    def __init__(self, tree: Tree, over: Tree) -> None:
        self.tree = tree
        self.over = over

    def maps(self, into: DataPath, at: DataPath, given: Mapping[str, Any]) -> None:
        """Merge a map of the later file into the one at a path."""
        held = value_at(self.tree.data, into)
        for key, value in given.items():
            own = _spelling(held, key) if not into else key
            old = held.get(own)
            target, origin = (*into, own), (*at, key)
            if not into and key in _LISTS and isinstance(old, list) and isinstance(value, list):
                self.executors(target, origin, old, value)
            elif isinstance(old, dict) and isinstance(value, dict):
                self.maps(target, origin, value)
            else:
                self.replace(target, origin, value)

    def executors(
        self, into: DataPath, at: DataPath, held: list[Any], given: Iterable[Any]
    ) -> None:
        """Merge executors by name; those with new names come behind the others."""
        for n, entry in enumerate(given):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                self.tree.problems.append(
                    self.over.problem(
                        (*at, n),
                        "overlay-without-name",
                        "an executor in a further file needs a name, because executors are "
                        "merged by name",
                        hint="add `name: …`: the name of the executor to change, or a new one",
                    )
                )
                continue
            number = entry_of(held, name)
            if number is None:
                held.append(None)
                self.replace((*into, len(held) - 1), (*at, n), entry)
            elif isinstance(held[number], dict):
                self.maps((*into, number), (*at, n), entry)
            else:
                self.replace((*into, number), (*at, n), entry)

    def replace(self, target: DataPath, origin: DataPath, value: Any) -> None:
        """Put a value of the later file in place of the one at a path."""
        put(self.tree, target, value)
        tree, over = self.tree, self.over
        for found, places in ((over.values, tree.values), (over.keys, tree.keys)):
            for path, span in found.items():
                if path[: len(origin)] == origin:
                    moved = (*target, *path[len(origin) :])
                    places[moved] = span
                    tree.sources[moved] = over.source
        for path, raw in over.raws.items():
            if path[: len(origin)] == origin:
                tree.raws[(*target, *path[len(origin) :])] = raw


def put(tree: Tree, path: DataPath, value: Any) -> None:
    """Set the value at a path, of which the parent is there; the old one is forgotten."""
    for places in (tree.values, tree.keys, tree.raws, tree.sources):
        for old in [old for old in places if old[: len(path)] == path]:
            del places[old]
    value_at(tree.data, path[:-1])[path[-1]] = value


def _spelling(held: Mapping[str, Any], key: str) -> str:
    """The key that the first file has for a list of executors: `pods` is the older one."""
    if key not in _LISTS or key in held:
        return key
    return next((other for other in _LISTS if other in held), key)


def lay_settings(tree: Tree, words: Iterable[str]) -> None:
    """Set single values, such as `executors.encoder.with.batch=32`; they are taken literally.

    Args:
        tree: of all files; it is changed.
        words: a path and a value each, in the order of the command line.
    """
    lines = list(words)
    source = Source(file="--set", lines=lines)
    for n, word in enumerate(lines):
        try:
            _set(tree, read_setting(word), source, n + 1)
        except SettingFault as fault:
            problem = Problem("bad-set", fault.message, hint=fault.hint)
            column = fault.column + 1
            span = Span(n + 1, column, n + 1, max(column + 1, fault.end + 1))
            tree.problems.append(tree.placed(problem, span, source=source))


def _set(tree: Tree, setting: Setting, source: Source, line: int) -> None:
    if not isinstance(tree.data, dict):
        return  # reported already
    path = _made(tree, setting)
    parsed = parse(Source(text=setting.value))
    span = Span(line, setting.value_at + 1, line, setting.value_at + 1 + max(1, len(setting.value)))
    for problem in parsed.problems:
        bare = replace(problem, file="", line=0, column=0, end_column=0, source_line="", notes=())
        tree.problems.append(tree.placed(bare, span, source=source))
    put(tree, path, parsed.data)
    tree.values[path] = span
    tree.keys[path] = Span(line, setting.key_at + 1, line, setting.value_at)
    tree.sources[path] = source


def _made(tree: Tree, setting: Setting) -> DataPath:
    """The path of a setting in the tree; maps on the way that are not there are made."""
    at: DataPath = ()
    here: Any = tree.data
    steps = setting.steps(tree.data)
    for n, step in enumerate(steps):
        name: str | int = step.name
        if len(at) == 2 and at[0] in _LISTS:
            name = _SECTIONS.get(step.name, step.name)
        held: Any = None
        if isinstance(here, list):
            name = step.index_in(here, path_text(at))
            held = here[name]
        elif isinstance(here, dict):
            held = here.get(name)
        else:
            raise SettingFault(
                f"`{path_text(at)}` is {kind(here)}, so it has no `{step.name}`", step.at, step.end
            )
        at = (*at, name)
        if n < len(steps) - 1:
            if held is None:
                put(tree, at, {})
            here = value_at(tree.data, at)
    return at
