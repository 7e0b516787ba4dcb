"""Build an Executor from its spec: import, find the class, construct.

This is what a worker does first. Errors of the user's code go through as they are; those of the
spec are `ExecutorFailToLoad`, with the place where the user wrote it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from traceback import walk_tb
from types import ModuleType
from typing import Any, TypeAlias

from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.doubts import doubts_of
from jina.executors.metas import get_default_runtime_args
from jina.executors.modules import add_search_paths, follow_path, import_module, import_paths
from jina.executors.signature import injected, misfits
from jina.executors.spec import ExecutorSpec
from jina.executors.user_errors import EXIT_HINT, exited, is_ours
from jina.logging.logger import JinaLogger
from jina.suggest import near_name, nearest
from jina.wire.doubts import Doubt

_Begin: TypeAlias = Callable[[str], None] | None

_PASS_THROUGH = ("", "BaseExecutor", "Executor")


def build(
    spec: ExecutorSpec,
    runtime_args: Mapping[str, Any] | None = None,
    tell: Callable[[Doubt], None] | None = None,
) -> BaseExecutor:
    """Import what the spec names and construct its Executor.

    Args:
        spec: resolved.
        runtime_args: what the process knows (name, pea_id, replica_id, workspace, …); overrides
            the defaults of every documented field. Empty or None leaves `self.runtime_args` empty,
            as outside a Flow.
        tell: called with what is suspicious; None logs it.

    Raises:
        ExecutorFailToLoad: no such module or class, or `with` does not fit the constructor; or
            either of them called `sys.exit`, which is its cause.
    """
    args = {**get_default_runtime_args(), **runtime_args} if runtime_args else {}
    try:
        cls = executor_class(spec)
        for doubt in doubts_of(cls, spec, BaseExecutor):
            if tell is None:
                place = f"{spec.place}: " if spec.place and doubt.section else ""
                JinaLogger(cls.__name__).warning(f"{place}{doubt.text}")
            else:
                tell(doubt)
        return construct(cls, spec, args)
    except SystemExit as err:
        raise ExecutorFailToLoad(
            f"the code of {spec.jtype!r} {exited(err)}", where=spec.place, hint=EXIT_HINT
        ) from err


def construct(
    cls: type[BaseExecutor], spec: ExecutorSpec, runtime_args: dict[str, Any]
) -> BaseExecutor:
    """Call the constructor with `with`, metas, requests and runtime_args.

    A constructor without `**kwargs` gets only what it names; the instance has the rest all the
    same.

    Raises:
        ExecutorFailToLoad: `with` does not fit the constructor.
    """
    _refuse_misfits(cls, spec)
    metas = {key: value for key, value in spec.metas.items() if value is not None}
    given: dict[str, Any] = {
        "metas": {**metas, "name": metas.get("name") or cls.__name__},
        "requests": dict(spec.requests),
        "runtime_args": runtime_args,
    }
    accepted = injected(cls)
    if len(accepted) == len(given):
        return cls(**spec.with_, **given)
    # What type.__call__ does, with more for __new__ than for __init__.
    executor = cls.__new__(cls, **spec.with_, **given)
    initialise: Any = type(executor).__init__
    initialise(executor, **spec.with_, **{key: given[key] for key in accepted})
    return executor


def _refuse_misfits(cls: type[BaseExecutor], spec: ExecutorSpec) -> None:
    for misfit in misfits(cls, spec.with_):
        if misfit.kind == "missing":
            raise ExecutorFailToLoad(
                f"the constructor of {cls.__name__} needs {misfit.name!r}, "
                "which `with` does not set",
                where=spec.place,
            )
        if misfit.kind == "unknown":
            raise ExecutorFailToLoad(
                f"the constructor of {cls.__name__} does not accept {misfit.name!r}",
                where=spec.place,
                hint=f"did you mean {misfit.near!r}?" if misfit.near else "add **kwargs to it",
            )


def executor_class(spec: ExecutorSpec, begin: _Begin = None) -> type[BaseExecutor]:
    """Import the modules of a spec and find its class.

    Args:
        spec: resolved.
        begin: told the entry of each module before it is imported.

    Raises:
        ExecutorFailToLoad: a module or the class is missing, or the class is not an Executor. It
            names the modules that were searched, and near matches.
    """
    follow_path(spec.path)
    add_search_paths(spec.search_paths)
    if spec.live:
        from jina.executors import live  # late: only such a class travels pickled

        return _checked(live.loads(spec.live), spec, "the user's process")
    home, _, name = spec.jtype.rpartition(":")
    modules = [_import(entry, spec, begin) for entry in spec.py_modules]
    if home:
        modules = [_home(home, modules, spec, begin)]
    elif name in _PASS_THROUGH:
        return BaseExecutor
    return _find(name, modules, spec)


def is_unfit(error: BaseException) -> bool:
    """Whether `build` raised this before it came to the user's constructor.

    If so, the modules, the class or the names of arguments or methods are to blame, and a check
    finds that too.
    """
    cause = error.__cause__ if isinstance(error.__cause__, SystemExit) else error
    codes = [frame.f_code for frame, _ in walk_tb(cause.__traceback__)]
    if construct.__code__ not in codes:
        return True
    return all(is_ours(code.co_filename) for code in codes[codes.index(construct.__code__) :])


def live_spec(cls: type[BaseExecutor], **fields: Any) -> ExecutorSpec:
    """The spec of a class that exists in this process.

    Args:
        cls: any Executor class; one defined in a script, a notebook or a function travels by value.
        **fields: further fields of the spec.

    Raises:
        ExecutorFailToLoad: it holds on to something that cannot leave this process.
    """
    from jina.executors import live  # late, as above

    if cls is BaseExecutor:
        return ExecutorSpec(jtype="BaseExecutor", **fields)
    # A class of an importable module travels as its name: the worker needs the same path to find
    # it.
    fields.setdefault("path", import_paths())
    try:
        pickled = live.dumps(cls)
    except Exception as err:
        raise ExecutorFailToLoad(
            f"the class {cls.__name__} cannot be sent to its process: {err}",
            where=str(fields.get("file", "")),
            hint="move it to a module and refer to it as `module:Class`",
        ) from err
    return ExecutorSpec(jtype=cls.__name__, live=pickled, **fields)


def live_class(name: str) -> type[BaseExecutor] | None:
    """The class of this name that this process defined last; None if there is none."""
    found = None
    for cls in _subclasses(BaseExecutor):
        if cls.__name__ == name:
            found = cls
    return found


def _import(entry: str, spec: ExecutorSpec, begin: _Begin) -> ModuleType:
    if begin is not None:
        begin(entry)
    try:
        return import_module(entry)
    except ExecutorFailToLoad as err:
        err.where = err.where or spec.place
        raise


def _home(home: str, modules: list[ModuleType], spec: ExecutorSpec, begin: _Begin) -> ModuleType:
    """The module of "module:Class": one of `py_modules` by its stem, else an importable one."""
    for module in reversed(modules):
        file = getattr(module, "__file__", "") or ""
        folder, stem = os.path.split(os.path.splitext(file)[0])
        stem = os.path.basename(folder) if stem == "__init__" else stem
        if home in (stem, module.__name__):
            return module
    return _import(home, spec, begin)


def _find(name: str, modules: list[ModuleType], spec: ExecutorSpec) -> type[BaseExecutor]:
    for module in reversed(modules):
        if hasattr(module, name):
            return _checked(getattr(module, name), spec, module.__name__)
    if not modules or ":" not in spec.jtype:
        # Defined elsewhere: by a module that those import, or by the program that is running.
        known = live_class(name)
        if known is not None:
            return known
    raise ExecutorFailToLoad(
        f"no Executor class {name!r} in {_listed(modules)}",
        where=spec.place,
        hint=_near(name, modules),
    )


def _checked(found: object, spec: ExecutorSpec, home: str) -> type[BaseExecutor]:
    if isinstance(found, type) and issubclass(found, BaseExecutor):
        return found
    raise ExecutorFailToLoad(
        f"{spec.jtype!r} in {home} is not an Executor: it does not subclass jina.Executor",
        where=spec.place,
    )


def _listed(modules: list[ModuleType]) -> str:
    if not modules:
        return "what is loaded: `py_modules` is not set"
    return ", ".join(m.__name__ for m in modules)


def _near(name: str, modules: list[ModuleType]) -> str:
    names = [
        cls.__name__
        for cls in _subclasses(BaseExecutor)
        if not modules or cls.__module__ in {m.__name__ for m in modules}
    ]
    close = nearest(name, names)
    if close:
        return f"did you mean {close!r}?"
    if names and modules:
        return f"the Executors there are: {', '.join(sorted(set(names)))}"
    if modules:
        return "no class there subclasses jina.Executor"
    return "name its file in `py_modules`, or write `module:Class`"


def near_class(name: str) -> str:
    """The name of a class of this process that was perhaps meant; "" if there is none."""
    names = [cls.__name__ for cls in _subclasses(BaseExecutor)]
    return near_name(name, names, cutoff=0.75)  # many were not made by the user: nearly alike


def _subclasses(cls: type[BaseExecutor]) -> Iterator[type[BaseExecutor]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)
