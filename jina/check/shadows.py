"""Warn about modules of the user that have the name of a package, or of the standard library.

Packages come first, so that such a file breaks none of them. But whoever imports it by its name
gets the package, and as soon as it is started in another way, as `python app.py`, it is the other
way round.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from os.path import isfile

from jina.check.python_source import shown_file
from jina.config.drafts import ExecutorDraft
from jina.config.problems import Problem
from jina.config.tree import DataPath
from jina.executors.modules import installed, is_path
from jina.executors.spec import ExecutorSpec

_MOST = 500  # modules of a folder that are looked at
# Nobody imports these by name; some packages install theirs by mistake.
_HARMLESS = {"test", "tests"}


def shadow_problems(spec: ExecutorSpec, origin: ExecutorDraft, at: DataPath) -> Iterator[Problem]:
    """The modules in the folder of the YAML, and beside the Executor's, that have a taken name.

    Args:
        spec: of the Executor, its folders on the path already.
        origin: where it is written.
        at: the path of what names its modules.
    """
    files = [path for path in spec.py_modules if is_path(path)]
    folders = [*spec.search_paths[:1], *(os.path.dirname(_file(path)) for path in files)]
    for folder in dict.fromkeys(map(os.path.realpath, folders if spec.py_modules else [])):
        for name, file in _modules_in(folder):
            if owner := _owner(name, file):
                yield origin.tree.problem(
                    at,
                    "taken-name",
                    f"{shown_file(file)} has the name of {owner}: `import {name}` imports that, "
                    "not this file",
                    hint="rename it",
                    severity="warning",
                )


def _file(path: str) -> str:
    return os.path.join(path, "__init__.py") if os.path.isdir(path) else path


def _modules_in(folder: str) -> Iterator[tuple[str, str]]:
    """The names of the modules and packages in a folder, and their files."""
    try:
        names = sorted(os.listdir(folder))[:_MOST]
    except OSError:
        return
    for name in names:
        stem, ending = os.path.splitext(name)
        file = os.path.join(folder, name)
        if not ending:
            file = os.path.join(file, "__init__.py")
        if ending in ("", ".py") and stem.isidentifier() and isfile(file):
            yield stem, file


def _owner(name: str, file: str) -> str:
    """What else has the name, in words; "" if nothing does."""
    if name in _HARMLESS or name.startswith("__"):
        return ""
    if name in sys.stdlib_module_names:
        return "a module of the standard library"
    other = installed(name)
    if not other or os.path.realpath(other) == os.path.realpath(file):
        return ""
    return f"an installed package ({shown_file(other)})"
