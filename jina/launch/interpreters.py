"""Processes in another Python interpreter: how they are started, and what does not fit.

Whether its jina fits is seen in the process itself, before anything of the user's is imported: see
`elsewhere.py`.
"""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from collections.abc import Mapping
from typing import NamedTuple

from jina.executors.pythons import is_other, venv_of
from jina.launch import elsewhere, probing, sources
from jina.launch.elsewhere import NEEDED, UNSUITED
from jina.launch.probing import NoAnswer
from jina.launch.sources import ROOT, VERSION
from jina.runtime.fingerprint import fingerprint

_OURS = ("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")
PROGRAM_HINT = "name the program of a Python interpreter"


class Misfit(NamedTuple):
    """Why an interpreter cannot run what it was to run.

    Attributes:
        reason: one sentence, without a full stop.
        help: what to do.
    """

    reason: str
    help: str


def command(python: str, *module: str) -> list[str]:
    """The command that runs a module of jina.

    It ends with UNSUITED where the interpreter has no jina that fits; its last line says why.

    Args:
        python: absolute path of the interpreter; "" for this one.
        *module: a module with `main(arguments)` that is run as a script too, and its arguments.
    """
    if is_other(python):
        return [python, elsewhere.__file__, VERSION, fingerprint(), *module]
    # -P: a file of the user's folder must not stand in for one of the standard library.
    return [sys.executable, "-P", "-m", *module]


def environment(python: str) -> dict[str, str]:
    """The environment for `command`: ours, but not what only this interpreter needs.

    Args:
        python: as there.
    """
    if not is_other(python):
        return {**os.environ, **import_path()}
    env = {name: value for name, value in os.environ.items() if name not in _OURS}
    paths = [path for path in env.pop("PYTHONPATH", "").split(os.pathsep) if path != str(ROOT)]
    if any(paths):
        env["PYTHONPATH"] = os.pathsep.join(paths)
    return env | activated(python, env)


def activated(python: str, env: Mapping[str, str]) -> dict[str, str]:
    """What `activate` of a virtual environment sets; nothing for an interpreter outside of one."""
    folder = venv_of(python)
    if not folder:
        return {}
    path = os.pathsep.join([os.path.dirname(python), *filter(None, [env.get("PATH", "")])])
    return {"VIRTUAL_ENV": folder, "PATH": path}


def import_path() -> dict[str, str]:
    """The environment in which a fresh process of this interpreter imports this jina."""
    root = str(ROOT)
    if root in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        return {}
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join([root, before]) if before else root}


def misfit(python: str) -> Misfit | None:
    """Why an interpreter cannot run Executors for us; None if it can.

    Args:
        python: absolute path. It is run, and imports its jina.
    """
    if not is_other(python):
        return None
    try:
        answer = probing.ask(command(python), environment(python))
    except NoAnswer as error:
        return Misfit(str(error), _program_hint(python))
    if answer.code == UNSUITED:
        return told(python, answer.errors)
    if not answer.code and elsewhere.answer(VERSION, fingerprint()) in answer.lines:
        return None
    if probing.is_too_old(answer):
        return told(python, [probing.too_old(python)])
    if answer.code and any(line.startswith("Traceback (") for line in answer.errors):
        return Misfit(f"{python} cannot import jina: {answer.errors[-1]}", install_hint(python))
    return Misfit(probing.no_python(python, answer), _program_hint(python))


def _program_hint(python: str) -> str:
    """What to do about an interpreter that does not run."""
    folder = venv_of(python)
    if not folder:
        return PROGRAM_HINT
    making = f"jina executor install --venv {shlex.quote(folder)}"
    return f"remove {folder}, and make it again: `{making}`"


def told(python: str, lines: list[str]) -> Misfit:
    """What a process that ended with UNSUITED has said.

    Args:
        python: as for `command`.
        lines: that it printed.
    """
    reason = lines[-1] if lines else f"{python} has no jina that fits"
    is_old = reason.endswith(NEEDED)
    return Misfit(reason, "choose a newer interpreter" if is_old else install_hint(python))


def install_hint(python: str) -> str:
    """The command that gives an interpreter the jina of this one."""
    folder = venv_of(python)
    if folder:
        return f"install this jina in it: `jina executor install --venv {shlex.quote(folder)}`"
    what = shlex.join(sources.requirement())
    return f"install this jina in it: `{shlex.quote(python)} -m pip install {what}`"
