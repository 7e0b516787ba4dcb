"""Which packages of a requirement file are not installed, by their names alone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable

# The name at the beginning of a line, behind which a version, an extra or a condition may stand.
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:[\[=<>!~;#]|$)")
_US = "jina"  # as published Executors call it
_ENDINGS = (".dist-info", ".egg-info")


def not_installed(files: Iterable[str], *, only_certain: bool = False) -> list[str]:
    """The packages that this interpreter does not have, in the order of the files.

    Lines with an option, a path or a URL are left out. Versions are not compared.

    Args:
        files: paths of requirement files; one that cannot be read has no names.
        only_certain: leave out what a condition such as `; python_version < "3.12"` follows.
    """
    installed = _installed() | {_US}
    names = [name for file in files for name in _names(file, only_certain)]
    return [name for name in dict.fromkeys(names) if plain(name) not in installed]


def _names(file: str, only_certain: bool) -> list[str]:
    try:
        with open(file, encoding="utf-8") as opened:
            lines = [line for line in opened if not (only_certain and ";" in line)]
            found = [_NAME.match(line.strip()) for line in lines]
    except (OSError, UnicodeDecodeError):
        return []
    return [match[1] for match in found if match]


def _installed() -> set[str]:
    """The names of what is installed where this interpreter looks for modules."""
    # As importlib.metadata does it, whose import would make every start of a worker slower.
    found = set()
    for folder in sys.path:
        try:
            entries = os.listdir(folder or os.curdir)
        except OSError:
            continue
        for entry in entries:
            if entry.endswith(_ENDINGS):
                found.add(plain(entry.partition("-")[0].removesuffix(".egg-info")))
    return found


def plain(name: str) -> str:
    """A name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
