"""What a `uses` text leads to: a file, a folder, a class, an address, or YAML inside YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from os.path import exists, isfile
from pathlib import Path

from jina.config import catalogue
from jina.config.drafts import ExecutorDraft, executor_draft
from jina.config.load_state import LoadState
from jina.config.problems import Problem
from jina.config.py_modules import module_name
from jina.config.source import Source, found_in, is_yaml_path, read_file
from jina.config.tree import DataPath, Tree, path_text
from jina.config.variables import Unresolved

_CLASS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_INLINE = re.compile(r"\{|!|jtype\s*:")


def draft_of_uses(state: LoadState, tree: Tree, at: DataPath, uses: str) -> ExecutorDraft | None:
    """An Executor from the text of a `uses`; None when problems make it unusable."""
    text = uses.strip()
    if isinstance(uses, Unresolved):
        return None
    if "\n" in uses or _INLINE.match(text):
        return _inline(state, tree, at, uses)
    scheme = _SCHEME.match(text)
    if scheme:
        return _addressed(state, tree, at, text, scheme[1])
    if is_yaml_path(text):
        return _file(state, tree, at, text)
    config = os.path.join(text, "config.yml")
    if isfile(tree.source.folder / config) or found_in(config, *_further(state)) != config:
        return _file(state, tree, at, config)
    if text.endswith(".py"):
        state.problems.append(_file_alone(tree, at, text))
        return None
    if "/" in text or text.startswith("."):
        return _class_of_file(state, tree, at, text)
    return _class(state, tree, at, text)


def _class(state: LoadState, tree: Tree, at: DataPath, text: str) -> ExecutorDraft | None:
    """`Class`, `module.Class` or `module:Class`."""
    module, _, name = text.rpartition(":")
    if _CLASS.fullmatch(name) and (not module or _CLASS.fullmatch(module)):
        return ExecutorDraft(tree, at, jtype=text, folder=tree.source.folder)
    state.problems.append(
        tree.problem(
            at,
            "bad-uses",
            f"{text!r} is not a YAML file, a class or an address",
            hint="use a .yml file, a class, `module:Class` or `catalogue://Name`",
        )
    )
    return None


def _class_of_file(state: LoadState, tree: Tree, at: DataPath, text: str) -> ExecutorDraft | None:
    """`path/to/file.py:Class`."""
    file, _, name = text.rpartition(":")
    if not file.endswith(".py"):
        state.problems.append(
            tree.problem(
                at,
                "bad-uses",
                f"{text!r} is not an Executor: there is no such folder with a config.yml",
                hint="use a .yml file, a class, or `path/to/file.py:Class`",
            )
        )
        return None
    folder = tree.source.folder
    located = state.located_modules(tree, at, [file], folder)
    if not located:
        return None
    jtype = f"{module_name(file)}:{name}"
    return ExecutorDraft(tree, at, jtype=jtype, py_modules=located, folder=folder)


def _file_alone(tree: Tree, at: DataPath, text: str) -> Problem:
    """A Python file where a class belongs."""
    hint = f"write `{text}:MyExecutor`, or `{{jtype: MyExecutor, py_modules: {text}}}`"
    try:
        source = Path(tree.source.folder, text).read_text("utf-8")
    except (OSError, ValueError):
        pass
    else:
        classes = re.findall(r"^class\s+(\w+)\s*\(", source, re.MULTILINE)
        if len(classes) == 1:
            hint = f"did you mean `{text}:{classes[0]}`?"
        elif classes:
            hint = f"add the class: {', '.join(f'`{text}:{name}`' for name in classes)}"
    return tree.problem(
        at, "bad-uses", f"{text!r} is a Python file; add the name of the class", hint=hint
    )


def _inline(state: LoadState, tree: Tree, at: DataPath, text: str) -> ExecutorDraft | None:
    """An Executor written as YAML text inside YAML."""
    source = _block(tree, at, text)
    if source is None:
        outer = tree.source_of(at)
        file = f"{outer.file or '<dict>'} (text of {path_text(at) or 'uses'})"
        source = Source(text, file, tree.source.path, lines=text.splitlines())
    parsed = state.without_variables().tree(source)
    return executor_draft(state, parsed) if parsed.data is not None else None


def _block(tree: Tree, at: DataPath, text: str) -> Source | None:
    """The text with its true lines, where it is a `|` block of the file; else None."""
    outer, span = tree.located(at)
    head = outer.lines[span.line - 1][span.column - 1 :] if span.line else ""
    if not head.startswith("|"):
        return None
    block = outer.lines[span.line : span.end_line]
    body = next((line for line in block if line.strip()), "")
    indent = len(body) - len(body.lstrip(" "))
    count = text.count("\n")
    if [line[indent:] for line in block[:count]] != text.split("\n")[:count]:
        return None
    return Source(
        text, outer.file, tree.source.path, first_line=span.line, indent=indent, lines=outer.lines
    )


def _addressed(
    state: LoadState, tree: Tree, at: DataPath, text: str, scheme: str
) -> ExecutorDraft | None:
    """`catalogue://Name`, or an address that leads nowhere."""
    if f"{scheme}://" not in catalogue.SCHEMES:
        state.problems.append(_unknown_address(tree, at, scheme))
        return None
    path = catalogue.find(text)
    if path is not None:
        source = read_file(str(path), what="Executor", shown=f"{text}/config.yml")
        return _from_source(state, tree, at, source)
    name = catalogue.name_of(text)
    message = f"the catalogue has no Executor named {name!r}"
    if scheme != "catalogue":
        message += "; Jina Hub is not contacted"
    hint = catalogue.hint_for(text)
    state.problems.append(tree.problem(at, "not-in-catalogue", message, hint=hint))
    return None


def _unknown_address(tree: Tree, at: DataPath, scheme: str) -> Problem:
    if scheme == "docker":
        return tree.problem(
            at,
            "not-supported",
            "an Executor in a container cannot be used here",
            hint="name it in the `uses` of an executor of a Flow",
        )
    return tree.problem(
        at,
        "bad-uses",
        f"`{scheme}://` is not a known scheme",
        hint=f"the schemes are: {', '.join(catalogue.SCHEMES)}",
    )


def _file(state: LoadState, tree: Tree, at: DataPath, name: str) -> ExecutorDraft | None:
    """A YAML file: beside this one, in a further folder, or in the current one."""
    folder = tree.source.folder
    is_beside = tree.source.path is not None and exists(Path(folder, os.path.expanduser(name)))
    found = name if is_beside else found_in(name, *_further(state))
    if not is_beside and exists(found):
        source = read_file(found, what="Executor")
    else:
        source = read_file(
            name, what="Executor", folder=folder, shown=tree.source.display_name(name)
        )
    return _from_source(state, tree, at, source)


def _further(state: LoadState) -> tuple[Sequence[Path], Sequence[Path]]:
    """The folders before and behind the current one."""
    return state.options.search_folders, state.options.fallbacks


def _from_source(
    state: LoadState, tree: Tree, at: DataPath, source: Source | Problem
) -> ExecutorDraft | None:
    if isinstance(source, Problem):
        if not source.line:
            # The file is missing: the place to fix is where it is named.
            source = tree.problem(at, "file-not-found", source.message, hint=source.hint)
        state.problems.append(source)
        return None
    parsed = state.tree(source)
    if parsed.data is None:
        if not parsed.problems:
            state.problems.append(
                parsed.problem((), "no-source", f"{source.file} is empty; expected an Executor")
            )
        return None
    return executor_draft(state, parsed)
