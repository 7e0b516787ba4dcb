"""Import the class of an Executor and compare it with its YAML."""

from __future__ import annotations

import contextlib
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from os.path import isfile
from typing import TypeAlias

from msgspec import structs

from jina.check.batching import batching_problems
from jina.check.class_search import class_hint, relative_import_hint
from jina.check.constructor import constructor_problems
from jina.check.methods import endpoint_rows, method_problems
from jina.check.python_source import fault_problem, shown_file
from jina.check.report import Report
from jina.check.shadows import shadow_problems
from jina.config.drafts import ExecutorDraft
from jina.config.problems import Note, Problem
from jina.config.tree import DataPath
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.class_faults import constructor_faults
from jina.executors.load import executor_class
from jina.executors.missing import missing_for, missing_requirements
from jina.executors.modules import add_search_paths, import_module
from jina.executors.spec import ExecutorSpec
from jina.executors.user_errors import EXIT_HINT, exited, trimmed_traceback

Begin: TypeAlias = Callable[[str], None]


def check_class(
    report: Report, spec: ExecutorSpec, origin: ExecutorDraft, node: str, begin: Begin
) -> None:
    """Import one Executor and compare its class with what the YAML says.

    Args:
        report: problems and endpoints are added to it.
        spec: of the Executor.
        origin: where it is written.
        node: its name in a Flow; empty for an Executor alone.
        begin: called with what of the user's code runs next.
    """
    where = f"{spec.place}: " if spec.place else ""

    def note(module: str) -> None:
        begin(f"{where}importing {shown_file(module)}")

    # What a module prints while it is imported is not part of the report.
    with contextlib.redirect_stdout(sys.stderr):
        loaded = spec if origin.cls else _loadable(report, spec, origin, note)
        cls = origin.cls or _found(report, loaded, origin, note)
    if not origin.cls:
        known = {problem.message for problem in report.problems}
        found = shadow_problems(loaded, origin, modules_path(origin))
        report.problems += [problem for problem in found if problem.message not in known]
    if cls is None:
        return
    if cls is not BaseExecutor:
        report.problems += _lacking(loaded, origin)
        report.problems += _namesakes(loaded, origin)
        report.problems += constructor_problems(cls, spec, origin)
        report.problems += method_problems(cls, spec, origin)
        report.problems += map(fault_problem, constructor_faults(cls))
    report.problems += batching_problems(cls, spec, origin)
    report.endpoints += endpoint_rows(cls, spec, node or cls.__name__)


def _loadable(
    report: Report, spec: ExecutorSpec, origin: ExecutorDraft, note: Begin
) -> ExecutorSpec:
    """Import every module: return the spec with those that can be imported, report the others."""
    add_search_paths(spec.search_paths)
    loaded: list[str] = []
    reasons: set[tuple[str, str, int | None]] = set()
    for entry in spec.py_modules:
        note(entry)
        try:
            import_module(entry)
        except KeyboardInterrupt:
            raise
        except BaseException as err:
            reason = _reason(err)
            if isinstance(err, ExecutorFailToLoad) or reason not in reasons:
                report.problems.append(_import_problem(spec, origin, entry, err))
            reasons.add(reason)
        else:
            loaded.append(entry)
    if reasons:
        origin.uncertain.add("modules")
    return structs.replace(spec, py_modules=loaded)


def _import_problem(
    spec: ExecutorSpec, origin: ExecutorDraft, entry: str, err: BaseException
) -> Problem:
    """Why a module cannot be imported."""
    if isinstance(err, ExecutorFailToLoad):
        return _not_found(origin, spec, err)
    problem = _raised(origin, err, spec)
    if isinstance(err, ImportError) and "no known parent package" in str(err):
        return replace(problem, hint=relative_import_hint(spec, entry))
    return problem


def _reason(err: BaseException) -> tuple[str, str, int | None]:
    """Why a module failed: two fail for one reason when one of them imports the other."""
    frame = traceback.extract_tb(err.__traceback__)[-1]
    return repr(err), frame.filename, frame.lineno


