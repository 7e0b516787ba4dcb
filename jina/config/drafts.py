"""An Executor as a YAML map describes it: checked, its modules located, its paths absolute.

`uses.py` finds the map: in a file, in a text or in a Flow's entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from jina.config.batching import Settings, warn_of_ignored
from jina.config.keys import near_key, unknown_key
from jina.config.load_state import LoadState
from jina.config.older_keys import IGNORED_EXECUTOR
from jina.config.plain_executors import EXECUTOR_KEYS, META_KEYS, plain_values
from jina.config.problems import Problem
from jina.config.source import current_folder, without_notes
from jina.config.tree import DataPath, Tree, path_text, value_at
from jina.config.variables import Unresolved

#: A subclass of BaseExecutor. That class itself is not imported here: its `load_config` leads to
#: this module.
ExecutorClass: TypeAlias = type[Any]

# Sections that are not known as a whole when the parser had to leave something out. A key that is
# a list cannot mean a section.
_CUT_BY_PARSER = {
    "yaml-key": {"with", "metas", "requests"},
    "yaml-merge": {"with", "metas", "requests", "modules"},
    "duplicate-key": {"with", "metas", "requests", "modules"},
}
# What people write for `jtype`.
_LIKE_JTYPE = ("class", "type", "cls", "uses", "name", "jtpye", "jype", "Jtype")


class ExecutorDraft(msgspec.Struct):
    """An Executor as some tree describes it, before it becomes an `ExecutorSpec`.

    Args:
        tree: where it is written.
        at: path of its map within the tree.
        jtype: class, as written.
        with_: constructor arguments.
        metas: as written; paths are still relative.
        requests: endpoint -> method.
        batching: endpoint, or name of a method -> settings of dynamic batching.
        env: environment variables of its process.
        py_modules: located.
        folder: what its relative paths are relative to.
        cls: a class of this process; it wins over all names.
        overlays: entries of a Flow that lay settings over it: tree, and path of the entry.
        uncertain: see `uncertain_sections`.
    """

    tree: Tree
    at: DataPath = ()
    jtype: str = ""
    with_: dict[str, Any] = {}
    metas: dict[str, Any] = {}
    requests: dict[str, str] = {}
    batching: Settings = {}
    env: dict[str, str] = {}
    py_modules: list[str] = []
    folder: Path = msgspec.field(default_factory=current_folder)
    cls: ExecutorClass | None = None
    overlays: list[tuple[Tree, DataPath]] = []
    uncertain: set[str] = set()

    def lay_over(
        self,
        with_: Mapping[str, Any],
        metas: Mapping[str, Any],
        requests: Mapping[str, str],
    ) -> None:
        """Let settings from elsewhere win over those that are written here."""
        self.with_ = {**self.with_, **with_}
        self.metas = {**self.metas, **metas}
        self.requests = {**self.requests, **requests}

    def place(self, section: str, *keys: str) -> tuple[Tree, DataPath]:
        """Where a section, or a key of it, is written: in a Flow's entry, else in the Executor."""
        for tree, at in self.overlays:
            for spelling in (f"uses_{section}", f"override_{section}"):
                path = (*at, spelling, *keys)
                if path in tree.values:
                    return tree, path
        return self.tree, (*self.at, section, *keys)

    def jtype_path(self) -> DataPath:
        """Where the class is named."""
        path = (*self.at, "jtype")
        return path if path in self.tree.values else self.at


def executor_draft(state: LoadState, tree: Tree, at: DataPath = ()) -> ExecutorDraft | None:
    """An Executor from its map, as far as it is correct; None if it has no class."""
    data = value_at(tree.data, at)
    if not _is_executor(state, tree, at, data):
        return None
    data = state.without_ignored(tree, at, data if at else without_notes(data), IGNORED_EXECUTOR)
    warn_of_ignored(state, tree, at, data)
    wrong: list[DataPath] = []
    values = plain_values(data)
    if values is None:
        from jina.config.executor_values import checked_values  # late: see `plain_executors`

        values, wrong, problems = checked_values(tree, data, at)
        state.problems += problems if data.get("jtype") else _without_class(tree, at, problems)
    # Looked for also where something else is wrong, so that one check shows everything.
    py_modules, is_short = _py_modules(state, tree, at, data)
    jtype = data.get("jtype")
    if values is None or not jtype or not isinstance(jtype, str) or isinstance(jtype, Unresolved):
        return None
    uncertain = uncertain_sections(tree, wrong, EXECUTOR_KEYS)
    return ExecutorDraft(
        tree,
        at,
        jtype=jtype,
        with_=values.with_,
        metas=_metas(state, tree, (*at, "metas"), values.metas),
        requests=values.requests,
        batching=values.batching,
        env=values.env,
        py_modules=py_modules,
        folder=tree.source.folder,
        uncertain=uncertain | {"modules"} if is_short else uncertain,
    )


