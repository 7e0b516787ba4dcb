"""An Executor's YAML, checked: `load_executor`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from jina.config.pieces import Loading, Piece, SearchPaths, executor_piece, extra_folders, modules
from jina.config.problems import Problem, errors_in, ordered, settled
from jina.config.source import Source, current_folder, is_yaml_path, open_source
from jina.config.specs import spec_of
from jina.config.tree import Raw, Tree
from jina.config.uses import used_piece
from jina.config.variables import Variables, interpolate
from jina.executors.spec import ExecutorSpec


@dataclass(frozen=True)
class ExecutorConfig:
    """An Executor, fully resolved.

    Args:
        spec: what a worker builds it from.
        file: its YAML file; None when it came from a text or a dict.
        origin: where it is written, for messages about it.
        warnings: what is suspicious or ignored.
        files: all YAML files that went into it.
    """

    spec: ExecutorSpec
    file: Path | None
    origin: Piece
    warnings: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def load_executor(
    source: Any,
    *,
    override_with: Mapping[str, Any] | None = None,
    override_metas: Mapping[str, Any] | None = None,
    override_requests: Mapping[str, str] | None = None,
    py_modules: str | list[str] | None = None,
    context: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    substitute: bool = True,
    is_local: bool = False,
    extra_search_paths: SearchPaths = None,
) -> ExecutorConfig:
    """Read and check an Executor's YAML.

    Args:
        source: path, YAML or JSON text, open stream, dict, class, class name, `module:Class` or
            `catalogue://Name`.
        override_with: laid over `with`.
        override_metas: laid over `metas`.
        override_requests: laid over `requests`.
        py_modules: more modules to import, relative to the current folder.
        context: values for `${{ CONTEXT.x }}`.
        env: environment for variables; os.environ when None.
        substitute: whether variables are replaced.
        is_local: it is for this process: a class that exists only here is not pickled for another
            one; it stands in the config's `origin.cls`.
        extra_search_paths: further folders where modules and YAML files are looked for, behind the
            folder of the YAML.

    Raises:
        BadConfigSource: there is nothing usable at `source`.
        ConfigError: carries every problem at its place.
    """
    found = read_executor(
        source,
        override_with=override_with,
        override_metas=override_metas,
        override_requests=override_requests,
        py_modules=py_modules,
        context=context,
        env=env,
        substitute=substitute,
        is_local=is_local,
        extra_search_paths=extra_search_paths,
    )
    return settled(found.config, found.problems)


class ExecutorReading(NamedTuple):
    """All that could be read of an Executor, wrong or not.

    Args:
        config: None when there are errors.
        spec: what is right about it; None where no class is known.
        origin: as in `ExecutorConfig`; None where no class is known.
        problems: in their order.
    """

    config: ExecutorConfig | None
    spec: ExecutorSpec | None
    origin: Piece | None
    problems: list[Problem]


def read_executor(
    source: Any,
    *,
    override_with: Mapping[str, Any] | None = None,
    override_metas: Mapping[str, Any] | None = None,
    override_requests: Mapping[str, str] | None = None,
    py_modules: str | list[str] | None = None,
    context: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    substitute: bool = True,
    is_local: bool = False,
    extra_search_paths: SearchPaths = None,
) -> ExecutorReading:
    """Like `load_executor`, but return what is right and what is wrong, instead of raising it."""
    places = extra_folders(extra_search_paths)
    loading = Loading(env, context or {}, substitute, is_local=is_local, extra=places)
    piece = _piece(loading, source)
    if piece is None:
        return ExecutorReading(None, None, None, ordered(loading.problems))
    piece.with_ = {**piece.with_, **(override_with or {})}
    piece.metas = {**piece.metas, **(override_metas or {})}
    piece.requests = {**piece.requests, **(override_requests or {})}
    extra = [py_modules] if isinstance(py_modules, str) else list(py_modules or [])
    more = piece.metas.pop("py_modules", None) if override_metas else None
    extra += [more] if isinstance(more, str) else list(more or [])
    piece.py_modules += modules(loading, Tree(piece.tree.source), (), extra, current_folder())
    spec = spec_of(loading, piece)
    problems = ordered(loading.problems)
    if spec is None or errors_in(problems):
        return ExecutorReading(None, spec, piece, problems)
    warnings = [p for p in problems if p.severity == "warning"]
    config = ExecutorConfig(spec, piece.tree.source.path, piece, warnings, loading.files)
    return ExecutorReading(config, spec, piece, problems)


def _piece(loading: Loading, source: Any) -> Piece | None:
    from_python = _named(loading, source)
    if from_python is not None:
        return from_python
    opened = open_source(source, what="Executor", extra=loading.extra)
    if isinstance(opened, Problem):
        loading.problems.append(opened)
        return None
    if opened.file == "<text>" and "\n" not in opened.text and _is_address(opened.text.strip()):
        # A class name, module:Class or an address.
        tree = Tree(opened, data=opened.text.strip())
        return used_piece(loading, tree, (), opened.text.strip())
    tree = loading.tree(opened)
    if opened.data is not None and loading.substitute:
        tree = _interpolated(loading, tree)
    if tree.data is None:
        if not tree.problems:
            loading.problems.append(
                tree.problem((), "no-source", f"{opened.file} is empty; expected an Executor")
            )
        return None
    return executor_piece(loading, tree)


def _named(loading: Loading, source: Any) -> Piece | None:
    if isinstance(source, type):
        return Piece(Tree(Source()), jtype=source.__name__, cls=source)
    return None


def _is_address(text: str) -> bool:
    return not is_yaml_path(text) and text[:1] not in "{!" and ": " not in text and text[-1:] != ":"


def _interpolated(loading: Loading, tree: Tree) -> Tree:
    """A dict from Python may hold variables too; its texts are like quoted ones."""
    tree.data = _copied(tree.data, (), tree)
    if tree.raws:
        env = os.environ if loading.env is None else loading.env
        interpolate(tree, Variables(env, loading.context))
        loading.problems += tree.problems
    return tree


def _copied(value: Any, path: tuple[str | int, ...], tree: Tree) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copied(item, (*path, str(key)), tree) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item, (*path, n), tree) for n, item in enumerate(value)]
    if isinstance(value, str) and "$" in value:
        tree.raws[path] = Raw(value, False)
    return value
