"""Import the user's modules: by file, by folder, by dotted name.

A file is imported once per process, whatever path leads to it. Modules beside it can be imported
from it, but installed packages and the standard library come first: a file `joblib.py` beside an
Executor must not stand in for the package, which other packages import. What goes wrong inside the
user's module stays the user's error.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import site
import sys
import zlib
from collections.abc import Iterable
from importlib.machinery import PathFinder
from types import ModuleType

from jina.excepts import ExecutorFailToLoad

# Real path -> module, and the folders that such modules came from: what Python keeps per process
# too.
_by_path: dict[str, ModuleType] = {}
_folders: set[str] = set()
_added: list[str] = []  # folders that we put at the end of sys.path, the nearest first


def add_search_paths(paths: Iterable[str]) -> None:
    """Put folders at the end of sys.path, in their order, before those that were put there earlier.

    Those that somebody else has put there stay where they are.
    """
    ours = []
    for path in _added:
        if path in sys.path:  # its last place: a module may have put it at the front itself
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(path)]
            ours.append(path)
    _added[:] = [path for path in dict.fromkeys([*paths, *ours]) if path not in sys.path]
    sys.path += _added


def follow_path(paths: Iterable[str]) -> None:
    """Find what another process finds: the folders of its `sys.path` come first, in their order."""
    first = list(paths)
    sys.path[:] = [*first, *(path for path in sys.path if path not in first)]


def program_folders() -> set[str]:
    """The folders that Python put on the path for the program itself: its own, or the current one.

    They hold its modules, as the folder of a YAML does, and no packages.
    """
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    folders = {os.path.abspath(os.curdir)}
    return folders | {os.path.dirname(os.path.realpath(file))} if isinstance(file, str) else folders


def installed(name: str) -> str:
    """The file that `import NAME` runs whatever the user's folders hold; "" if there is none.

    Args:
        name: of a module or package, without dots.
    """
    for finder in sys.meta_path:
        if finder is PathFinder:
            spec = PathFinder.find_spec(name, [path for path in sys.path if path not in _added])
        else:
            spec = finder.find_spec(name, None)
        origin = spec.origin if spec is not None else None
        if origin is not None and not _is_beside(origin, _added):
            return origin
    return ""


def _is_beside(origin: str, folders: Iterable[str]) -> bool:
    """Whether a module's file is in one of these folders, or its package is."""
    home = os.path.dirname(origin)
    return (os.path.dirname(home) if origin.endswith("__init__.py") else home) in folders


def import_paths(*, of_any_interpreter: bool = False) -> list[str]:
    """Where this process finds modules, for another one that shall find the same.

    Args:
        of_any_interpreter: leave out the library and the packages of this process's interpreter.
    """
    paths = [os.path.abspath(path or os.curdir) for path in sys.path if isinstance(path, str)]
    if of_any_interpreter:
        library = os.path.dirname(os.__file__)
        ours = {library, os.path.join(library, "lib-dynload")}
        ours |= {*site.getsitepackages(), site.getusersitepackages()}
        paths = [path for path in paths if path not in ours]
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]


def import_module(name: str) -> ModuleType:
    """Import one entry of `py_modules`.

    Args:
        name: path of a .py file, of a package's folder or of its `__init__.py`; or a dotted name.

    Raises:
        ExecutorFailToLoad: there is no such file or module. Anything that the module itself raises
            while it runs goes through as it is.
    """
    if not is_path(name):
        return _import_dotted(name)
    path = os.path.realpath(name)
    if os.path.isdir(path):
        path = os.path.join(path, "__init__.py")
    if not os.path.isfile(path):
        raise ExecutorFailToLoad(f"no module at {name}")
    return _by_path.get(path) or _import_file(path)


def is_path(name: str) -> bool:
    """Whether an entry of `py_modules` means a file or folder rather than a dotted name."""
    return name.endswith(".py") or os.sep in name or "/" in name


def _import_dotted(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as err:
        # Only when the module itself is missing: a module that it imports is the user's business.
        if err.name and (name == err.name or name.startswith(f"{err.name}.")):
            raise ExecutorFailToLoad(
                f"no module named {name!r}",
                hint="give a path to a .py file, or install the package",
            ) from None
        raise


def _import_file(path: str) -> ModuleType:
    folder, file = os.path.split(path)
    is_package = file == "__init__.py"
    stem = os.path.basename(folder) if is_package else file[: -len(".py")]
    already = sys.modules.get(stem)
    if already is not None and _origin(already) == path:
        # Imported by its name before, by a sibling or by the user's own program.
        _by_path[path] = already
        return already
    _forget_strangers(folder)
    add_search_paths([folder])
    _folders.add(folder)
    name = _free_name(stem, path)
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[folder] if is_package else None
    )
    if spec is None or spec.loader is None:
        raise ExecutorFailToLoad(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    # Known before it runs, as the import system does it: dataclasses and pickle look there.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as err:
        sys.modules.pop(name, None)
        if isinstance(err, SyntaxError) and err.filename is None:
            err.filename = path  # of a binary file Python itself names none
            err.msg = f"{path}: {err.msg}"
        raise
    _by_path[path] = module
    return module


def _free_name(stem: str, path: str) -> str:
    """The file's stem; if something else has that name, the stem and a mark of the path.

    An installed package that has it may not be imported yet, but by its name it is what is meant.
    """
    if (
        stem not in sys.modules
        and stem not in sys.stdlib_module_names
        and os.path.realpath(installed(stem) or path) == path
    ):
        return stem
    return f"{stem}_{zlib.crc32(path.encode()):08x}"


def _forget_strangers(folder: str) -> None:
    """Let files in this folder import the modules beside them, not their namesakes elsewhere.

    Two Executors that each have a `helper.py` may be checked in one process.
    """
    if _folders <= {folder}:
        return  # there are no strangers: nothing was imported from elsewhere
    for name, module in list(sys.modules.items()):
        origin = "" if "." in name else _origin(module)
        if not origin:
            continue
        home = os.path.dirname(origin)
        if os.path.basename(origin) == "__init__.py":
            home = os.path.dirname(home)
        if home == folder or home not in _folders:
            continue
        if os.path.exists(os.path.join(folder, f"{name}.py")) or os.path.exists(
            os.path.join(folder, name, "__init__.py")
        ):
            for known in [n for n in sys.modules if n == name or n.startswith(f"{name}.")]:
                del sys.modules[known]


def _origin(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.realpath(file) if isinstance(file, str) else ""
