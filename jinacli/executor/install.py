"""`jina executor install`: a virtual environment with what Executors need, and this jina.

It runs pip or uv, and shows what it runs. Done again, it changes nothing that fits.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

from jina.config.executors import read_executor
from jina.config.problems import result_or_raise
from jina.excepts import JinaError
from jina.executors.missing import REQUIREMENTS, homes_of, needs_no_deps, requirement_files
from jina.executors.pythons import venv_of
from jina.launch.elsewhere import NEEDED, OLDEST
from jina.launch.interpreters import misfit
from jina.launch.probing import NoAnswer, version_of
from jina.launch.sources import checkout
from jinacli import exits
from jinacli.executor.copies import has_another_copy
from jinacli.executor.given import plain_path
from jinacli.executor.wheel import make_wheel
from jinacli.screens.errors import say

Installer = Literal["auto", "uv", "pip"]


@dataclass(frozen=True)
class Install:
    """What is wanted.

    Attributes:
        files: YAML of Executors, or catalogue://NAME; none for jina alone.
        venv: folder of the environment.
        python: interpreter to make it with; "" is this one.
        installer: what installs; auto takes uv if it is there.
        quiet: show only errors.
    """

    files: Sequence[str]
    venv: str
    python: str
    installer: Installer
    quiet: bool


class _Failed(JinaError):
    """A command that was run has failed."""


def install(wanted: Install) -> int:
    """Make the environment, or complete it; print the line that a Flow's YAML needs.

    Returns:
        the exit code.

    Raises:
        ConfigError: there is no such Executor, or its YAML is wrong.
        JinaError: it cannot be done; the commands that failed have said why.
        KeyboardInterrupt: Ctrl-C, which has ended the command that ran.
    """
    files = [file for each in wanted.files for file in _requirements(each, quiet=wanted.quiet)]
    try:
        _complete(wanted, files)
    except KeyboardInterrupt:
        say(f"{wanted.venv} is not complete; run the same command again to complete it")
        raise
    if not wanted.quiet:
        what = ", ".join(wanted.files) or "jina alone"
        say(f"{wanted.venv} is ready: {what}")
        say("add this to the executor in a Flow's YAML; the path is relative to that file:")
    print(f"venv: {wanted.venv}")
    return exits.OK


def _complete(wanted: Install, files: Sequence[str]) -> None:
    """Do what is missing.

    Args:
        wanted: the environment.
        files: what is to be in it, as pip reads it.
    """
    runs_uv = _chosen(wanted.installer) == "uv"
    folder = os.path.abspath(os.path.expanduser(wanted.venv))
    python = os.path.join(folder, "bin", "python")
    tools = _Tools(python, runs_uv=runs_uv, quiet=wanted.quiet)
    if os.path.islink(python) and not os.path.exists(python):
        gone = f"{python} is a link to an interpreter that is gone: {os.path.realpath(python)}"
        again = f"remove {wanted.venv}, and run the same command again"
        raise typer.BadParameter(f"{gone}\nhelp: {again}", param_hint="--venv")
    if not os.path.exists(python):
        _checked_version(wanted.python or sys.executable)
    elif wanted.python and venv_of(python):
        _refuse_another(wanted.venv, python, wanted.python)
    tools.make(folder, wanted.python or sys.executable)
    with _this_jina(python) as jina:
        listed = [file for file in files if not needs_no_deps(file)]
        if jina or listed:
            tools.install(*jina, *(word for file in listed for word in ("-r", file)))
        for file in files:
            if file not in listed:
                tools.install("--no-deps", "-r", file)
        if jina and not checkout() and not _has_this_jina(python):  # another of the same version
            tools.install("--force-reinstall", "--no-deps", *jina)
    if fault := misfit(python):
        raise _Failed(fault.reason)


def _requirements(file: str, *, quiet: bool) -> list[str]:
    """The files that say what an Executor needs; a note if there is none, unless it is quiet.

    Raises:
        ConfigError: there is no such Executor, or its YAML is wrong.
    """
    # What it imports may be there only once it is installed.
    reading = read_executor(plain_path(file), is_elsewhere=True)
    config = result_or_raise(reading.config, reading.problems)
    path = config.file or Path(file)
    files = requirement_files([*homes_of(config.spec), str(path.parent)], str(path))
    if not files and not quiet:
        say(f"note: {file} has no {REQUIREMENTS} beside it, so only jina is installed for it")
    return files


def _checked_version(python: str) -> tuple[int, ...]:
    """The version of an interpreter; one that cannot run jina is refused before anything is made.

    Raises:
        typer.BadParameter: it is too old, or no Python.
    """
    try:
        version = version_of(python)
    except NoAnswer as error:
        raise typer.BadParameter(str(error), param_hint="--python") from None
    if version < OLDEST:
        what = f"{python} cannot be used: {NEEDED}; it is Python {_dotted(version)}"
        raise typer.BadParameter(what, param_hint="--python")
    return version


def _refuse_another(folder: str, python: str, wanted: str) -> None:
    """Refuse an environment of another version than that of the interpreter that was named.

    Args:
        folder: of the environment, as the user gave it.
        python: its interpreter.
        wanted: the one that was named.

    Raises:
        typer.BadParameter: it is one, or an interpreter does not run.
    """
    version = _checked_version(wanted)
    has = _checked_version(python)
    if has[:2] != version[:2]:
        what = f"{folder} has Python {_dotted(has)}, but {wanted} is Python {_dotted(version)}"
        raise typer.BadParameter(
            f"{what}\nhelp: remove {folder}, or name another folder", param_hint="--python"
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _refused(what: str) -> typer.BadParameter:
    hint = "name a folder that does not exist yet, or that of a virtual environment"
    return typer.BadParameter(f"{what}\nhelp: {hint}", param_hint="--venv")


def _chosen(installer: Installer) -> str:
    if installer == "uv" and not shutil.which("uv"):
        raise _Failed("uv is not on $PATH", hint="install it, or use --installer pip")
    return "uv" if installer != "pip" and shutil.which("uv") else "pip"


def _has_this_jina(python: str) -> bool:
    return misfit(python) is None and not has_another_copy(python)


@contextlib.contextmanager
def _this_jina(python: str) -> Iterator[list[str]]:
    """What to install to have this jina; nothing where the interpreter has it."""
    sources = checkout()
    if _has_this_jina(python):
        yield []
    elif sources:
        yield ["--editable", str(sources)]
    else:
        with tempfile.TemporaryDirectory(prefix="jina-") as folder:
            yield [str(make_wheel(Path(folder)))]


@dataclass(frozen=True)
class _Tools:
    """The commands that are run.

    Args:
        python: interpreter of the environment.
        runs_uv: with uv; else with pip.
        quiet: show nothing but errors.
    """

    python: str
    runs_uv: bool
    quiet: bool

    def make(self, folder: str, base: str) -> None:
        """Make the environment, if it is not there.

        Raises:
            JinaError: something else is there, or it cannot be made.
        """
        if os.path.exists(self.python):
            if not venv_of(self.python):
                raise _refused(f"{folder} has an interpreter, but is not a virtual environment")
        elif _has_files(folder) and not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            raise _refused(f"{folder} is not empty, and not a virtual environment")
        elif self.runs_uv:
            self._run("uv", "venv", *self._quiet, "--python", base, folder)
        else:
            self._run(base, "-m", "venv", folder, is_mute=True)

    def install(self, *what: str) -> None:
        """Install something.

        Args:
            *what: as pip takes it.

        Raises:
            JinaError: it cannot be installed.
        """
        quiet = self._quiet
        if self.runs_uv:
            self._run("uv", "pip", "install", *quiet, "--python", self.python, *what)
            return
        library = Path(self.python).parent.parent / "lib"
        # None in an environment of uv; without its last file it was interrupted.
        if not list(library.glob("python*/site-packages/pip-*.dist-info/RECORD")):
            self._run(self.python, "-m", "ensurepip", "--upgrade", is_mute=True)
        self._run(self.python, "-m", "pip", "install", *quiet, *what)

    @property
    def _quiet(self) -> tuple[str, ...]:
        return ("--quiet",) if self.quiet else ()

    def _run(self, *command: str, is_mute: bool = False) -> None:
        """Run a command, or raise what is wrong with it.

        Args:
            *command: its words.
            is_mute: it says nothing that helps but errors, and a traceback after Ctrl-C.
        """
        if not self.quiet:
            say(f"$ {shlex.join(command)}")
        errors = subprocess.PIPE if is_mute else None
        try:
            # Standard output is for the line that the YAML needs.
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=2, stderr=errors, check=False
            )
        except OSError as error:
            raise _Failed(f"{command[0]} cannot be run: {error.strerror}") from error
        if done.returncode == -signal.SIGINT:  # it was sooner than we
            raise KeyboardInterrupt
        if done.stderr:
            say(done.stderr.decode(errors="replace").rstrip("\n"))
        if done.returncode:
            what = f"`{shlex.join(command)}` failed with exit code {done.returncode}"
            raise _Failed(f"{what}; what it said is above")


def _has_files(folder: str) -> bool:
    """Whether there is a file in a folder or below; what was interrupted may have left folders."""
    return any(files for _, _, files in os.walk(folder))
