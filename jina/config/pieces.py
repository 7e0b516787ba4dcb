"""An Executor as a YAML map describes it: checked, its modules located, its paths absolute.

Where the map stands (a file, a text, a Flow's entry) is the matter of `uses.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jina.config.doubts import doubts
from jina.config.loader import parse
from jina.config.messages import known_keys, unknown_key, usable, validated
from jina.config.problems import Problem
from jina.config.py_modules import ModuleMissing, locate
from jina.config.schema import IGNORED_EXECUTOR, ExecutorModel, Metas
from jina.config.source import Source, current_folder
from jina.config.tree import DataPath, Tree, shown
from jina.config.variables import Unresolved, Variables, interpolate, read_dotenv

#: One folder or several.
SearchPaths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None


@dataclass
class Piece:
    """An Executor as some tree describes it.

    Args:
        tree: where it stands.
        at: path of its map within the tree.
        jtype: class, as written.
        with_: constructor arguments.
        metas: as written; paths are still relative.
        requests: endpoint -> method.
        py_modules: located.
        folder: what its relative paths are relative to.
        cls: a class of this process, instead of all names.
        overlays: entries of a Flow that lay settings over it: tree, and path of the entry.
        doubts: the parts of it that may not be all that was meant, see `jina.config.doubts`.
    """

    tree: Tree
    at: DataPath = ()
    jtype: str = ""
    with_: dict[str, Any] = field(default_factory=dict)
    metas: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    py_modules: list[str] = field(default_factory=list)
    folder: Path = field(default_factory=current_folder)
    cls: type[Any] | None = None
    overlays: list[tuple[Tree, DataPath]] = field(default_factory=list)
    doubts: set[str] = field(default_factory=set)

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


@dataclass
class Loading:
    """What one load shares: variables, problems, files read.

    Args:
        env: see `Variables`.
        context: see `Variables`.
        substitute: whether variables are replaced.
        problems: everything found so far.
        files: YAML files that went into the result.
        is_local: the Executor is for this process: its class need not travel.
        extra: further folders where modules and YAML files are looked for; absolute.
    """

    env: Mapping[str, str] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    substitute: bool = True
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    is_local: bool = False
    extra: list[Path] = field(default_factory=list)

    def tree(self, source: Source) -> Tree:
        """Parse and interpolate; problems are collected."""
        tree = parse(source)
        if source.path is not None:
            self.files.append(source.path)
        if self.substitute and tree.raws:
            env = os.environ if self.env is None else self.env
            dotenv = read_dotenv(source.folder / ".env") if source.path is not None else {}
            interpolate(tree, Variables(env, self.context, dotenv))
        self.problems += tree.problems
        return tree


def extra_folders(paths: SearchPaths) -> list[Path]:
    """The folders of `extra_search_paths`; relative ones are in the current folder."""
    named = [paths] if isinstance(paths, str | os.PathLike) else list(paths or [])
    return [Path(os.path.normpath(current_folder() / os.path.expanduser(path))) for path in named]


def executor_piece(loading: Loading, tree: Tree, at: DataPath = ()) -> Piece | None:
    """An Executor from its map, as far as it is right; None when there is no class to look at."""
    data = _at(tree.data, at)
    if not isinstance(data, Mapping):
        loading.problems.append(
            tree.problem(
                at,
                "wrong-type",
                "an Executor is a map; expected `jtype: ClassName` in it",
            )
        )
        return None
    if data.get("jtype") in ("Flow", "AsyncFlow"):
        loading.problems.append(
            tree.problem(
                (*at, "jtype"),
                "not-an-executor",
                "this is a Flow; expected an Executor",
                hint="check it with `jina flow check`",
            )
        )
        return None
    data = without_ignored(loading, tree, at, data, IGNORED_EXECUTOR)
    problems = validated(ExecutorModel, tree, data, at)[1]
    loading.problems += problems if data.get("jtype") else _without_class(tree, at, problems)
    # Looked for also where something else is wrong: everything is said at once.
    folder = tree.source.folder
    metas = data.get("metas")
    named = _listed(data.get("py_modules"))
    more = _listed(metas.get("py_modules")) if isinstance(metas, Mapping) else []
    located = modules(loading, tree, (*at, "py_modules"), named, folder)
    located += modules(loading, tree, (*at, "metas", "py_modules"), more, folder)
    model, wrong = usable(ExecutorModel, data)
    jtype = data.get("jtype")
    if model is None or not jtype or not isinstance(jtype, str) or isinstance(jtype, Unresolved):
        return None
    doubtful = doubts(tree, wrong, known_keys(ExecutorModel))
    if len(located) < len(named) + len(more):
        doubtful.add("modules")
    values = model.model_dump()
    kept = {k: v for k, v in values["metas"].items() if k != "py_modules" and v is not None}
    _near_metas(loading, tree, (*at, "metas"), kept)
    if kept.get("workspace"):
        kept["workspace"] = _absolute(kept["workspace"], folder)
    return Piece(
        tree,
        at,
        jtype=jtype,
        with_=values["with_"],
        metas=kept,
        requests=values["requests"],
        py_modules=list(dict.fromkeys(located)),
        folder=folder,
        doubts=doubtful,
    )


def _without_class(tree: Tree, at: DataPath, problems: list[Problem]) -> list[Problem]:
    """The problems of a map without `jtype`, which is one more unless it follows from another."""
    if "yaml-tag" in tree.codes:
        return problems
    unknown = {p.path: n for n, p in enumerate(problems) if p.code == "unknown-key"}
    for key in ("class", "type", "cls", "uses", "name", "jtpye", "jype", "Jtype"):
        n = unknown.get(shown((*at, key)), -1)
        if n >= 0:
            problems[n] = replace(problems[n], hint="did you mean `jtype`?")
            return problems
    return [
        *problems,
        tree.problem(
            at,
            "no-class",
            "the key `jtype` is missing: it names the Executor's class",
            hint="write `jtype: MyExecutor`",
        ),
    ]


def _listed(names: Any) -> list[str]:
    """A `py_modules` as a list, as far as it is text."""
    if isinstance(names, str):
        return [names]
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def modules(
    loading: Loading, tree: Tree, path: DataPath, names: list[str], folder: Path
) -> list[str]:
    """The located entries of a `py_modules`; a problem for each that is missing."""
    found = []
    for n, name in enumerate(names):
        place = (*path, n) if (*path, n) in tree.values else path
        if isinstance(name, Unresolved):
            continue
        try:
            found.append(locate(name, folder, loading.extra))
        except ModuleMissing as err:
            loading.problems.append(
                tree.problem(place, "module-not-found", err.message, hint=err.hint)
            )
    return found


def without_ignored(
    loading: Loading, tree: Tree, at: DataPath, data: Mapping[str, Any], ignored: frozenset[str]
) -> dict[str, Any]:
    """The data without the keys that have no meaning here; a warning for each of them."""
    kept = {}
    for key, value in data.items():
        if key in ignored:
            loading.problems.append(
                tree.problem(
                    (*at, key),
                    "ignored-key",
                    f"`{key}` has no meaning here; it is ignored",
                    at="key",
                    severity="warning",
                )
            )
        else:
            kept[key] = value
    return kept


def _near_metas(loading: Loading, tree: Tree, at: DataPath, metas: Mapping[str, Any]) -> None:
    """Other keys of metas are kept, but one that is nearly a known key is suspicious."""
    known = known_keys(Metas)
    for key in metas:
        if key not in known:
            problem = unknown_key(tree, (*at, key), known, "metas")
            if problem.hint.startswith("did you mean"):
                loading.problems.append(
                    tree.problem(
                        (*at, key),
                        "unknown-meta",
                        f"`{key}` is no documented key of metas; it becomes `self.metas.{key}`",
                        at="key",
                        hint=problem.hint,
                        severity="warning",
                    )
                )


def _absolute(path: str, folder: Path) -> str:
    return os.path.normpath(current_folder() / folder / os.path.expanduser(path))


def _at(data: Any, path: DataPath) -> Any:
    for part in path:
        data = data[part]
    return data
