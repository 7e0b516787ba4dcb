"""What an Executor is made of, once everything that names it is followed and merged.

From `uses` (a file, a class, a map, a text, the catalogue) or an Executor's own YAML to an
`ExecutorSpec`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os.path import exists, isfile
from pathlib import Path
from typing import Any

from jina.config import catalogue
from jina.config.loader import parse
from jina.config.messages import known_keys, unknown_key, validated
from jina.config.problems import Problem
from jina.config.py_modules import ModuleMissing, locate, search_paths
from jina.config.schema import IGNORED_EXECUTOR, ExecutorModel, Metas
from jina.config.source import Source, is_yaml_path, read_file
from jina.config.tree import DataPath, Tree, shown
from jina.config.variables import Unresolved, Variables, interpolate, read_dotenv
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.load import live_class, live_spec
from jina.executors.spec import ExecutorSpec

_CLASS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PASS_THROUGH = ("BaseExecutor", "Executor")


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
    """

    tree: Tree
    at: DataPath = ()
    jtype: str = ""
    with_: dict[str, Any] = field(default_factory=dict)
    metas: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    py_modules: list[str] = field(default_factory=list)
    folder: Path = field(default_factory=Path.cwd)
    cls: type[BaseExecutor] | None = None
    overlays: list[tuple[Tree, DataPath]] = field(default_factory=list)

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
    """

    env: Mapping[str, str] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    substitute: bool = True
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    is_local: bool = False

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


def executor_piece(loading: Loading, tree: Tree, at: DataPath = ()) -> Piece | None:
    """An Executor from its map; None when problems make it unusable."""
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
    model, problems = validated(ExecutorModel, tree, data, at)
    loading.problems += problems
    if data.get("jtype") in (None, ""):
        loading.problems += _no_class(loading, tree, at, data)
        return None
    # Looked for also where something else is wrong: everything is said at once.
    folder = tree.source.folder
    metas = data.get("metas")
    named = _listed(data.get("py_modules"))
    more = _listed(metas.get("py_modules")) if isinstance(metas, Mapping) else []
    located = modules(loading, tree, (*at, "py_modules"), named, folder)
    located += modules(loading, tree, (*at, "metas", "py_modules"), more, folder)
    if model is None or len(located) < len(named) + len(more):
        return None
    values = model.model_dump()
    kept = {k: v for k, v in values["metas"].items() if k != "py_modules" and v is not None}
    _near_metas(loading, tree, (*at, "metas"), kept)
    if kept.get("workspace"):
        kept["workspace"] = _absolute(kept["workspace"], folder)
    return Piece(
        tree,
        at,
        jtype=str(data["jtype"]),
        with_=values["with_"],
        metas=kept,
        requests=values["requests"],
        py_modules=list(dict.fromkeys(located)),
        folder=folder,
    )


def _no_class(loading: Loading, tree: Tree, at: DataPath, data: Mapping[str, Any]) -> list[Problem]:
    """What to say where `jtype` is missing: nothing where that follows from another problem."""
    if any(p.code == "yaml-tag" for p in tree.problems):
        return []
    for key in ("class", "type", "cls", "uses", "name", "jtpye", "jype", "Jtype"):
        path = (*at, key)
        for n, problem in enumerate(loading.problems):
            if problem.code == "unknown-key" and problem.path == shown(path):
                loading.problems[n] = replace(problem, hint="did you mean `jtype`?")
                return []
    return [
        tree.problem(
            at,
            "no-class",
            "the key `jtype` is missing: it names the Executor's class",
            hint="write `jtype: MyExecutor`",
        )
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
            found.append(locate(name, folder))
        except ModuleMissing as err:
            loading.problems.append(
                tree.problem(place, "module-not-found", err.message, hint=err.hint)
            )
    return found


def used_piece(loading: Loading, tree: Tree, at: DataPath, uses: str) -> Piece | None:
    """An Executor from the text of a `uses`; None when problems make it unusable."""
    folder = tree.source.folder
    text = uses.strip()
    if isinstance(uses, Unresolved):
        return None
    if "\n" in uses or re.match(r"\{|!|jtype\s*:", text):
        return _inline(loading, tree, at, uses)
    scheme = _SCHEME.match(text)
    if scheme:
        return _addressed(loading, tree, at, text, scheme[1])
    if is_yaml_path(text):
        return _file(loading, tree, at, text, folder)
    if isfile(folder / text / "config.yml"):
        return _file(loading, tree, at, os.path.join(text, "config.yml"), folder)
    if "/" in text or text.startswith("."):
        place, _, name = text.rpartition(":")
        if place.endswith(".py"):
            located = modules(loading, tree, at, [place], folder)
            stem = Path(place).parent.name if place.endswith("__init__.py") else Path(place).stem
            piece = Piece(tree, at, jtype=f"{stem}:{name}", py_modules=located, folder=folder)
            return piece if located else None
        loading.problems.append(
            tree.problem(
                at,
                "bad-uses",
                f"{text!r} is no Executor: there is no config.yml in such a folder",
                hint="name a .yml file, a class, or `path/to/file.py:Class`",
            )
        )
        return None
    module, _, name = text.rpartition(":")
    if not _CLASS.fullmatch(name) or (module and not _CLASS.fullmatch(module)):
        loading.problems.append(
            tree.problem(
                at,
                "bad-uses",
                f"{text!r} is neither a YAML file, a class, nor an address",
                hint="name a .yml file, a class, `module:Class` or `catalogue://Name`",
            )
        )
        return None
    return Piece(tree, at, jtype=text, folder=folder)


def _inline(loading: Loading, tree: Tree, at: DataPath, text: str) -> Piece | None:
    """An Executor written as YAML text inside YAML, with its true lines where it is a `|` block."""
    outer = tree.source
    span = tree.span(at)
    source = Source(text, outer.file, outer.path, lines=outer.lines)
    block = outer.lines[span.line : span.end_line] if span.line else []
    head = outer.lines[span.line - 1][span.column - 1 :] if span.line else ""
    body = next((line for line in block if line.strip()), "")
    indent = len(body) - len(body.lstrip(" "))
    if (
        head.startswith("|")
        and [line[indent:] for line in block[: text.count("\n")]]
        == (text.split("\n")[: text.count("\n")])
    ):
        source = Source(
            text, outer.file, outer.path, first_line=span.line, indent=indent, lines=outer.lines
        )
    else:
        source = Source(
            text,
            f"{outer.file or '<dict>'} (text of {shown(at) or 'uses'})",
            outer.path,
            lines=text.splitlines(),
        )
    inner = Loading(loading.env, loading.context, False, loading.problems, loading.files)
    parsed = inner.tree(source)
    return executor_piece(loading, parsed) if parsed.data is not None else None


def _addressed(loading: Loading, tree: Tree, at: DataPath, text: str, scheme: str) -> Piece | None:
    if f"{scheme}://" in catalogue.SCHEMES:
        path = catalogue.find(text)
        if path is not None:
            source = read_file(str(path), what="Executor", shown=f"{text}/config.yml")
            return _from_source(loading, tree, at, source)
        name = catalogue.name_of(text)
        message = f"the catalogue has no Executor called {name!r}"
        if scheme != "catalogue":
            message += "; Jina Hub itself is not asked"
        problem = tree.problem(at, "not-in-catalogue", message, hint=catalogue.near(text))
    elif scheme == "docker":
        problem = tree.problem(
            at,
            "not-supported",
            "Executors in Docker images cannot be run: jina starts no containers",
            hint="name the Executor's YAML file or class instead",
        )
    else:
        problem = tree.problem(
            at,
            "bad-uses",
            f"`{scheme}://` is no known address",
            hint=f"known are: {', '.join(catalogue.SCHEMES)}",
        )
    loading.problems.append(problem)
    return None


def _file(loading: Loading, tree: Tree, at: DataPath, name: str, folder: Path) -> Piece | None:
    here = Path(folder, os.path.expanduser(name))
    if not exists(here) and exists(name):
        source = read_file(name, what="Executor")
    else:
        source = read_file(name, what="Executor", folder=folder, shown=tree.source.near(name))
    return _from_source(loading, tree, at, source)


def _from_source(
    loading: Loading, tree: Tree, at: DataPath, source: Source | Problem
) -> Piece | None:
    if isinstance(source, Problem):
        if not source.line:
            # The file is missing: the place to mend is where it is named.
            source = tree.problem(at, "file-not-found", source.message, hint=source.hint)
        loading.problems.append(source)
        return None
    parsed = loading.tree(source)
    if parsed.data is None:
        if not parsed.problems:
            loading.problems.append(
                parsed.problem((), "no-source", f"{source.file} is empty; expected an Executor")
            )
        return None
    return executor_piece(loading, parsed)


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


def spec_of(
    loading: Loading,
    piece: Piece,
    *,
    named_at: tuple[Tree, DataPath] | None = None,
) -> ExecutorSpec | None:
    """The spec of a piece: what a worker gets.

    Args:
        loading: collects problems.
        piece: merged.
        named_at: where the user chose this Executor, if it is another place than the piece's own.
    """
    tree, at = named_at or (piece.tree, piece.jtype_path())
    span = tree.span(at)
    fields: dict[str, Any] = {
        "with_": piece.with_,
        "metas": {key: value for key, value in piece.metas.items() if value is not None}
        | ({"py_modules": piece.py_modules} if piece.py_modules else {}),
        "requests": piece.requests,
        "file": tree.source.file,
        "line": span.line,
        "column": span.column,
    }
    if piece.cls is not None:
        return _live(loading, piece, piece.cls, fields)
    name = piece.jtype.rpartition(":")[2]
    if not piece.py_modules and ":" not in piece.jtype and "." not in piece.jtype:
        if name in _PASS_THROUGH:
            return ExecutorSpec(jtype="BaseExecutor", **fields)
        known = live_class(name)
        if known is not None:
            return _live(loading, piece, known, fields)
        loading.problems.append(
            piece.tree.problem(
                piece.jtype_path(),
                "class-not-found",
                f"nothing says where the class {name!r} is",
                hint="name its file in `metas: {py_modules: […]}`, or write `module:Class`",
                word=name,
            )
        )
        return None
    jtype, py_modules = piece.jtype, piece.py_modules
    if ":" not in jtype and "." in jtype:
        jtype = ":".join(jtype.rpartition(".")[::2])
    module = jtype.rpartition(":")[0]
    stems = {Path(p).parent.name if p.endswith("__init__.py") else Path(p).stem for p in py_modules}
    if module and module not in stems and module not in py_modules:
        try:
            py_modules = [*py_modules, located := locate(module, piece.folder)]
        except ModuleMissing as err:
            loading.problems.append(
                piece.tree.problem(
                    piece.jtype_path(), "module-not-found", err.message, hint=err.hint, word=module
                )
            )
            return None
        if os.path.isabs(located):
            jtype = f"{Path(located).stem}:{name}"
    return ExecutorSpec(
        jtype=jtype, py_modules=py_modules, search_paths=search_paths(piece.folder), **fields
    )


def _live(
    loading: Loading, piece: Piece, cls: type[BaseExecutor], fields: dict[str, Any]
) -> ExecutorSpec | None:
    """The spec of a class of this process."""
    piece.cls = cls
    if loading.is_local:
        return ExecutorSpec(jtype=cls.__name__, **fields)
    try:
        return live_spec(cls, **fields)
    except ExecutorFailToLoad as err:
        loading.problems.append(
            piece.tree.problem(piece.jtype_path(), "class-not-sendable", err.what, hint=err.hint)
        )
        return None


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
    return os.path.normpath(folder.absolute() / os.path.expanduser(path))


def _at(data: Any, path: DataPath) -> Any:
    for part in path:
        data = data[part]
    return data
