"""From a described Executor to the `ExecutorSpec` that a worker builds it from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jina.config.pieces import Loading, Piece
from jina.config.py_modules import ModuleMissing, locate, search_paths
from jina.config.tree import DataPath, Tree
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.load import live_class, live_spec
from jina.executors.spec import ExecutorSpec

_PASS_THROUGH = ("BaseExecutor", "Executor")


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
        if "modules" in piece.doubts:  # what is wrong with those is said
            return None
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
            py_modules = [*py_modules, located := locate(module, piece.folder, loading.extra)]
        except ModuleMissing as err:
            if "modules" in piece.doubts:
                return None
            loading.problems.append(
                piece.tree.problem(
                    piece.jtype_path(), "module-not-found", err.message, hint=err.hint, word=module
                )
            )
            return None
        if os.path.isabs(located):
            jtype = f"{Path(located).stem}:{jtype.rpartition(':')[2]}"
    return ExecutorSpec(
        jtype=jtype,
        py_modules=py_modules,
        search_paths=search_paths(piece.folder, loading.extra),
        **fields,
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