def uncertain_sections(tree: Tree, wrong: Iterable[DataPath], known: Iterable[str]) -> set[str]:
    """Which parts of a described Executor may not be all that was meant.

    The rest of a wrong map is still checked, but nothing is reported that may only follow from the
    mistake: with a misspelt `with`, nobody knows which arguments are missing.

    Args:
        tree: where the map is written.
        wrong: the keys in it that cannot be used, as paths from the map on.
        known: the keys that it may have.

    Returns:
        some of "with", "metas" and "requests"; "modules" where more may have to be imported;
        "class" where the class itself may be another one.
    """
    known = list(known)
    found: set[str] = set()
    for code, sections in _CUT_BY_PARSER.items():
        found |= sections if code in tree.codes else set()
    for path in wrong:
        key = str(path[0])
        found |= _sections_of(path, key if key in known else near_key(key, known))
    return found


def _sections_of(path: DataPath, meant: str) -> set[str]:
    """The sections that a wrong key makes uncertain; `meant` is the intended key."""
    section = meant.removeprefix("uses_").removeprefix("override_")
    is_whole = len(path) == 1
    found: set[str] = set()
    if section in ("metas", "requests") or (section == "with" and is_whole):
        found.add(section)
    if section == "py_modules" or (section == "metas" and (is_whole or path[1] == "py_modules")):
        found.add("modules")
    if meant in ("jtype", "uses") and is_whole:
        found.add("class")
    return found


def _is_executor(state: LoadState, tree: Tree, at: DataPath, data: Any) -> bool:
    """Whether data can be an Executor; reports why not."""
    if not isinstance(data, Mapping):
        state.problems.append(
            tree.problem(at, "wrong-type", "an Executor must be a map with `jtype: ClassName`")
        )
        return False
    if data.get("jtype") in ("Flow", "AsyncFlow"):
        state.problems.append(
            tree.problem(
                (*at, "jtype"),
                "not-an-executor",
                "this is a Flow; expected an Executor",
                hint="check it with `jina flow check`",
            )
        )
        return False
    return True


def _without_class(tree: Tree, at: DataPath, problems: list[Problem]) -> list[Problem]:
    """The problems of a map without `jtype`: that is one more, unless another one implies it."""
    if "yaml-tag" in tree.codes:
        return problems
    unknown = {p.path: n for n, p in enumerate(problems) if p.code == "unknown-key"}
    for key in _LIKE_JTYPE:
        n = unknown.get(path_text((*at, key)), -1)
        if n >= 0:
            problems[n] = replace(problems[n], hint="did you mean `jtype`?")
            return problems
    return [
        *problems,
        tree.problem(
            at,
            "no-class",
            "missing key `jtype`: it names the Executor's class",
            hint="write `jtype: MyExecutor`",
        ),
    ]


def _py_modules(
    state: LoadState, tree: Tree, at: DataPath, data: Mapping[str, Any]
) -> tuple[list[str], bool]:
    """The modules of an Executor, each once, and whether some of them are missing."""
    metas = data.get("metas")
    own = _texts(data.get("py_modules"))
    more = _texts(metas.get("py_modules")) if isinstance(metas, Mapping) else []
    folder = tree.source.folder
    located = state.located_modules(tree, (*at, "py_modules"), own, folder)
    located += state.located_modules(tree, (*at, "metas", "py_modules"), more, folder)
    return list(dict.fromkeys(located)), len(located) < len(own) + len(more)


def _texts(names: Any) -> list[str]:
    """A `py_modules` as a list, as far as it is text."""
    if isinstance(names, str):
        return [names]
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _metas(state: LoadState, tree: Tree, at: DataPath, given: Mapping[str, Any]) -> dict[str, Any]:
    """The metas without `py_modules` and empty values, with an absolute workspace."""
    metas = {k: v for k, v in given.items() if k != "py_modules" and v is not None}
    _warn_of_near_keys(state, tree, at, metas)
    if metas.get("workspace"):
        metas["workspace"] = tree.source.absolute(metas["workspace"])
    return metas


def _warn_of_near_keys(
    state: LoadState, tree: Tree, at: DataPath, metas: Mapping[str, Any]
) -> None:
    """Other keys of metas are kept, but one that is nearly a known key is suspicious."""
    for key in metas:
        if key in META_KEYS:
            continue
        problem = unknown_key(tree, (*at, key), META_KEYS, "metas")
        if problem.hint.startswith("did you mean"):
            state.problems.append(
                tree.problem(
                    (*at, key),
                    "unknown-meta",
                    f"`{key}` is not a documented key of metas; it becomes `self.metas.{key}`",
                    at="key",
                    hint=problem.hint,
                    severity="warning",
                )
            )
