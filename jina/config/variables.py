"""Replace the variables in YAML values; `variable_syntax.py` says how they are written.

Only a plain (unquoted) value that is one whole variable is re-typed by the rules of YAML;
everything else stays text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jina.config.loader import MAX_DEPTH, MAX_VALUES, parse
from jina.config.problems import errors_in
from jina.config.scalars import plain_value
from jina.config.source import Source
from jina.config.tree import DataPath, RawScalar, Tree, path_text, value_at
from jina.config.variable_syntax import (
    NAME,
    EnvironmentVariable,
    Expression,
    Part,
    VariableFault,
    parts,
)
from jina.suggest import near_name

MAX_NESTING = 16  # defaults inside defaults
MAX_TEXT = 1024 * 1024  # characters of one value after substitution
MAX_TEXTS = 4 * MAX_TEXT  # of all values together
MAX_HINTS = 10  # near names searched per file; if more are needed, the problem is another one


class Unresolved(str):
    """The text of a value whose variable could not be replaced; its problem is reported already."""

    __slots__ = ()


class Variables(msgspec.Struct):
    """The values of names.

    Args:
        env: environment variables; they win over `dotenv`.
        context: values given in Python, for `${{ CONTEXT.x }}` and `${{ x }}`.
        dotenv: the `.env` file beside the YAML; it serves interpolation only.
    """

    env: Mapping[str, str] = msgspec.field(default_factory=lambda: os.environ)
    context: Mapping[str, Any] = {}
    dotenv: Mapping[str, str] = {}

    def of_environment(self, name: str) -> str | None:
        """The value, or None when it is not set."""
        found = self.env.get(name)
        return self.dotenv.get(name) if found is None else found

    def of_context(self, dotted: str) -> Any:
        """The value that a path such as `a.b` leads to, or None when there is none."""
        found: Any = self.context
        for part in dotted.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return None
            found = found[part]
        return found

    def names(self) -> list[str]:
        """All that could have been meant."""
        return [*self.env, *self.dotenv, *self.context]


def interpolate(tree: Tree, variables: Variables) -> None:
    """Replace every variable in the tree's data; add a problem for each that cannot be.

    `${{ root.a.b }}` and `${{ this.x }}` see values that are replaced already, in whatever order
    they have in the file.
    """
    _Replacer(tree, variables).run()


def read_dotenv(path: Path) -> dict[str, str]:
    """The `KEY=value` lines of a `.env` file; empty when there is none.

    `export ` before a key, comments, and single or double quotes are understood; nothing is
    expanded. Lines that are none of this are skipped.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not NAME.fullmatch(key):
            continue
        if value[:1] in ("'", '"'):
            value = value[1:].partition(value[0])[0]
        else:
            value = re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
        found[key] = value
    return found


