"""Where a config comes from: a file, a text, an open stream, a dict.

It reads; it does not parse.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

import msgspec

from jina.config.problems import Problem
from jina.suggest import near_file

MAX_BYTES = 1024 * 1024  # of one YAML file
_KINDS = ("Flow", "Executor")  # of YAML that has a file of its own

_YAML_FILE = re.compile(r".*\.(?:ya?ml|json)", re.IGNORECASE | re.DOTALL)


class Source(msgspec.Struct, frozen=True):
    """The text of a config and how messages name it.

    Args:
        text: the YAML; empty when `data` is set.
        file: as the user named it; "<text>" for a literal, empty for a dict.
        path: the file itself, None when there is none.
        data: a ready dict from Python instead of a text.
        first_line: line of the file where the text begins, counted from 0: a YAML text that is
            inside another one keeps its true lines.
        indent: columns that the text was indented by, there.
        lines: the lines that messages quote.
    """

    text: str = ""
    file: str = ""
    path: Path | None = None
    data: Mapping[str, Any] | None = None
    first_line: int = 0
    indent: int = 0
    lines: list[str] = []

    @property
    def folder(self) -> Path:
        """What relative paths in it are relative to: the file's folder, else the current one."""
        return self.path.parent if self.path is not None else current_folder()

    def absolute(self, path: str | None) -> str:
        """A folder that is named in it, as an absolute path; empty when none is."""
        if not path:
            return ""
        return os.path.normpath(current_folder() / self.folder / os.path.expanduser(path))

    def folders(self, names: Sequence[str]) -> list[Path]:
        """Folders that are named in it, as absolute paths."""
        return [current_folder() / self.folder / os.path.expanduser(name) for name in names]

    def display_name(self, name: str) -> str:
        """How messages name a file that this one refers to by a relative path."""
        if os.path.isabs(name) or self.path is None:
            return name
        return os.path.normpath(os.path.join(os.path.dirname(self.file), name))


def without_notes(data: Mapping[str, Any]) -> dict[str, Any]:
    """The top of a file without its `x-…` keys: they hold what anchors name, and mean nothing."""
    return {key: value for key, value in data.items() if not str(key).startswith("x-")}


def current_folder() -> Path:
    """The current folder; the root where somebody has removed it."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.sep)


def is_yaml_path(text: str) -> bool:
    """Whether a text names a YAML file rather than being YAML."""
    return "\n" not in text and _YAML_FILE.fullmatch(text) is not None and text[:1] not in "{!"


def open_source(
    source: Any, *, what: str, extra: Sequence[Path] = (), fallbacks: Sequence[Path] = ()
) -> Source | Problem:
    """Read a path, a text, a stream or a dict.

    Args:
        source: path of a .yml/.yaml file or of anything that exists; YAML or JSON text; an object
            with `read()`; a dict.
        what: "Flow" or "Executor", for messages.
        extra: folders where a relative path is looked for before the current one.
        fallbacks: folders where it is looked for after that.
    """
    if isinstance(source, Mapping):
        return Source(data=source)
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        content = source.read()
        if isinstance(name, str) and os.path.isfile(name):
            return _decoded(content, name, Path(name))
        return _decoded(content, "<stream>", None)
    if isinstance(source, os.PathLike):
        return read_file(found_in(os.fspath(source), extra, fallbacks), what=what)
    if not isinstance(source, str):
        return Problem(
            "no-source",
            f"expected the {what}'s YAML as a path, text or dict, got {type(source).__name__}",
        )
    if is_yaml_path(source) or _is_file(source):
        return read_file(found_in(source, extra, fallbacks), what=what)
    if not source.strip():
        return Problem("no-source", f"expected the {what}'s YAML, got an empty string")
    return _decoded(source, "<text>", None)


def found_in(name: str, extra: Sequence[Path] = (), fallbacks: Sequence[Path] = ()) -> str:
    """Where a file is: in the first folder of `extra` that has it, in the current one, or behind.

    Returns:
        the name itself where it is absolute, or nowhere.
    """
    path = os.path.expanduser(name)
    if os.path.isabs(path) or not (extra or fallbacks):
        return name
    places = [*(os.path.join(folder, path) for folder in extra), path]
    places += [os.path.join(folder, path) for folder in fallbacks]
    found = next((place for place in places if _is_file(place)), path)
    return name if found == path else found


def read_file(
    name: str, *, what: str, folder: Path | None = None, shown: str = ""
) -> Source | Problem:
    """Read one file.

    Args:
        name: its path.
        what: "Flow" or "Executor", or what else the file has, for messages.
        folder: what a relative path is relative to; the current folder when None.
        shown: how messages name it; `name` when empty.
    """
    path = Path(folder or "", os.path.expanduser(name))
    shown = shown or name
    try:
        problem = _not_a_yaml_file(path, what, shown)
        if problem is not None:
            return problem
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Problem("no-source", f"no such file: {shown}", hint=_near(path, what))
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or str(err)
        return Problem("no-source", f"cannot read {shown}: {reason}")
    return _decoded(content, shown, path)


def _not_a_yaml_file(path: Path, what: str, shown: str) -> Problem | None:
    """What is wrong with a path that leads to a folder or to Python."""
    if isdir(path):
        inner = os.path.join(shown, "flow.yml" if what == "Flow" else "config.yml")
        hint = f"did you mean {inner!r}?" if isfile(path / os.path.basename(inner)) else ""
        message = f"{shown} is a folder; expected {_file_of(what)}"
        return Problem("no-source", message, hint=hint)
    if path.suffix == ".py" and isfile(path):
        hint = "give the YAML file that refers to it"
        if what == "Executor":
            hint += f"; or a class of it, as `{shown}:MyExecutor`"
        message = f"{shown} is Python; expected {_file_of(what)}"
        return Problem("no-source", message, hint=hint)
    return None


def _near(path: Path, what: str) -> str:
    """A hint that names a YAML file of nearly that name in the same folder."""
    try:
        path.absolute()
    except FileNotFoundError:
        return "the working directory no longer exists: cd to another one"
    try:
        names = [entry.name for entry in path.parent.iterdir() if is_yaml_path(entry.name)]
    except OSError:
        return f"there is no folder {path.parent}"
    close = near_file(path.name, names)
    if close:
        return f"did you mean {close!r}?"
    return f"give the path of {_file_of(what)}"


def _file_of(what: str) -> str:
    return f"the {what}'s YAML file" if what in _KINDS else f"a YAML or JSON file of {what}"


def _is_file(text: str) -> bool:
    try:
        return "\n" not in text and os.path.isfile(text)
    except ValueError:
        return False


def _decoded(content: str | bytes, name: str, path: Path | None) -> Source | Problem:
    if isinstance(content, bytes):
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as err:
            line = content.count(b"\n", 0, err.start) + 1
            return Problem(
                "yaml-encoding",
                f"byte 0x{content[err.start]:02x} is not valid UTF-8",
                file=name,
                line=line,
                column=err.start - (content.rfind(b"\n", 0, err.start) + 1) + 1,
                hint="save the file as UTF-8",
            )
    else:
        text = content.removeprefix("\ufeff")
    if len(content) > MAX_BYTES:
        return Problem(
            "yaml-limit", f"more than {MAX_BYTES // 1024} KiB of YAML", file=name, line=1, column=1
        )
    return Source(text=text, file=name, path=path, lines=text.splitlines())
