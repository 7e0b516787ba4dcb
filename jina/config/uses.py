"""What a `uses` text leads to: a file, a folder, a class, an address, or YAML inside YAML."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from os.path import exists, isfile
from pathlib import Path

from jina.config import catalogue
from jina.config.pieces import Loading, Piece, executor_piece, modules
from jina.config.problems import Problem
from jina.config.source import Source, found_in, is_yaml_path, read_file
from jina.config.tree import DataPath, Tree, shown
from jina.config.variables import Unresolved

_CLASS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def used_piece(loading: Loading, tree: Tree, at: DataPath, uses: str) -> Piece | None:
    """An Executor from the text of a `uses`; None when problems make it unusable."""
    folder = tree.source.folder
    text = uses.strip()
    if isinstance(uses, Unresolved):
        return None
    if "\n" in uses or re.match(r"\{|!|jtype\s*:", text):
        return _inline(loading, tree, at, uses)
    scheme = _SCHEME.match(text)
    if scheme:
        return _addressed(loading, tree, at, text, scheme[1])
    if is_yaml_path(text):
        return _file(loading, tree, at, text, folder)
    if isfile(folder / text / "config.yml"):
        return _file(loading, tree, at, os.path.join(text, "config.yml"), folder)
    if text.endswith(".py"):
        loading.problems.append(_file_alone(tree, at, text, folder))
        return None
    if "/" in text or text.startswith("."):
        place, _, name = text.rpartition(":")
        if place.endswith(".py"):
            located = modules(loading, tree, at, [place], folder)
            stem = Path(place).parent.name if place.endswith("__init__.py") else Path(place).stem
            piece = Piece(tree, at, jtype=f"{stem}:{name}", py_modules=located, folder=folder)
            return piece if located else None
        loading.problems.append(
            tree.problem(
                at,
                "bad-uses",
                f"{text!r} is no Executor: there is no config.yml in such a folder",
                hint="name a .yml file, a class, or `path/to/file.py:Class`",
            )
        )
        return None
    module, _, name = text.rpartition(":")
    if not _CLASS.fullmatch(name) or (module and not _CLASS.fullmatch(module)):
        loading.problems.append(
            tree.problem(
                at,
                "bad-uses",
                f"{text!r} is neither a YAML file, a class, nor an address",
                hint="name a .yml file, a class, `module:Class` or `catalogue://Name`",
            )
        )
        return None
    return Piece(tree, at, jtype=text, folder=folder)


def _file_alone(tree: Tree, at: DataPath, text: str, folder: Path) -> Problem:
    """A Python file where a class belongs."""
    hint = f"write `{text}:MyExecutor`, or `{{jtype: MyExecutor, py_modules: {text}}}`"
    try:
        source = Path(folder, text).read_text("utf-8")
    except (OSError, ValueError):
        pass
    else:
        classes = re.findall(r"^class\s+(\w+)\s*\(", source, re.MULTILINE)
        if len(classes) == 1:
            hint = f"did you mean `{text}:{classes[0]}`?"
        elif classes:
            hint = f"name its class: {', '.join(f'`{text}:{name}`' for name in classes)}"
    return tree.problem(
        at, "bad-uses", f"{text!r} is a Python file; which class of it is not said", hint=hint
    )


def _inline(loading: Loading, tree: Tree, at: DataPath, text: str) -> Piece | None:
    """An Executor written as YAML text inside YAML, with its true lines where it is a `|` block."""
    outer = tree.source
    span = tree.span(at)
    source = Source(text, outer.file, outer.path, lines=outer.lines)
    block = outer.lines[span.line : span.end_line] if span.line else []
    head = outer.lines[span.line - 1][span.column - 1 :] if span.line else ""
    body = next((line for line in block if line.strip()), "")
    indent = len(body) - len(body.lstrip(" "))
    if (
        head.startswith("|")
        and [line[indent:] for line in block[: text.count("\n")]]
        == (text.split("\n")[: text.count("\n")])
    ):
        source = Source(
            text, outer.file, outer.path, first_line=span.line, indent=indent, lines=outer.lines
        )
    else:
        source = Source(
            text,
            f"{outer.file or '<dict>'} (text of {shown(at) or 'uses'})",
            outer.path,
            lines=text.splitlines(),
        )
    inner = replace(loading, substitute=False)
    parsed = inner.tree(source)
    return executor_piece(loading, parsed) if parsed.data is not None else None


def _addressed(loading: Loading, tree: Tree, at: DataPath, text: str, scheme: str) -> Piece | None:
    if f"{scheme}://" in catalogue.SCHEMES:
        path = catalogue.find(text)
        if path is not None:
            source = read_file(str(path), what="Executor", shown=f"{text}/config.yml")
            return _from_source(loading, tree, at, source)
        name = catalogue.name_of(text)
        message = f"the catalogue has no Executor called {name!r}"
        if scheme != "catalogue":
            message += "; Jina Hub itself is not asked"
        problem = tree.problem(at, "not-in-catalogue", message, hint=catalogue.near(text))
    elif scheme == "docker":
        problem = tree.problem(
            at,
            "not-supported",
            "Executors in Docker images cannot be run: jina starts no containers",
            hint="name the Executor's YAML file or class instead",
        )
    else:
        problem = tree.problem(
            at,
            "bad-uses",
            f"`{scheme}://` is no known address",
            hint=f"known are: {', '.join(catalogue.SCHEMES)}",
        )
    loading.problems.append(problem)
    return None


def _file(loading: Loading, tree: Tree, at: DataPath, name: str, folder: Path) -> Piece | None:
    here = Path(folder, os.path.expanduser(name))
    if not exists(here) and exists(name):
        source = read_file(name, what="Executor")
    elif not exists(here) and (found := found_in(name, loading.extra)) != name:
        source = read_file(found, what="Executor")
    else:
        source = read_file(name, what="Executor", folder=folder, shown=tree.source.near(name))
    return _from_source(loading, tree, at, source)


def _from_source(
    loading: Loading, tree: Tree, at: DataPath, source: Source | Problem
) -> Piece | None:
    if isinstance(source, Problem):
        if not source.line:
            # The file is missing: the place to mend is where it is named.
            source = tree.problem(at, "file-not-found", source.message, hint=source.hint)
        loading.problems.append(source)
        return None
    parsed = loading.tree(source)
    if parsed.data is None:
        if not parsed.problems:
            loading.problems.append(
                parsed.problem((), "no-source", f"{source.file} is empty; expected an Executor")
            )
        return None
    return executor_piece(loading, parsed)