class _Replacer:
    def __init__(self, tree: Tree, variables: Variables) -> None:
        self.tree = tree
        self.variables = variables
        self.done: dict[DataPath, Any] = {}
        self.failed: set[DataPath] = set()
        self.trail: list[DataPath] = []
        self.depth = 0  # calls of `value` under way
        self.values = 0  # maps, lists and scalars that variables have brought
        self.characters = 0  # of texts that variables are in
        self.hints = 0  # names that others were compared with

    def run(self) -> None:
        for path in self.tree.raws:
            if path in self.failed:
                self.put(path, Unresolved(self.tree.raws[path].text))
                continue
            try:
                value = self.value(path)
            except VariableFault as fault:
                self.failed.update([path, *fault.circle])
                self.report(path, fault)
                # Not the raw text: it would be reported once more as something else.
                value = Unresolved(self.tree.raws[path].text)
            self.put(path, value)

    def report(self, path: DataPath, fault: VariableFault) -> None:
        self.tree.problems.append(
            self.tree.problem(path, fault.code, fault.message, hint=fault.hint, word=fault.word)
        )

    def put(self, path: DataPath, value: Any) -> None:
        if not path:
            self.tree.data = value
            return
        parent = value_at(self.tree.data, path[:-1])
        parent[path[-1]] = value

    def value(self, path: DataPath) -> Any:
        """The value at a path once its variables are replaced."""
        if self.depth > MAX_DEPTH:
            raise VariableFault(
                "variable-limit", f"references nested deeper than {MAX_DEPTH} levels"
            )
        self.depth += 1
        try:
            return self.scalar(path) if path in self.tree.raws else self.whole(path)
        finally:
            self.depth -= 1

    def scalar(self, path: DataPath) -> Any:
        """The value of a scalar that holds a `$`; each is replaced once."""
        if path in self.done:
            return self.done[path]
        if path in self.trail:
            circle = (*self.trail[self.trail.index(path) :], path)
            names = " -> ".join(map(path_text, circle))
            message = f"these values refer to each other: {names}"
            raise VariableFault("variable-cycle", message, circle=circle)
        self.trail.append(path)
        try:
            self.done[path] = self.replaced(path, self.tree.raws[path])
        finally:
            self.trail.pop()
        return self.done[path]

    def whole(self, path: DataPath) -> Any:
        """A referenced value, its children replaced, as a copy of its own."""
        value = value_at(self.tree.data, path)
        if isinstance(value, dict):
            return {key: self.value((*path, key)) for key in value}
        if isinstance(value, list):
            return [self.value((*path, n)) for n in range(len(value))]
        return value

    def replaced(self, path: DataPath, raw: RawScalar) -> Any:
        """The value of a scalar, computed."""
        pieces: list[Any] = []
        has_variable = False
        for part in parts(raw.text):
            has_variable = has_variable or not isinstance(part, str)
            pieces.append(self.evaluated(part, path, 0))
        if len(pieces) == 1 and raw.is_plain and has_variable:
            return self.retyped(pieces[0])
        texts = [piece if isinstance(piece, str) else _as_text(piece) for piece in pieces]
        return texts[0] if len(texts) == 1 else self.joined(texts)

    def retyped(self, value: Any) -> Any:
        """The value of a plain scalar that is one whole variable."""
        if not isinstance(value, str):
            return value
        self.copied(value, 0)  # once there are too many, no more are parsed
        return self.copied(_retyped(value), 0)

    def joined(self, pieces: list[str]) -> str:
        """One text; its size is known before it is made."""
        size = sum(map(len, pieces))
        self.characters += size
        if size > MAX_TEXT:
            raise VariableFault("variable-limit", f"a value of more than {MAX_TEXT} characters")
        if self.characters > MAX_TEXTS:
            raise VariableFault(
                "variable-limit", f"values of more than {MAX_TEXTS} characters together"
            )
        return "".join(pieces)

    def copied(self, value: Any, depth: int) -> Any:
        """A value of its own for each place that refers to it, as long as they are not too many."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            limit = f"{MAX_VALUES} values" if self.values > MAX_VALUES else f"{MAX_DEPTH} levels"
            raise VariableFault("variable-limit", f"more than {limit} once variables are replaced")
        if isinstance(value, dict):
            return {key: self.copied(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.copied(item, depth + 1) for item in value]
        return value

    def evaluated(self, part: Part, path: DataPath, depth: int) -> Any:
        """The value of a part of the value at a path."""
        if isinstance(part, str):
            return part
        if isinstance(part, Expression):
            return self.expression(part, path)
        return self.environment(part, path, depth)

    def environment(self, variable: EnvironmentVariable, path: DataPath, depth: int) -> str:
        """`$NAME`, `${NAME}` and its forms with `:-`, `-`, `:?`, `?`, `:+` and `+`."""
        name, operator = variable.name, variable.operator
        value = self.variables.of_environment(name)
        if not operator:
            return self.required(name, value, variable.word)
        is_there = value is not None and (value != "" or operator[0] != ":")
        if operator[-1] == "+":
            return self.nested(variable.argument, path, depth + 1) if is_there else ""
        if is_there:
            return value or ""
        argument = self.nested(variable.argument, path, depth + 1)
        if operator[-1] == "-":
            return argument
        message = f"{name} is not set: {argument or 'it is required'}"
        raise VariableFault("unset-variable", message, "", variable.word)

    def required(self, name: str, value: str | None, word: str) -> str:
        if value is not None:
            return value
        raise VariableFault(
            "unset-variable",
            f"the variable {name} is not set",
            self.near(name) or f"set it, or give a default: `${{{name}:-default}}`",
            word,
        )

    def nested(self, text: str, path: DataPath, depth: int) -> str:
        """The argument of an operator, its variables replaced."""
        if depth > MAX_NESTING and "$" in text:
            raise VariableFault(
                "variable-syntax", f"variables nested deeper than {MAX_NESTING} levels"
            )
        return self.joined([str(self.evaluated(part, path, depth)) for part in parts(text)])

    def expression(self, expression: Expression, path: DataPath) -> Any:
        """`${{ … }}`."""
        if expression.scope in ("root", "this"):
            base = () if expression.scope == "root" else path[:-1]
            return self.reference((*base, *expression.steps), expression.word, path)
        found = self.lookup(expression.scope, expression.name)
        if found is not None:
            return found
        if expression.default is not None:
            return expression.default
        text = expression.text
        raise VariableFault(
            "unset-variable",
            f"{text} is not set",
            self.near(text.rpartition(".")[2])
            or f"set it, or give a default: `${{{{ {text} | default }}}}`",
            expression.word,
        )

    def lookup(self, scope: str, name: str) -> Any:
        """A value of the environment or the context; None when there is none."""
        found = None if scope == "context" else self.variables.of_environment(name)
        return self.variables.of_context(name) if found is None and scope != "env" else found

    def reference(self, target: DataPath, word: str, path: DataPath) -> Any:
        """A copy of another value of the file."""
        try:
            value_at(self.tree.data, target)
        except (LookupError, TypeError):
            raise VariableFault(
                "unset-variable",
                f"`{word}` refers to {path_text(target)}, which is not in this file",
                self.near_key(target),
                word,
            ) from None
        if path[: len(target)] == target:
            message = f"`{word}` refers to a value that contains it"
            raise VariableFault("variable-cycle", message, "", word)
        return self.copied(self.value(target), 0)

    def near(self, name: str) -> str:
        self.hints += 1
        known = self.variables.names() if self.hints <= MAX_HINTS else []
        close = near_name(name, known, cutoff=0.8)
        return f"did you mean {close}?" if close else ""

    def near_key(self, path: DataPath) -> str:
        self.hints += 1
        data = self.tree.data
        for part in path if self.hints <= MAX_HINTS else ():
            try:
                data = value_at(data, (part,))
            except (LookupError, TypeError):
                known = [str(key) for key in data] if isinstance(data, dict) else []
                close = near_name(str(part), known)
                return f"did you mean {close!r}?" if close else ""
        return ""


def _retyped(text: str) -> Any:
    """A text as a plain YAML value: `[a, b]` and `{a: 1}` too, where they are well formed."""
    if text[:1] + text[-1:] in ("[]", "{}"):
        tree = parse(Source(text))
        if not errors_in(tree.problems):
            return tree.data
    return plain_value(text)


def _as_text(value: Any) -> str:
    """A value inside a text."""
    if isinstance(value, dict | list):
        kind = "map" if isinstance(value, dict) else "list"
        raise VariableFault(
            "variable-type",
            f"a {kind} cannot be part of a longer text",
            "make it the whole value, without quotes",
        )
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
