"""What a plan was made from: files, overrides, and when they were last written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TypeAlias

import msgspec

#: When a file was written, in ns since 1970, and its bytes; None for one that is not there.
Stamp: TypeAlias = tuple[int, int] | None


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """Where a plan comes from; all paths are absolute.

    Attributes:
        overlays: YAML files that override the first one, in order.
        settings: what `--set` gave.
        env_file: what `--env-file` gave; "" for none.
        files: the YAML files.
        modules: node -> the files of its Executor's code.
    """

    overlays: list[str] = []
    settings: list[str] = []
    env_file: str = ""
    files: dict[str, Stamp] = {}
    modules: dict[str, dict[str, Stamp]] = {}

    def changed(self) -> list[str]:
        """The files that are not any more as they were."""
        known = dict(self.files)
        for stamps in self.modules.values():
            known |= stamps
        return sorted(file for file, stamp in known.items() if stamp_of(file) != stamp)

    def after(self, new: Origins, nodes: Collection[str], *, is_whole: bool) -> Origins:
        """What a Flow is made from when some of its nodes run another plan.

        Args:
            new: of that plan.
            nodes: those that run it.
            is_whole: the others do the same under it.
        """
        modules = {**self.modules, **{n: new.modules[n] for n in nodes if n in new.modules}}
        files = new.files if is_whole else self.files
        return msgspec.structs.replace(new, files=files, modules=modules)


def stamp_of(file: str) -> Stamp:
    """When a file was written and how long it is; None for one that is not there."""
    try:
        status = os.stat(_encoded(file))
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _encoded(path: str) -> bytes:
    """The bytes of a path; a Flow started under UTF-8 can have one that this locale cannot name."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return path.encode()


def stamps(files: Iterable[str]) -> dict[str, Stamp]:
    """The stamps of files, by their absolute paths."""
    return {path: stamp_of(path) for path in map(os.path.abspath, files)}
