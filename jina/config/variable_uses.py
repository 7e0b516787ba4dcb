"""Which variables a Flow's YAML names, where, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from jina.config.load_state import LoadOptions
from jina.config.secrets import looks_secret
from jina.config.tree import Tree
from jina.config.variable_syntax import EnvironmentVariable, Expression, VariableFault, parts
from jina.config.variables import read_dotenv


class VariableUse(NamedTuple):
    """One variable at one place.

    Attributes:
        name: of the variable.
        value: that it has; "" where it is not set, and a default may stand for it.
        source: "shell", the file that sets it, or "" where it is not set.
        place: `flow.yml:7:5`.
    """

    name: str
    value: str
    source: str
    place: str


def variable_uses(trees: Iterable[Tree], options: LoadOptions) -> list[VariableUse]:
    """Every variable of the environment that trees name, in the order of the files."""
    env = os.environ if options.env is None else options.env
    found = []
    for tree in trees:
        files = _files(tree, options)
        for path, raw in tree.raws.items():
            file, line, column = tree.mark(path)
            for name in dict.fromkeys(names_in(raw.text)):
                value, source = _value(name, env, files)
                found.append(VariableUse(name, value, source, f"{file}:{line}:{column}"))
    return found


def secret_places(trees: Iterable[Tree]) -> Iterator[str]:
    """Places of values with a variable whose name looks secret, such as `flow.yml:7:5`."""
    for tree in trees:
        for path, raw in tree.raws.items():
            if any(looks_secret(name) for name in names_in(raw.text)):
                file, line, column = tree.mark(path)
                yield f"{file}:{line}:{column}"


def names_in(text: str) -> Iterator[str]:
    """The variables of the environment that a text names, in its defaults too."""
    try:
        found = list(parts(text))
    except VariableFault:
        return
    for part in found:
        if isinstance(part, EnvironmentVariable):
            yield part.name
            yield from names_in(part.argument)
        elif isinstance(part, Expression) and part.scope not in ("root", "this", "context"):
            yield part.name


def _files(tree: Tree, options: LoadOptions) -> list[tuple[str, Mapping[str, str]]]:
    """The files of variables that serve a tree, the stronger one first."""
    files: list[tuple[str, Mapping[str, str]]] = []
    if options.env_file is not None:
        files.append((str(options.env_file), read_dotenv(options.env_file)))
    if tree.source.path is not None:
        beside = tree.source.folder / ".env"
        files.append((tree.source.display_name(".env"), read_dotenv(beside)))
    return files


def _value(
    name: str, env: Mapping[str, str], files: list[tuple[str, Mapping[str, str]]]
) -> tuple[str, str]:
    if name in env:
        return env[name], "shell"
    for file, values in files:
        if name in values:
            return values[name], file
    return "", ""
