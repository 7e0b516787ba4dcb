"""Which Python interpreter runs an executor of a Flow: `python:` or `venv:` of its entry."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from typing import Any

from jina.config.load_state import LoadState
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors.pythons import is_other
from jina.executors.spec import ExecutorSpec

PYTHON, VENV = KEYS = ("python", "venv")


def interpreter_of(tree: Tree, entry: Mapping[str, Any]) -> str:
    """The absolute path of the interpreter that an entry chooses; "" if it chooses none.

    A relative path is relative to the file; a name without a slash is looked for in $PATH. Links
    are not followed: the interpreter of a virtual environment is a link.

    Args:
        tree: the Flow's.
        entry: of the executor.
    """
    venv, python = entry.get(VENV), entry.get(PYTHON)
    if _is_set(venv):
        return os.path.join(tree.source.absolute(str(venv)), "bin", "python")
    if not _is_set(python):
        return ""
    if os.sep in str(python) or str(python).startswith("~"):
        return tree.source.absolute(str(python))
    return os.path.abspath(shutil.which(str(python)) or str(python))


def interpreter_problems(tree: Tree, at: DataPath, entry: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the interpreter that an entry chooses. Nothing is run.

    Args:
        tree: the Flow's.
        at: path of the entry.
        entry: of the executor.
    """
    path = interpreter_of(tree, entry)
    if not path:
        return []
    key = VENV if _is_set(entry.get(VENV)) else PYTHON
    if key == VENV and _is_set(entry.get(PYTHON)):
        message = "`python` and `venv` both choose the interpreter"
        return [tree.problem((*at, PYTHON), "bad-value", message, at="key", hint="keep one")]
    if key == VENV:
        fault = _venv_fault(path, _making(entry, os.path.dirname(os.path.dirname(path))))
    else:
        fault = _python_fault(path, str(entry[PYTHON]))
    if fault is None:
        return []
    message, hint = fault
    return [tree.problem((*at, key), "file-not-found", message, hint=hint)]


def refuses_live(
    state: LoadState, tree: Tree, at: DataPath, entry: Mapping[str, Any], spec: ExecutorSpec
) -> bool:
    """Whether a class of this process was to run in another interpreter; it is reported.

    Args:
        state: collects problems.
        tree: the Flow's.
        at: path of the entry.
        entry: of the executor.
        spec: of the Executor.
    """
    python = interpreter_of(tree, entry)
    if not spec.live or not is_other(python):
        return False
    problem = tree.problem(
        (*at, "uses"),
        "class-not-sendable",
        f"the class {spec.jtype} is one of this process; it cannot be sent to {python}",
        hint=f"name its file, as in `uses: my_file.py:{spec.jtype}`, so that it is imported there",
    )
    state.problems.append(problem)
    return True


def _is_set(value: Any) -> bool:
    is_path = isinstance(value, str) and bool(value) and "\0" not in value
    return is_path and not isinstance(value, Unresolved)


def _venv_fault(path: str, making: str) -> tuple[str, str] | None:
    folder = os.path.dirname(os.path.dirname(path))
    if os.path.isfile(path) and os.access(path, os.X_OK):  # isfile() takes any text
        return None
    if os.path.isfile(folder):
        return f"{folder} is a file, not a virtual environment", "name the folder"
    if not os.path.isdir(folder):
        return f"there is no virtual environment at {folder}", f"make it: `{making}`"
    if os.path.islink(path):
        message = f"{path} is a link to an interpreter that is gone: {os.path.realpath(path)}"
        return message, f"remove {folder}, and make it again: `{making}`"
    hint = "name its folder, the one that has `bin/python` in it"
    return f"{folder} is not a virtual environment: it has no bin/python", hint


def _python_fault(path: str, said: str) -> tuple[str, str] | None:
    if os.path.isdir(path):
        return f"{path} is a folder, not an interpreter", f"write `venv: {said}`"
    if os.path.isfile(path) and os.access(path, os.X_OK):
        return None
    if os.path.exists(path):
        return f"{path} cannot be executed", ""
    if os.sep in said or said.startswith("~"):
        return f"no interpreter at {path}", "paths are relative to the folder of the YAML file"
    return f"no interpreter {said!r} on $PATH", "give its path"


def _making(entry: Mapping[str, Any], folder: str) -> str:
    """The command that makes the environment."""
    uses = entry.get("uses")
    is_file = isinstance(uses, str) and (uses.endswith((".yml", ".yaml")) or "://" in uses)
    what = f"{shlex.quote(str(uses))} " if is_file else ""
    return f"jina executor install {what}--venv {shlex.quote(folder)}"
