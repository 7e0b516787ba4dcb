"""Which files of a folder git would ignore: its `.gitignore`, and those of the folders in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jina.names import LEDGER

#: Never taken along, whatever a .gitignore says: caches, environments, and what is secret.
_NEVER = re.compile(r"\.git|__pycache__|.*\.py[co]|\.env|.*\.key|\.DS_Store|\.venv|node_modules")


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    is_for_folders: bool
    keeps: bool  # it begins with "!"


def kept_files(folder: Path) -> Iterator[Path]:
    """The files of a folder and those in it that are not ignored, sorted; links are not followed.

    Args:
        folder: a path of its own.
    """
    yield from _walk(folder, [])


def _walk(folder: Path, rules: list[tuple[Path, _Rule]]) -> Iterator[Path]:
    rules = rules + [(folder, rule) for rule in _rules_in(folder / ".gitignore")]
    if (folder / "pyvenv.cfg").exists():
        return  # an environment, whatever its name
    if (folder / LEDGER).exists():
        return  # results of a post on lanes, which may be large
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = folder / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if _NEVER.fullmatch(entry.name) or _is_ignored(path, is_folder, rules):
            continue
        if is_folder:
            yield from _walk(path, rules)
        elif entry.is_file():
            yield path


def _is_ignored(path: Path, is_folder: bool, rules: list[tuple[Path, _Rule]]) -> bool:
    """The last rule that fits decides."""
    for base, rule in reversed(rules):
        name = path.relative_to(base).as_posix()
        if rule.pattern.fullmatch(name) and (is_folder or not rule.is_for_folders):
            return not rule.keeps
    return False


def _rules_in(file: Path) -> Iterator[_Rule]:
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        words = line.rstrip()
        if not words or words.startswith("#"):
            continue
        keeps = words.startswith("!")
        words = words.removeprefix("!").removeprefix("\\")
        is_for_folders = words.endswith("/")
        words = words.rstrip("/")
        # With a slash it is about one place; else about that name at any depth.
        anywhere = "" if "/" in words else "(?:.*/)?"
        pattern = re.compile(anywhere + _as_regex(words.removeprefix("/")), re.DOTALL)
        yield _Rule(pattern, is_for_folders, keeps)


def _as_regex(words: str) -> str:
    found = ""
    rest = words
    while rest:
        if rest.startswith("**/"):
            found, rest = found + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            found, rest = found + ".*", rest[2:]
        elif rest[0] == "*":
            found, rest = found + "[^/]*", rest[1:]
        elif rest[0] == "?":
            found, rest = found + "[^/]", rest[1:]
        elif rest[0] == "[" and (end := rest.find("]", 2)) > 0:
            inside = rest[1:end].replace("\\", "\\\\")
            inside = f"^{inside[1:]}" if inside[0] == "!" else inside
            found, rest = f"{found}[{inside}]", rest[end + 1 :]
        else:
            found, rest = found + re.escape(rest[0]), rest[1:]
    return found
