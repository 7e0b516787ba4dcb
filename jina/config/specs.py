"""From the draft of an Executor to the `ExecutorSpec` that a worker builds it from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jina.config.drafts import ExecutorClass, ExecutorDraft
from jina.config.load_state import LoadState
from jina.config.problems import Problem
from jina.config.py_modules import ModuleMissing, module_name, search_paths
from jina.config.tree import DataPath, Tree
from jina.excepts import ExecutorFailToLoad
from jina.executors.load import live_class, live_spec, near_class
from jina.executors.spec import ExecutorSpec

_PASS_THROUGH = ("BaseExecutor", "Executor")


def spec_of(
    state: LoadState,
    draft: ExecutorDraft,
    *,
    named_at: tuple[Tree, DataPath] | None = None,
) -> ExecutorSpec | None:
    """The spec of an Executor; None when its class cannot be known, which is reported.

    Args:
        state: collects problems.
        draft: complete, with all overrides applied.
        named_at: where the user chose this Executor, if that is not where the draft is written.
    """
    fields = _fields(draft, *(named_at or (draft.tree, draft.jtype_path())))
    if draft.cls is not None:
        return _spec_of_class(state, draft, draft.cls, fields)
    if draft.py_modules or ":" in draft.jtype or "." in draft.jtype:
        return _spec_of_module(state, draft, fields)
    return _spec_of_name(state, draft, fields)


def _fields(draft: ExecutorDraft, tree: Tree, at: DataPath) -> dict[str, Any]:
    """What a spec has whatever its class is."""
    file, line, column = tree.mark(at)
    metas = {key: value for key, value in draft.metas.items() if value is not None}
    if draft.py_modules:
        metas["py_modules"] = draft.py_modules
    return {
        "with_": draft.with_,
        "metas": metas,
        "requests": draft.requests,
        "dynamic_batching": draft.batching,
        "file": file,
        "line": line,
        "column": column,
    }


def _spec_of_class(
    state: LoadState, draft: ExecutorDraft, cls: ExecutorClass, fields: dict[str, Any]
) -> ExecutorSpec | None:
    """A class of this process; another process gets it pickled."""
    draft.cls = cls
    if state.is_local:
        return ExecutorSpec(jtype=cls.__name__, **fields)
    try:
        return live_spec(cls, **fields)
    except ExecutorFailToLoad as err:
        state.problems.append(_at_class(draft, "class-not-sendable", err.what, err.hint))
        return None


def _spec_of_name(
    state: LoadState, draft: ExecutorDraft, fields: dict[str, Any]
) -> ExecutorSpec | None:
    """A class name alone: the pass-through Executor, or a class of this process."""
    name = draft.jtype
    if name in _PASS_THROUGH:
        return ExecutorSpec(jtype="BaseExecutor", **fields)
    known = live_class(name)
    if known is not None:
        return _spec_of_class(state, draft, known, fields)
    if "modules" not in draft.uncertain:  # else the missing module is reported
        message = f"cannot tell where the class {name!r} is defined"
        near = near_class(name)
        hint = f"did you mean {near!r}? Otherwise n" if near else "n"
        hint += "ame its file in `metas: {py_modules: […]}`, or write `module:Class`"
        state.problems.append(_at_class(draft, "class-not-found", message, hint, name))
    return None


def _spec_of_module(
    state: LoadState, draft: ExecutorDraft, fields: dict[str, Any]
) -> ExecutorSpec | None:
    """A class of a module: of `module:Class`, `module.Class` or `py_modules`."""
    jtype, py_modules = draft.jtype, draft.py_modules
    if ":" not in jtype and "." in jtype:
        jtype = ":".join(jtype.rpartition(".")[::2])
    module, _, name = jtype.rpartition(":")
    if module and module not in py_modules and module not in map(module_name, py_modules):
        try:
            located = state.located(module, draft.folder)
        except ModuleMissing as err:
            if "modules" not in draft.uncertain:
                state.problems.append(
                    _at_class(draft, "module-not-found", err.message, err.hint, module)
                )
            return None
        py_modules = [*py_modules, located]
        if os.path.isabs(located):
            jtype = f"{Path(located).stem}:{name}"
    return ExecutorSpec(
        jtype=jtype,
        py_modules=py_modules,
        search_paths=search_paths(
            draft.folder, state.options.search_folders, state.options.fallbacks
        ),
        **fields,
    )


def _at_class(
    draft: ExecutorDraft, code: str, message: str, hint: str = "", word: str = ""
) -> Problem:
    """A problem where the class is named."""
    return draft.tree.problem(draft.jtype_path(), code, message, hint=hint, word=word)
