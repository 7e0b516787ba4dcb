"""What the caller asked of one load (`LoadOptions`), and what the load collects (`LoadState`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from jina.config.loader import parse
from jina.config.older_keys import INSTEAD_OF_IGNORED
from jina.config.problems import Problem
from jina.config.py_modules import ModuleMissing, locate
from jina.config.source import Source, current_folder
from jina.config.tree import DataPath, Tree, path_text
from jina.config.variables import Unresolved, Variables, interpolate, read_dotenv

#: One folder or several.
SearchPaths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a config is loaded. It is made once, where the config comes in, and handed down.

    Args:
        context: values for `${{ CONTEXT.x }}`.
        env: environment for variables; os.environ when None.
        substitute: whether variables are replaced.
        search_folders: where modules and YAML files are looked for after the folder of the YAML,
            and before the current one; absolute.
        fallbacks: where they are looked for after the current folder; absolute.
        entry_fallbacks: the same for each executor of a Flow, by its position.
        only_graph: read no more than the graph of a Flow: names, needs, numbers of processes. Its
            Executors are not looked for.
        override_with: overrides an Executor's `with`.
        override_metas: overrides its `metas`.
        override_requests: overrides its `requests`.
        py_modules: more modules to import for it, relative to the current folder.
        overlays: further YAML files of a Flow, see `jina.config.overlays`.
        settings: single values that override all files: `executors.encoder.with.batch=32`.
        env_file: `KEY=value` lines that win over a `.env` beside the YAML, and not over `env`.
        http: settings of HTTP that win over those of the YAML; None where it is not served.
    """

    context: Mapping[str, Any] = {}
    env: Mapping[str, str] | None = None
    substitute: bool = True
    search_folders: Sequence[Path] = ()
    fallbacks: Sequence[Path] = ()
    entry_fallbacks: Sequence[Sequence[Path]] = ()
    only_graph: bool = False
    override_with: Mapping[str, Any] = {}
    override_metas: Mapping[str, Any] = {}
    override_requests: Mapping[str, str] = {}
    py_modules: Sequence[str] = ()
    overlays: Sequence[Path] = ()
    settings: Sequence[str] = ()
    env_file: Path | None = None
    http: Mapping[str, Any] | None = {}

    def fallbacks_of(self, number: int) -> Sequence[Path]:
        """Those of one executor of a Flow alone."""
        return self.entry_fallbacks[number] if number < len(self.entry_fallbacks) else ()


#: Nothing was asked for.
DEFAULT_OPTIONS = LoadOptions()


class LoadState(msgspec.Struct):
    """What one load has found so far.

    Args:
        options: what the caller asked for.
        is_local: the Executor is for this process: its class need not be pickled for another one.
        problems: everything that is wrong or suspicious.
        files: YAML files that went into the result.
        is_elsewhere: another interpreter imports the modules.
    """

    options: LoadOptions = DEFAULT_OPTIONS
    is_local: bool = False
    problems: list[Problem] = []
    files: list[Path] = []
    is_elsewhere: bool = False

    def tree(self, source: Source) -> Tree:
        """Parse a source and replace its variables; problems are collected."""
        return self.finished(self.parsed(source))

    def parsed(self, source: Source) -> Tree:
        """Parse a source; its variables and its problems are left for `finished`."""
        if source.path is not None:
            self.files.append(source.path)
        return parse(source)

    def finished(self, tree: Tree) -> Tree:
        """Replace the variables of a tree, and collect its problems."""
        if self.options.substitute and tree.raws:
            source = tree.source
            dotenv = read_dotenv(source.folder / ".env") if source.path is not None else {}
            if self.options.env_file is not None:
                dotenv |= read_dotenv(self.options.env_file)
            self.interpolate(tree, dotenv)
        self.problems += tree.problems
        return tree

    def interpolate(self, tree: Tree, dotenv: Mapping[str, str]) -> None:
        """Replace the variables of a tree; its problems are not collected yet."""
        env = os.environ if self.options.env is None else self.options.env
        interpolate(tree, Variables(env, self.options.context, dotenv))

    def without_variables(self) -> LoadState:
        """The same state for text whose variables are replaced already."""
        return structs.replace(self, options=structs.replace(self.options, substitute=False))

    def with_folders(self, extra: Sequence[Path], fallbacks: Sequence[Path]) -> LoadState:
        """The same state with more folders to look in."""
        options = structs.replace(
            self.options,
            search_folders=[*extra, *self.options.search_folders],
            fallbacks=[*self.options.fallbacks, *fallbacks],
        )
        return structs.replace(self, options=options)

    def of_other_interpreter(self) -> LoadState:
        """The same state for what another interpreter imports: its packages are not known here."""
        return structs.replace(self, is_elsewhere=True)

    def located(self, name: str, folder: Path) -> str:
        """One module, see `py_modules.locate`."""
        return locate(
            name,
            folder,
            self.options.search_folders,
            self.options.fallbacks,
            is_elsewhere=self.is_elsewhere,
        )

    def located_modules(
        self, tree: Tree, path: DataPath, names: Sequence[str], folder: Path
    ) -> list[str]:
        """The entries of a `py_modules` that lead somewhere; a problem for each other one.

        Args:
            tree: where they are written.
            path: that of `py_modules` in it.
            names: the entries.
            folder: what they are relative to.
        """
        found = []
        for n, name in enumerate(names):
            if isinstance(name, Unresolved):
                continue
            try:
                found.append(self.located(name, folder))
            except ModuleMissing as err:
                place = (*path, n) if (*path, n) in tree.values else path
                self.problems.append(
                    tree.problem(place, "module-not-found", err.message, hint=err.hint)
                )
        return found

    def without_ignored(
        self, tree: Tree, at: DataPath, data: Mapping[str, Any], ignored: frozenset[str]
    ) -> dict[str, Any]:
        """The data without the keys that have no meaning here; a warning for each of them.

        A variable that is not set is not a mistake there: its value is not used.
        """
        for key in (key for key in data if key in ignored):
            self.forgive_unset(tree, (*at, key))
            self.problems.append(
                tree.problem(
                    (*at, key),
                    "ignored-key",
                    f"`{key}` has no effect here; it is ignored",
                    at="key",
                    hint=INSTEAD_OF_IGNORED.get(key, ""),
                    severity="warning",
                )
            )
        return {key: value for key, value in data.items() if key not in ignored}

    def forgive_unset(self, tree: Tree, at: DataPath) -> None:
        """Forget the variables that are not set at this place, or below it."""
        place = path_text(at)
        below = (f"{place}.", f"{place}[")
        self.problems[:] = [
            problem
            for problem in self.problems
            if problem.code != "unset-variable"
            or problem.file not in tree.files
            or (problem.path != place and not problem.path.startswith(below))
        ]


def absolute_folders(paths: SearchPaths) -> list[Path]:
    """The folders of `extra_search_paths`; relative ones are in the current folder."""
    named = [paths] if isinstance(paths, str | os.PathLike) else list(paths or [])
    return [Path(os.path.normpath(current_folder() / os.path.expanduser(path))) for path in named]