def _found(
    report: Report, spec: ExecutorSpec, origin: ExecutorDraft, note: Begin
) -> type[BaseExecutor] | None:
    """The class; when a module is missing, only if one of the others has it."""
    is_short = "modules" in origin.uncertain
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
            report.problems.append(_raised(origin, err, spec))
    return None


def _not_found(origin: ExecutorDraft, spec: ExecutorSpec, err: ExecutorFailToLoad) -> Problem:
    name = _class_name(spec)
    # A near name is the better hint; "there is none" is only true of what was searched.
    hint = (err.hint if "did you mean" in err.hint else "") or class_hint(spec, name) or err.hint
    return origin.tree.problem(
        origin.jtype_path(), "class-not-found", err.what, hint=hint, word=name
    )


def _class_name(spec: ExecutorSpec) -> str:
    return spec.jtype.rpartition(":")[2]


def _raised(origin: ExecutorDraft, err: BaseException, spec: ExecutorSpec) -> Problem:
    """The user's own code failed while it was imported; their frames, from the module on."""
    if isinstance(err, SyntaxError) and err.lineno and isfile(err.filename or ""):
        return _not_python(origin, err)
    text = trimmed_traceback(err)
    what = type(err).__name__
    try:
        said = str(err).partition("\n")[0]
    except Exception:  # even the exception's own text may fail; the traceback says so
        said = ""
    tree, at = origin.tree, modules_path(origin)
    message = f"importing the Executor raised {what}: {said}".removesuffix(": ")
    missing = missing_for(err, spec)
    hint = missing.help if missing else ""
    if isinstance(err, SystemExit):
        message, hint = f"importing the Executor {exited(err)}", EXIT_HINT
    problem = tree.problem(
        at,
        "import-failed",
        message,
        hint=hint,
        notes=[Note(missing.note)] if missing else (),
    )
    return replace(problem, detail=textwrap.indent(text.rstrip("\n"), "  "))


def _not_python(origin: ExecutorDraft, err: SyntaxError) -> Problem:
    """A module that is not valid Python, at its own place."""
    start = err.offset or 1
    end = err.end_offset if err.end_lineno == err.lineno and err.end_offset else 0
    return Problem(
        "import-failed",
        f"not valid Python: {err.msg}",
        file=shown_file(err.filename or ""),
        line=err.lineno or 0,
        column=start,
        end_column=max(start + 1, end or 0),
        notes=(origin.tree.note(modules_path(origin), "imported because of this"),),
        source_line=(err.text or "").rstrip("\n"),
    )


def modules_path(origin: ExecutorDraft) -> DataPath:
    """Where the modules are named, else the class."""
    at = origin.jtype_path()
    for section in (("metas", "py_modules"), ("py_modules",)):
        if (*origin.at, *section) in origin.tree.values:
            at = (*origin.at, *section)
    return at


def _lacking(spec: ExecutorSpec, origin: ExecutorDraft) -> Iterator[Problem]:
    """Packages that its requirements list, and that are not there."""
    missing = None if origin.cls or "modules" in origin.uncertain else missing_requirements(spec)
    if missing:
        yield origin.tree.problem(
            modules_path(origin),
            "missing-package",
            f"not all of its requirements are installed: {missing.note}",
            hint=missing.help,
            severity="warning",
        )


def _namesakes(spec: ExecutorSpec, origin: ExecutorDraft) -> Iterator[Problem]:
    """Several modules that each have a class of this name."""
    name = spec.jtype
    found: dict[type, str] = {}
    for module in map(import_module, spec.py_modules if ":" not in name else []):
        cls = getattr(module, name, None)
        if isinstance(cls, type):
            found[cls] = module.__name__
    if len(found) > 1:
        modules = list(found.values())
        yield origin.tree.problem(
            origin.jtype_path(),
            "ambiguous-class",
            f"{' and '.join(modules)} each define a class {name}; the one in {modules[-1]} is used",
            hint=f"write `{modules[-1]}:{name}`",
            severity="warning",
        )
