"""An Executor's YAML, checked: `load_executor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from jina.config.drafts import ExecutorDraft, executor_draft
from jina.config.load_state import DEFAULT_OPTIONS, LoadOptions, LoadState
from jina.config.problems import Problem, errors_in, ordered, result_or_raise
from jina.config.source import Source, current_folder, is_yaml_path, open_source
from jina.config.specs import spec_of
from jina.config.tree import DataPath, RawScalar, Tree
from jina.config.uses import draft_of_uses
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
    origin: ExecutorDraft
    warnings: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def load_executor(source: Any, options: LoadOptions = DEFAULT_OPTIONS) -> ExecutorConfig:
    """Read and check an Executor's YAML.

    The Executor is for this process. A class that exists only here is not pickled; it is in the
    config's `origin.cls`.

    Args:
        source: path, YAML or JSON text, open stream, dict, class, class name, `module:Class` or
            `catalogue://Name`.
        options: variables, further folders, and what overrides the YAML.

    Raises:
        BadConfigSource: there is nothing usable at `source`.
        ConfigError: carries every problem at its place.
    """
    found = read_executor(source, options)
    return result_or_raise(found.config, found.problems)


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
    origin: ExecutorDraft | None
    problems: list[Problem]


def read_executor(
    source: Any, options: LoadOptions = DEFAULT_OPTIONS, *, is_elsewhere: bool = False
) -> ExecutorReading:
    """Like `load_executor`, but return what is right and what is wrong, instead of raising it.

    Args:
        source: as there.
        options: as there.
        is_elsewhere: another interpreter will import its modules; this one need not have them.
    """
    state = LoadState(options, is_local=True, is_elsewhere=is_elsewhere)
    draft = _draft(state, source)
    if draft is None:
        return ExecutorReading(None, None, None, ordered(state.problems))
    _lay_over(state, draft)
    spec = spec_of(state, draft)
    problems = ordered(state.problems)
    if spec is None or errors_in(problems):
        return ExecutorReading(None, spec, draft, problems)
    config = ExecutorConfig(spec, draft.tree.source.path, draft, problems, state.files)
    return ExecutorReading(config, spec, draft, problems)


def _lay_over(state: LoadState, draft: ExecutorDraft) -> None:
    """Let what the caller gave win over the YAML."""
    options = state.options
    draft.lay_over(options.override_with, options.override_metas, options.override_requests)
    given = draft.metas.pop("py_modules", None) if options.override_metas else None
    more = [given] if isinstance(given, str) else list(given or [])
    names = [*options.py_modules, *more]
    from_python = Tree(draft.tree.source)
    draft.py_modules += state.located_modules(from_python, (), names, current_folder())


def _draft(state: LoadState, source: Any) -> ExecutorDraft | None:
    """The config at a source; None if problems make it unusable."""
    if isinstance(source, type):
        return ExecutorDraft(Tree(Source()), jtype=source.__name__, cls=source)
    opened = open_source(
        source,
        what="Executor",
        extra=state.options.search_folders,
        fallbacks=state.options.fallbacks,
    )
    if isinstance(opened, Problem):
        state.problems.append(opened)
        return None
    if opened.file == "<text>" and "\n" not in opened.text and _is_address(opened.text.strip()):
        # A class name, module:Class or an address: it has no lines, and messages name it.
        tree = Tree(Source(), data=opened.text.strip())
        return draft_of_uses(state, tree, (), opened.text.strip())
    tree = state.tree(opened)
    if opened.data is not None and state.options.substitute:
        _replace_variables(state, tree)
    if tree.data is None:
        if not tree.problems:
            state.problems.append(
                tree.problem((), "no-source", f"{opened.file} is empty; expected an Executor")
            )
        return None
    return executor_draft(state, tree)


def _is_address(text: str) -> bool:
    return not is_yaml_path(text) and text[:1] not in "{!" and ": " not in text and text[-1:] != ":"


def _replace_variables(state: LoadState, tree: Tree) -> None:
    """A dict from Python may hold variables too; its texts are like quoted ones."""
    tree.data = _copied(tree.data, (), tree)
    if tree.raws:
        state.interpolate(tree, {})
        state.problems += tree.problems


def _copied(value: Any, path: DataPath, tree: Tree) -> Any:
    """A copy with text keys; the places of its variables are noted in the tree."""
    if isinstance(value, Mapping):
        return {str(key): _copied(item, (*path, str(key)), tree) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item, (*path, n), tree) for n, item in enumerate(value)]
    if isinstance(value, str) and "$" in value:
        tree.raws[path] = RawScalar(value, False)
    return value
