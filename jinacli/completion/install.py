"""Install the completion of a shell, in the files of the user."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import typer

from jina.excepts import OutputError
from jinacli.completion.scripts import SCRIPTS
from jinacli.screens.errors import say

_MARK = "# jina completion"


def this_shell() -> str:
    """The shell that the command was typed in.

    Raises:
        typer.BadParameter: it is none that can be completed for, or unknown.
    """
    names = [_parent(), Path(os.environ.get("SHELL", "")).name]
    found = next((name for name in names if name in SCRIPTS), None)
    if found is None:
        raise typer.BadParameter("give the shell: bash, zsh or fish", param_hint="SHELL")
    return found


def install(shell: str) -> None:
    """Write the script, and have the shell load it when it starts; a second time changes nothing.

    Args:
        shell: a name of SCRIPTS.

    Raises:
        OutputError: a file cannot be written.
    """
    script, startup = _places(shell)
    changed = _write(script, SCRIPTS[shell])
    if startup is not None:
        quoted = shlex.quote(str(script))
        line = f"[ -f {quoted} ] && . {quoted} {_MARK}\n"
        changed |= _load_at_start(startup, line)
    if changed:
        say(f"Installed completion for {shell} in {startup or script}. It works in new shells.")
    else:
        say(f"Completion for {shell} is already installed in {startup or script}")


def _places(shell: str) -> tuple[Path, Path | None]:
    """Where the script goes, and the file that must load it, unless the shell does by itself."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "jina"
    if shell == "fish":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return config / "fish" / "completions" / "jina.fish", None
    folder = home if shell == "bash" else Path(os.environ.get("ZDOTDIR") or home)
    return data / f"completion.{shell}", folder / f".{shell}rc"


def _load_at_start(startup: Path, line: str) -> bool:
    """Have a line in a start-up file, in place of an older one of ours."""
    text = _read(startup)
    others = [each for each in text.splitlines(keepends=True) if _MARK not in each]
    if others and not others[-1].endswith("\n"):
        others[-1] += "\n"
    return _write(startup, text if line in text else "".join([*others, line]))


def _write(path: Path, text: str) -> bool:
    """Write a file unless it says that already; whether it was written."""
    if path.exists() and _read(path) == text:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", errors="surrogateescape")
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _parent() -> str:
    try:
        return Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:
        return ""
