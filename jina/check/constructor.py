"""The constructor of an Executor's class against the `with` of its YAML."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from jina.config.drafts import ExecutorDraft
from jina.config.problems import Problem
from jina.config.scalars import kind
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors import BaseExecutor
from jina.executors.doubts import argument_hint, swallowed_message
from jina.executors.signature import (
    Misfit,
    Mistyped,
    misfits,
    mistyped,
)
from jina.executors.spec import ExecutorSpec


def constructor_problems(
    cls: type[BaseExecutor], spec: ExecutorSpec, origin: ExecutorDraft
) -> Iterator[Problem]:
    """Why the class cannot be constructed, or not with this `with`."""
    if inspect.isabstract(cls):
        yield _abstract(cls, origin)
    for misfit in misfits(cls, spec.with_):
        if misfit.kind != "missing":
            yield _unknown_argument(cls, origin, misfit)
        elif "with" not in origin.uncertain:  # else it may be given
            yield _missing_argument(cls, origin, misfit.name)
    for wrong in mistyped(cls, spec.with_):
        if not isinstance(wrong.value, Unresolved):  # else reported already
            yield _wrong_type(cls, origin, wrong)


def _abstract(cls: type[BaseExecutor], origin: ExecutorDraft) -> Problem:
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    return origin.tree.problem(
        origin.jtype_path(),
        "abstract-class",
        f"{cls.__name__} cannot be constructed: it leaves {', '.join(abstract)} abstract",
        hint="define it, or use a subclass that does",
    )


def _missing_argument(cls: type[BaseExecutor], origin: ExecutorDraft, name: str) -> Problem:
    tree, at = origin.place("with")
    return tree.problem(
        at if at in tree.values else origin.jtype_path(),
        "missing-argument",
        f"the constructor of {cls.__name__} needs {name!r}, which `with` does not set",
        at="key",
        hint=f"add it: `with: {{{name}: …}}`",
    )


def _unknown_argument(cls: type[BaseExecutor], origin: ExecutorDraft, misfit: Misfit) -> Problem:
    """An error, or a warning where `**kwargs` takes the argument."""
    is_error = misfit.kind == "unknown"
    message = (
        f"the constructor of {cls.__name__} does not accept {misfit.name!r}"
        if is_error
        else swallowed_message(cls, misfit.name)
    )
    tree, at = origin.place("with", misfit.name)
    return tree.problem(
        at,
        "unknown-argument",
        message,
        at="key",
        hint=argument_hint(cls, misfit.name, misfit.near),
        severity="error" if is_error else "warning",
    )


def _wrong_type(cls: type[BaseExecutor], origin: ExecutorDraft, wrong: Mistyped) -> Problem:
    tree, at = origin.place("with", wrong.name)
    return tree.problem(
        at,
        "wrong-type",
        f"`with.{wrong.name}` is {kind(wrong.value)}; "
        f"{cls.__name__} annotates it as {wrong.expected}",
        hint=_type_hint(tree, at, wrong),
    )


def _type_hint(tree: Tree, at: DataPath, wrong: Mistyped) -> str:
    """How to write a value of the right type; empty where nobody can know."""
    if not (isinstance(wrong.value, str) and "number" in wrong.expected):
        return "quote it" if wrong.expected == "text" else ""
    if not _is_number(wrong.value):
        return ""
    raw = tree.raws.get(at)
    if raw is not None and raw.text.startswith("${"):
        # Without its quotes it would not be YAML inside `{…}`.
        return f"write it without quotes on a line of its own: `{wrong.name}: {raw.text}`"
    return "remove the quotes"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
