"""`jina executor export dockerfile`: an image with one Executor, its packages and its modules."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from jina.config.executors import ExecutorConfig, read_executor
from jina.config.problems import Problem, result_or_raise
from jina.export import files
from jina.export.units import FOLDER
from jinacli import exits
from jinacli.executor.given import plain_path
from jinacli.flow.export import output_folder, texts_of, write_image


def export_executor(file: str, output: Path, project: Path | None, *, quiet: bool) -> int:
    """Write a Dockerfile, with all that it copies.

    Args:
        file: YAML of the Executor, or catalogue://NAME.
        output: the folder to write.
        project: the folder that the modules must be in; None for that of the YAML.
        quiet: show only errors.

    Raises:
        ConfigError: there is no such Executor, its YAML is wrong, or a module is elsewhere.
        OutputError: the folder cannot be written.
    """
    folder = output_folder(output)
    # What it imports may be there only in the image.
    reading = read_executor(plain_path(file), is_elsewhere=True)
    config = result_or_raise(reading.config, reading.problems)
    root = project or (config.file.parent if config.file else Path())
    layout = files.Layout(Path(os.path.abspath(root)))
    texts = texts_of(config.spec)
    result_or_raise(True, list(files.outside(config.spec, layout, texts, _problem_at(config))))
    found = {str(layout.place(path)): text for path, text in texts.items()}
    name = config.file.name if config.file else "executor.yml"
    place = layout.place(config.origin.folder) or "."
    path = name if place == "." else f"{place}/{name}"
    found[path] = files.executor_yaml(config.spec, layout, path, config.origin.env)
    # `uses: docker://IMAGE` of a Flow finds the YAML by it.
    write_image(folder, [config.spec], found, ("jina", "executor", "check", f"{FOLDER}/{path}"))
    if not quiet:
        print(f"exported {file} to {output}; next: docker build -t IMAGE {output}", file=sys.stderr)
    return exits.OK


def _problem_at(config: ExecutorConfig) -> Callable[[str, str, str], Problem]:
    """Makes problems at the place where the class is named."""
    origin = config.origin

    def problem(code: str, message: str, hint: str) -> Problem:
        return origin.tree.problem(origin.jtype_path(), code, message, hint=hint)

    return problem
