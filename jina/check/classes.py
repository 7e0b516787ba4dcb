"""The class of an Executor against its YAML: imported, constructor compared, methods looked at."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from msgspec import structs

from jina.check.homes import elsewhere, relative_import
from jina.check.methods import bindings, rows
from jina.check.places import in_python, shown_file
from jina.check.report import Report
from jina.config.pieces import Piece
from jina.config.problems import Problem
from jina.config.scalars import kind
from jina.config.tree import DataPath
from jina.config.variables import Unresolved
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.load import executor_class
from jina.executors.modules import add_search_paths, import_module
from jina.executors.signature import constructor_parameters, misfits, mistyped
from jina.executors.spec import ExecutorSpec
from jina.executors.user_errors import trimmed_traceback

Begin: TypeAlias = Callable[[str], None]


def check_class(report: Report, spec: ExecutorSpec, origin: Piece, node: str, begin: Begin) -> None:
    """Import one Executor and compare its class with what the YAML says.

    Args:
        report: problems and endpoints are added to it.
        spec: of the Executor.
        origin: where it is written.
        node: its name in a Flow; empty for an Executor alone.
        begin: told what of the user's code is run next.
    """
    where = f"{spec.place}: " if spec.place else ""

    def note(module: str) -> None:
        begin(f"{where}importing {shown_file(module)}")

    # What a module prints while it is imported is no data of ours.
    with contextlib.redirect_stdout(sys.stderr):
        loaded = spec if origin.cls else _loadable(report, spec, origin, note)
        cls = origin.cls or _found(report, loaded, origin, note)
    if cls is None:
        return
    if cls is not BaseExecutor:
        report.problems += _namesakes(loaded, origin)
        report.problems += _constructor(cls, spec, origin)
        report.problems += bindings(cls, spec, origin)
        report.problems += _source(cls)
    report.endpoints += rows(cls, spec, node or cls.__name__)


def _loadable(report: Report, spec: ExecutorSpec, origin: Piece, note: Begin) -> ExecutorSpec:
    """Import every module; the spec with those that can be, the faults of the others reported."""
    add_search_paths(spec.search_paths)
    path = origin.jtype_path()
    loaded: list[str] = []
    reasons: set[tuple[str, str, int | None]] = set()
    for entry in spec.py_modules:
        note(entry)
        try:
            import_module(entry)
        except KeyboardInterrupt:
            raise
        except BaseException as err:
            if isinstance(err, ExecutorFailToLoad):
                report.problems.append(_not_found(origin, spec, err))
            elif _reason(err) not in reasons:
                fault = _fault(origin, path, err)
                if isinstance(err, ImportError) and "no known parent package" in str(err):
                    fault = replace(fault, hint=relative_import(spec, entry))
                report.problems.append(fault)
            reasons.add(_reason(err))
        else:
            loaded.append(entry)
    if reasons:
        origin.doubts.add("modules")
    return structs.replace(spec, py_modules=loaded)


def _reason(err: BaseException) -> tuple[str, str, int | None]:
    """Why a module failed: two may fail of one fault, as where one of them imports the other."""
    frame = traceback.extract_tb(err.__traceback__)[-1]
    return repr(err), frame.filename, frame.lineno


def _found(
    report: Report, spec: ExecutorSpec, origin: Piece, note: Begin
) -> type[BaseExecutor] | None:
    """The class; where a module is missing, only if it stands in one of the others."""
    is_short = "modules" in origin.doubts
    name = _class_name(spec)
    if is_short and not any(hasattr(import_module(entry), name) for entry in spec.py_modules):
        return None
    try:
        return executor_class(spec, note)
    except ExecutorFailToLoad as err:
        if not is_short:
            report.problems.append(_not_found(origin, spec, err))
    except KeyboardInterrupt:
        raise
    except BaseException as err:
        if not is_short:
            report.problems.append(_fault(origin, origin.jtype_path(), err))
    return None


def _not_found(origin: Piece, spec: ExecutorSpec, err: ExecutorFailToLoad) -> Problem:
    name = _class_name(spec)
    # A near name is the better hint; "there is none" is only true of what was looked at.
    hint = (err.hint if "did you mean" in err.hint else "") or elsewhere(spec, name) or err.hint
    return origin.tree.problem(
        origin.jtype_path(), "class-not-found", err.what, hint=hint, word=name
    )


def _class_name(spec: ExecutorSpec) -> str:
    return spec.jtype.rpartition(":")[2]


def _fault(origin: Piece, path: DataPath, err: BaseException) -> Problem:
    """The user's own code failed while it was imported: their frames, from the module on."""
    text = trimmed_traceback(err)
    what = type(err).__name__
    try:
        said = str(err).partition("\n")[0]
    except Exception:
        # Even the exception's own text may fail; the traceback says so.
        said = ""
    tree, at = origin.tree, path
    for section in (("metas", "py_modules"), ("py_modules",)):
        if (*origin.at, *section) in tree.values:
            at = (*origin.at, *section)
    problem = tree.problem(
        at, "import-failed", f"importing the Executor raised {what}: {said}".removesuffix(": ")
    )
    return replace(problem, detail=textwrap.indent(text.rstrip("\n"), "  "))


