"""What `jina executor check` and `jina flow check` find: problems and endpoints, as data.

First the YAML alone; then, unless told otherwise, the Executor's modules are imported, which runs
their top-level code. Nothing is constructed and no process is started. It prints nothing.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import linecache
import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from os.path import exists, isdir
from pathlib import Path
from typing import Any, NamedTuple

from jina.config.executors import inspect_executor
from jina.config.flows import read_flow
from jina.config.needs import NAME_HINT
from jina.config.pieces import Piece
from jina.config.problems import Problem, errors_in, ordered
from jina.config.scalars import kind
from jina.config.tree import DataPath, Tree
from jina.excepts import ExecutorFailToLoad
from jina.executors import SAFE_NAME, BaseExecutor
from jina.executors.annotations import mistyped
from jina.executors.arguments import ARGUMENTS, unfillable
from jina.executors.constructor import misfits, parameters
from jina.executors.load import executor_class, trimmed_traceback
from jina.executors.modules import import_module
from jina.executors.spec import ExecutorSpec
from jina.executors.table import claims, instance_table


class Endpoint(NamedTuple):
    """A row of the table.

    Args:
        executor: name of the node in its Flow; of the class for an Executor alone.
        endpoint: such as "/index"; "/default" is the handler of all others.
        method: such as "MyExecutor.index".
        place: `executor.py:12`, where the method is written.
    """

    executor: str
    endpoint: str
    method: str
    place: str


@dataclass
class Report:
    """What was found.

    Args:
        source: what was checked, as the user named it.
        problems: by file, line and column; errors and warnings.
        endpoints: who serves what; empty where nothing was imported.
    """

    source: str
    problems: list[Problem] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep it from running, or make it do something else than written."""
        return errors_in(self.problems)

    @property
    def warnings(self) -> list[Problem]:
        """The problems that are only suspicious."""
        return [p for p in self.problems if p.severity == "warning"]

    @property
    def is_clean(self) -> bool:
        """Whether there is no error."""
        return not self.errors


def check_executor(source: Any, *, no_import: bool = False) -> Report:
    """Check an Executor.

    Args:
        source: see `jina.config.load_executor`; usually the path of its YAML.
        no_import: look at the YAML alone.
    """
    report = Report(_named(source))
    config, problems = inspect_executor(source, is_local=True)
    report.problems += problems
    if config is not None:
        report.problems += _folders(config.origin, config.spec)
        if not no_import:
            _check_class(report, config.spec, config.origin, "")
    report.problems = ordered(report.problems)
    return report


def check_flow(source: Any, *, no_import: bool = False) -> Report:
    """Check a Flow and every Executor that it uses.

    Args:
        source: see `jina.config.load_flow`; usually the path of its YAML.
        no_import: look at the YAML files alone.
    """
    report = Report(_named(source))
    reading = read_flow(source)
    report.problems += reading.problems
    for node in reading.nodes:
        if node.origin is None:
            continue
        report.problems += _folders(node.origin, node.executor)
        if not node.executor.metas.get("workspace") and node.origin.overlays:
            tree, at = node.origin.overlays[0]
            at = (*at, "workspace") if (*at, "workspace") in tree.values else ("with", "workspace")
            report.problems += _unwritable(tree, at, node.workspace)
        if not no_import:
            _check_class(report, node.executor, node.origin, node.name)
    report.problems = ordered(report.problems)
    return report


def _named(source: Any) -> str:
    if isinstance(source, str) and "\n" not in source:
        return source
    return os.fspath(source) if isinstance(source, os.PathLike) else "<text>"


def _check_class(report: Report, spec: ExecutorSpec, origin: Piece, node: str) -> None:
    """Import one Executor and compare its class with what the YAML says."""
    cls = _imported(report, spec, origin)
    if cls is None:
        return
    if cls is not BaseExecutor:
        report.problems += _namesakes(spec, origin)
        report.problems += _constructor(cls, spec, origin)
        report.problems += _bindings(cls, spec, origin)
        report.problems += _source(cls)
    report.endpoints += _rows(cls, spec, node or cls.__name__)


def _imported(report: Report, spec: ExecutorSpec, origin: Piece) -> type[BaseExecutor] | None:
    path = origin.jtype_path()
    try:
        # What a module prints while it is imported is no data of ours.
        with contextlib.redirect_stdout(sys.stderr):
            return origin.cls or executor_class(spec)
    except ExecutorFailToLoad as err:
        report.problems.append(
            origin.tree.problem(
                path, "class-not-found", err.what, hint=err.hint, word=_class_name(spec)
            )
        )
    except KeyboardInterrupt:
        raise
    except BaseException as err:
        report.problems.append(_fault(origin, path, err))
    return None


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
    return Problem(
        **{
            **{name: getattr(problem, name) for name in Problem.__dataclass_fields__},
            "detail": textwrap.indent(text.rstrip("\n"), "  "),
        }
    )


def _constructor(cls: type[BaseExecutor], spec: ExecutorSpec, origin: Piece) -> Iterator[Problem]:
    known = ", ".join(parameters(cls)) or "nothing but **kwargs"
    for misfit in misfits(cls, spec.with_):
        if misfit.kind == "missing":
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
        tree, at = origin.place("with", wrong.name)
        hint = ""
        if isinstance(wrong.value, str) and "number" in wrong.expected:
            hint = "remove the quotes" if _is_number(wrong.value) else ""
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


