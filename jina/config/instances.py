"""Executors from YAML and back: what `Executor.load_config` and `save_config` do."""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Mapping
from typing import Any

import yaml

from jina.config.callers import caller_folders
from jina.config.dumping import dumped
from jina.config.executors import load_executor
from jina.config.load_state import LoadOptions, SearchPaths, absolute_folders
from jina.excepts import BadConfigSource, ConfigError, ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.load import construct, executor_class
from jina.executors.metas import get_default_metas
from jina.executors.signature import constructor_parameters
from jina.executors.table import class_table

# The two spellings of Jina 2 and 3, the later one first: it wins.
_SPELLINGS = {
    "with": ("uses_with", "override_with"),
    "metas": ("uses_metas", "override_metas"),
    "requests": ("uses_requests", "override_requests"),
}
# Options of Jina 2 and 3 that have no meaning here.
_IGNORED = frozenset(
    {
        "allow_py_modules",
        "uses_dynamic_batching",
        "needs",
        "include_gateway",
        "noblock_on_start",
    }
)


def load_instance(
    source: Any,
    *,
    substitute: bool = True,
    context: Mapping[str, Any] | None = None,
    runtime_args: Mapping[str, Any] | None = None,
    py_modules: str | list[str] | None = None,
    extra_search_paths: SearchPaths = None,
    **options: Any,
) -> BaseExecutor:
    """Build an Executor from a config.

    Args:
        source: see `load_executor`.
        substitute: whether variables are replaced.
        context: values for `${{ CONTEXT.x }}`.
        runtime_args: what `self.runtime_args` holds.
        py_modules: more modules to import for the class.
        extra_search_paths: further folders where modules and YAML files are looked for: before the
            current one, and after the folder of the YAML that names them. Last comes the folder of
            the program that calls this.
        **options: override_with, override_metas, override_requests, or the same as uses_with,
            uses_metas, uses_requests.

    Raises:
        BadConfigSource: there is nothing usable, or its class cannot be found.
        ConfigError: carries every problem at its place.
        TypeError: an option that does not exist.
    """
    overrides = {key: _override(options, names) for key, names in _SPELLINGS.items()}
    unknown = options.keys() - _IGNORED
    if unknown:
        raise TypeError(f"load_config() got an unexpected keyword argument {min(unknown)!r}")
    how = LoadOptions(
        context=context or {},
        substitute=substitute,
        search_folders=absolute_folders(extra_search_paths),
        fallbacks=caller_folders(),
        override_with=overrides["with"],
        override_metas=overrides["metas"],
        override_requests=overrides["requests"],
        py_modules=[py_modules] if isinstance(py_modules, str) else list(py_modules or []),
    )
    config = load_executor(source, how)
    try:
        cls = config.origin.cls or executor_class(config.spec)
    except ExecutorFailToLoad as err:
        raise BadConfigSource(err.what, where=err.where, hint=err.hint) from None
    executor = construct(cls, config.spec, dict(runtime_args or {}))
    if config.file is not None:
        vars(executor)["_config_file"] = str(config.file)
    return executor


def save_instance(executor: BaseExecutor, filename: str | os.PathLike[str] | None) -> str:
    """Write the YAML of an Executor.

    Args:
        executor: `with` is written as it was constructed; later changes of attributes are not seen.
        filename: where to; None writes where it was loaded from, else to a new temporary file.

    Returns:
        the path written.

    Raises:
        ConfigError: an argument of the constructor has no YAML form.
    """
    path = os.fspath(filename) if filename is not None else vars(executor).get("_config_file")
    if path is None:
        handle, path = tempfile.mkstemp(prefix=f"{type(executor).__name__}-", suffix=".yml")
        os.close(handle)
    text = as_yaml(executor, os.path.dirname(os.path.abspath(path)))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return str(path)


def as_yaml(executor: BaseExecutor, folder: str) -> str:
    """The YAML of an Executor: jtype, with, metas, requests.

    Args:
        executor: see `save_instance`.
        folder: where the file will be; modules below it are named relative to it.
    """
    cls = type(executor)
    data = {
        "jtype": cls.__name__,
        "with": _arguments(executor),
        "metas": _metas(executor, folder),
        "requests": _requests(executor),
    }
    kept = {key: value for key, value in data.items() if value}
    try:
        return dumped(kept)
    except yaml.representer.RepresenterError as err:
        raise ConfigError(
            f"an argument of {cls.__name__} cannot be saved as YAML: {err.args[-1]!r}",
            hint="only text, numbers, booleans, lists and maps can be saved",
        ) from None


def _arguments(executor: BaseExecutor) -> dict[str, Any]:
    """Every named argument of the constructor, as it was when it was constructed."""
    args, kwargs = vars(executor).get("_init_record", ((), {}))
    known = constructor_parameters(type(executor))
    values = dict(zip(known, args, strict=False))
    values.update({key: value for key, value in kwargs.items() if key in known})
    defaults = {
        name: parameter.default
        for name, parameter in known.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {name: values.get(name, defaults.get(name)) for name in known}


def _metas(executor: BaseExecutor, folder: str) -> dict[str, Any]:
    """The metas that differ from the defaults."""
    defaults = get_default_metas()
    metas = {k: v for k, v in vars(executor.metas).items() if v != defaults.get(k)}
    if isinstance(metas.get("py_modules"), list):
        metas["py_modules"] = [
            os.path.relpath(entry, folder) if entry.startswith(f"{folder}{os.sep}") else entry
            for entry in metas["py_modules"]
        ]
    return metas


def _requests(executor: BaseExecutor) -> dict[str, str]:
    """Endpoint -> method."""
    cls = type(executor)
    names = class_table(cls)
    return {
        endpoint: names.get(endpoint, "")
        if endpoint in names and getattr(cls, names[endpoint], None) is target
        else getattr(target, "__name__", str(target))
        for endpoint, target in executor.requests.items()
    }


def _override(options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Take an option out under each of its names; the first name wins."""
    merged: dict[str, Any] = {}
    for part in reversed([options.pop(name, None) for name in names]):
        merged.update(part or {})
    return merged