def _constructor(cls: type[BaseExecutor], spec: ExecutorSpec, origin: Piece) -> Iterator[Problem]:
    known = ", ".join(constructor_parameters(cls)) or "nothing but **kwargs"
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if inspect.isabstract(cls):
        yield origin.tree.problem(
            origin.jtype_path(),
            "abstract-class",
            f"{cls.__name__} cannot be constructed: it leaves {', '.join(abstract)} abstract",
            hint="define it, or name a subclass that does",
        )
    for misfit in misfits(cls, spec.with_):
        if misfit.kind == "missing":
            if "with" in origin.doubts:  # it may be given
                continue
            tree, at = origin.place("with")
            yield tree.problem(
                at if at in tree.values else origin.jtype_path(),
                "missing-argument",
                f"the constructor of {cls.__name__} needs {misfit.name!r}, "
                "which `with` does not give",
                at="key",
                hint=f"add it: `with: {{{misfit.name}: …}}`",
            )
            continue
        tree, at = origin.place("with", misfit.name)
        near = f"did you mean `{misfit.near}`?" if misfit.near else f"it takes: {known}"
        if misfit.kind == "unknown":
            yield tree.problem(
                at,
                "unknown-argument",
                f"the constructor of {cls.__name__} takes no {misfit.name!r}",
                at="key",
                hint=near,
            )
        else:
            yield tree.problem(
                at,
                "unknown-argument",
                f"{cls.__name__} names no argument {misfit.name!r}; it falls into **kwargs",
                at="key",
                hint=near,
                severity="warning",
            )
    for wrong in mistyped(cls, spec.with_):
        if isinstance(wrong.value, Unresolved):  # reported already
            continue
        tree, at = origin.place("with", wrong.name)
        hint = ""
        if isinstance(wrong.value, str) and "number" in wrong.expected:
            hint = "remove the quotes" if _is_number(wrong.value) else ""
            raw = tree.raws.get(at)
            if hint and raw is not None and raw.text.startswith("${"):
                # Without its quotes it would not be YAML inside `{…}`.
                hint = f"write it without quotes on a line of its own: `{wrong.name}: {raw.text}`"
        elif wrong.expected == "text":
            hint = "quote it"
        yield tree.problem(
            at,
            "wrong-type",
            f"`with.{wrong.name}` is {kind(wrong.value)}; "
            f"{cls.__name__} annotates it as {wrong.expected}",
            hint=hint,
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _namesakes(spec: ExecutorSpec, origin: Piece) -> Iterator[Problem]:
    """Several modules that each have a class of that name."""
    name = spec.jtype
    found = {}
    for module in map(import_module, spec.py_modules if ":" not in name else []):
        cls = getattr(module, name, None)
        if isinstance(cls, type):
            found[cls] = module.__name__
    if len(found) > 1:
        homes = list(found.values())
        yield origin.tree.problem(
            origin.jtype_path(),
            "ambiguous-class",
            f"{' and '.join(homes)} each have a class {name}; that of {homes[-1]} is taken",
            hint=f"write `{homes[-1]}:{name}`",
            severity="warning",
        )


def _source(cls: type[BaseExecutor]) -> Iterator[Problem]:
    """What the constructor's source lacks; only of a class that has one of its own."""
    init = vars(cls).get("__init__")
    if not inspect.isfunction(init):
        return
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, SyntaxError, TypeError):
        return
    calls = [node.func for node in ast.walk(body) if isinstance(node, ast.Call)]
    if not any(isinstance(call, ast.Attribute) and call.attr == "__init__" for call in calls):
        yield in_python(
            init,
            "no-super-call",
            f"the constructor of {cls.__name__} does not call super().__init__(**kwargs)",
            hint="it works, but what it does to metas and requests before is not seen",
            severity="warning",
        )
    elif not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(init).parameters.values()):
        yield in_python(
            init,
            "no-kwargs",
            f"the constructor of {cls.__name__} does not take **kwargs",
            hint="add **kwargs and hand them to super().__init__(**kwargs)",
            severity="warning",
        )