def _bindings(cls: type[BaseExecutor], spec: ExecutorSpec, origin: Piece) -> Iterator[Problem]:
    methods = [name for name, value in inspect.getmembers(cls, callable) if name[:2] != "__"]
    for endpoint, name in spec.requests.items():
        tree, at = origin.place("requests", endpoint)
        target = getattr(cls, name, None)
        if target is None:
            near = difflib.get_close_matches(name, methods, n=1)
            own = [m for m in methods if m not in dir(BaseExecutor)]
            listed = f"its methods are: {', '.join(own)}" if own else "it has no methods of its own"
            yield tree.problem(
                at,
                "unknown-method",
                f"{cls.__name__} has no method {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else listed,
            )
        elif not callable(target):
            yield tree.problem(
                at, "unknown-method", f"{cls.__name__}.{name} cannot be called; it is no method"
            )
        else:
            static = inspect.getattr_static(cls, name)
            plain = getattr(static, "__func__", static)
            missing = unfillable(plain, is_bound=isinstance(static, staticmethod))
            if missing:
                yield tree.problem(
                    at,
                    "uncallable-method",
                    f"{cls.__name__}.{name} cannot serve an endpoint: "
                    f"nothing fills its parameter {missing[0]!r}",
                    hint=f"a method receives what it names among {', '.join(ARGUMENTS)}",
                )
    for endpoint, names in claims(cls).items():
        if endpoint in spec.requests:
            continue
        yield _in_python(
            getattr(cls, names[-1]),
            "endpoint-claimed-twice",
            f"{' and '.join(names)} of {cls.__name__} both serve {endpoint}; {names[-1]} wins",
            hint="give each its own endpoint",
        )

    if not spec.requests and not instance_table(cls, None):
        for name in methods:
            method = getattr(cls, name)
            if not hasattr(BaseExecutor, name) and "docs" in _parameters(method):
                yield _in_python(
                    method,
                    "no-endpoint",
                    f"{cls.__name__} serves no endpoint: Documents pass through it unchanged",
                    hint=f"decorate `{name}` with @requests, or bind it in `requests:`",
                    severity="warning",
                )
                return


def _parameters(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


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
        yield _in_python(
            init,
            "no-super-call",
            f"the constructor of {cls.__name__} does not call super().__init__(**kwargs)",
            hint="it works, but what it does to metas and requests before is not seen",
            severity="warning",
        )
    elif not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(init).parameters.values()):
        yield _in_python(
            init,
            "no-kwargs",
            f"the constructor of {cls.__name__} does not take **kwargs",
            hint="add **kwargs and hand them to super().__init__(**kwargs)",
            severity="warning",
        )


def _in_python(
    function: Any, code: str, message: str, *, hint: str = "", severity: Any = "error"
) -> Problem:
    file, line = _where(function)
    text = linecache.getline(file, line).rstrip("\n") if line else ""
    start = len(text) - len(text.lstrip()) + 1
    return Problem(
        code,
        message,
        file=_shown(file),
        line=line,
        column=start if line else 0,
        end_column=len(text) + 1,
        hint=hint,
        severity=severity,
        source_line=text,
    )


def _rows(cls: type[BaseExecutor], spec: ExecutorSpec, name: str) -> Iterator[Endpoint]:
    bindings = {e: m for e, m in spec.requests.items() if callable(getattr(cls, m, None))}
    for endpoint, target in instance_table(cls, bindings).items():
        plain = getattr(target, "__func__", target)
        file, line = _where(plain)
        method = f"{cls.__name__}.{getattr(plain, '__name__', '?')}"
        yield Endpoint(name, endpoint, method, f"{_shown(file)}:{line}" if line else _shown(file))


def _where(function: Any) -> tuple[str, int]:
    """File and line of the `def`, not of the decorators above it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return "", 0
    line = code.co_firstlineno
    for offset in range(50):
        text = linecache.getline(code.co_filename, line + offset).lstrip()
        if text.startswith(("def ", "async def ")):
            return code.co_filename, line + offset
    return code.co_filename, line


def _shown(file: str) -> str:
    """A path below the current folder is shown relative to it."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


def _folders(origin: Piece, spec: ExecutorSpec) -> Iterator[Problem]:
    """The name and the workspace in metas: both become folders."""
    name, workspace = spec.metas.get("name"), spec.metas.get("workspace")
    if isinstance(name, str) and name and not SAFE_NAME.fullmatch(name):
        tree, at = origin.place("metas", "name")
        yield tree.problem(
            at,
            "bad-name",
            f"{name!r} cannot be a folder; reading `self.workspace` would fail",
            hint=NAME_HINT,
            severity="warning",
        )
    if isinstance(workspace, str) and workspace:
        tree, at = origin.place("metas", "workspace")
        yield from _unwritable(tree, at, workspace)


def _unwritable(tree: Tree, at: DataPath, workspace: str) -> Iterator[Problem]:
    place = Path(workspace)
    while not exists(place) and place != place.parent:
        place = place.parent
    if not isdir(place):
        yield tree.problem(
            at,
            "workspace-not-writable",
            f"the workspace {workspace} cannot be made: {_shown(str(place))} is a file",
        )
    elif not os.access(place, os.W_OK | os.X_OK):
        yield tree.problem(
            at,
            "workspace-not-writable",
            f"the workspace {workspace} cannot be written: no permission for {place}",
        )
