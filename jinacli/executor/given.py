"""An Executor as a command line gives it."""

from __future__ import annotations

from pathlib import Path


def plain_path(file: str) -> str | Path:
    """A path without what it does not need, such as "./"; the name of a catalogue's as it is."""
    if "://" in file:
        return file
    path = Path(file)
    # As a path, a folder is no class name.
    is_empty_folder = path.is_dir() and not (path / "config.yml").is_file()
    return path if is_empty_folder else str(path)
