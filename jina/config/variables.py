"""Variables in YAML values: `${VAR:-default}`, `${{ ENV.VAR }}`, `${{ root.a.b }}`.

The grammar is Docker Compose's plus Jina's double braces. Only a plain (unquoted) value that is
one whole variable is re-typed by the rules of YAML; everything else stays text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jina.config.loader import MAX_DEPTH, MAX_VALUES, parse
from jina.config.problems import Problem, errors_in
from jina.config.scalars import plain_value
from jina.config.source import Source
from jina.config.tree import DataPath, Raw, Tree, shown
from jina.suggest import near_name

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]")
_REFERENCE = re.compile(r"(root|this)(?=[.\[])(.*)", re.DOTALL)
_SCOPED = re.compile(r"(ENV|env|CONTEXT|context)\.(.+)", re.DOTALL)
MAX_NESTING = 16  # defaults inside defaults
MAX_TEXT = 1024 * 1024  # characters of one value after substitution
MAX_TEXTS = 4 * MAX_TEXT  # of all values together
MAX_HINTS = 10  # near names are looked for in a file; whoever needs more has another problem


class _Fault(Exception):
    """A variable that cannot be replaced; `word` is how it stands in the file."""

    def __init__(self, code: str, message: str, hint: str = "", word: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.word = code, message, hint, word
        self.circle: list[DataPath] = []  # further values that fail for the same reason


@dataclass
class Variables:
    """What names stand for.

    Args:
        env: environment variables; they win over `dotenv`.
        context: values given in Python, for `${{ CONTEXT.x }}` and `${{ x }}`.
        dotenv: the `.env` file beside the YAML; it serves interpolation only.
    """

    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    context: Mapping[str, Any] = field(default_factory=dict)
    dotenv: Mapping[str, str] = field(default_factory=dict)

    def of_environment(self, name: str) -> str | None:
        """The value, or None when it is not set."""
        found = self.env.get(name)
        return self.dotenv.get(name) if found is None else found

    def names(self) -> list[str]:
        """All that could have been meant."""
        return [*self.env, *self.dotenv, *self.context]


def interpolate(tree: Tree, variables: Variables) -> None:
    """Replace every variable in the tree's data; add a problem for each that cannot be.

    `${{ root.a.b }}` and `${{ this.x }}` see values that are replaced already, in whatever order
    they stand in the file.
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
        if not equals or not _NAME.fullmatch(key):
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
            except _Fault as fault:
                self.failed.update([path, *fault.circle])
                self.tree.problems.append(self.problem(path, fault))
                # Not the raw text: it would be reported once more as something else.
                value = Unresolved(self.tree.raws[path].text)
            self.put(path, value)

    def problem(self, path: DataPath, fault: _Fault) -> Problem:
        return self.tree.problem(path, fault.code, fault.message, hint=fault.hint, word=fault.word)

    def put(self, path: DataPath, value: Any) -> None:
        if not path:
            self.tree.data = value
            return
        parent = _at(self.tree.data, path[:-1])
        parent[path[-1]] = value

    def value(self, path: DataPath) -> Any:
        """The value at a path once its variables are replaced."""
        if self.depth > MAX_DEPTH:
            raise _Fault("variable-limit", f"references nested deeper than {MAX_DEPTH} levels")
        self.depth += 1
        try:
            return self.found(path)
        finally:
            self.depth -= 1

    def found(self, path: DataPath) -> Any:
        if path not in self.tree.raws:
            return self.whole(path)
        if path in self.done:
            return self.done[path]
        if path in self.trail:
            names = [*self.trail[self.trail.index(path) :], path]
            fault = _Fault(
                "variable-cycle",
                f"these values refer to each other: {' -> '.join(map(shown, names))}",
            )
            fault.circle = names
            raise fault
        self.trail.append(path)
        try:
            self.done[path] = self.replaced(path, self.tree.raws[path])
        finally:
            self.trail.pop()
        return self.done[path]

    def whole(self, path: DataPath) -> Any:
        """A referenced value, its children replaced, as a copy of its own."""
        value = _at(self.tree.data, path)
        if isinstance(value, dict):
            return {key: self.value((*path, key)) for key in value}
        if isinstance(value, list):
            return [self.value((*path, n)) for n in range(len(value))]
        return value

    def replaced(self, path: DataPath, raw: Raw) -> Any:
        text = raw.text
        pieces: list[Any] = []
        is_retyped = False
        position = 0
        while position < len(text):
            dollar = text.find("$", position)
            if dollar < 0:
                pieces.append(text[position:])
                break
            if dollar > position:
                pieces.append(text[position:dollar])
            value, position, is_variable = self.one(text, dollar, path, 0)
            is_retyped = is_retyped or is_variable
            pieces.append(value)
        if len(pieces) == 1:
            only = pieces[0]
            if raw.is_plain and is_retyped and isinstance(only, str):
                self.copied(only, 0)  # once there are too many, no more are parsed
                return self.copied(_retyped(only), 0)
            if raw.is_plain and is_retyped:
                return only
            return only if isinstance(only, str) else _text(only, raw, text)
        return self.joined([p if isinstance(p, str) else _text(p, raw, text) for p in pieces])

    def joined(self, pieces: list[str]) -> str:
        """One text; its size is known before it is made."""
        size = sum(map(len, pieces))
        self.characters += size
        if size > MAX_TEXT:
            raise _Fault("variable-limit", f"a value of more than {MAX_TEXT} characters")
        if self.characters > MAX_TEXTS:
            raise _Fault("variable-limit", f"values of more than {MAX_TEXTS} characters together")
        return "".join(pieces)

    def copied(self, value: Any, depth: int) -> Any:
        """A value of its own for each place that refers to it, as long as they are not too many."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            limit = f"{MAX_VALUES} values" if self.values > MAX_VALUES else f"{MAX_DEPTH} levels"
            raise _Fault("variable-limit", f"more than {limit} once variables are replaced")
        if isinstance(value, dict):
            return {key: self.copied(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.copied(item, depth + 1) for item in value]
        return value

    def one(self, text: str, at: int, path: DataPath, depth: int) -> tuple[Any, int, bool]:
        """The variable at a `$`: its value, where it ends, whether it is one at all."""
        if depth > MAX_NESTING:
            raise _Fault("variable-syntax", f"variables nested deeper than {MAX_NESTING} levels")
        if text.startswith("$$", at):
            return "$", at + 2, False
        if text.startswith("${{", at):
            end = text.find("}}", at)
            if end < 0:
                raise _Fault(
                    "variable-syntax", "`${{` is never closed", "write `${{ NAME }}`", "${{"
                )
            word = text[at : end + 2]
            return self.double(text[at + 3 : end].strip(), word, path), end + 2, True
        if text.startswith("${", at):
            return (*self.braced(text, at, path, depth), True)
        name = _NAME.match(text, at + 1)
        if name is None:
            return "$", at + 1, False
        word = text[at : name.end()]
        return self.environment(name.group(), word), name.end(), True

    def braced(self, text: str, at: int, path: DataPath, depth: int) -> tuple[str, int]:
        """`${NAME}` and its forms with `:-`, `-`, `:?`, `?`, `:+` and `+`."""
        name = _NAME.match(text, at + 2)
        end = _closing(text, at + 1)
        word = text[at : end + 1] if end >= 0 else "${"
        if end < 0:
            raise _Fault("variable-syntax", "`${` is never closed", "write `${NAME}`", word)
        if name is None:
            raise _Fault(
                "variable-syntax",
                f"`{word}` names no variable",
                "write `${NAME}`; a `$` that is meant as such is `$$`",
                word,
            )
        rest = text[name.end() : end]
        if not rest:
            return self.environment(name.group(), word), end + 1
        operator = rest[:2] if rest[0] == ":" else rest[0]
        if operator not in (":-", "-", ":?", "?", ":+", "+"):
            raise _Fault(
                "variable-syntax",
                f"`{word}` is no variable",
                "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`",
                word,
            )
        argument = rest[len(operator) :]
        value = self.variables.of_environment(name.group())
        is_there = value is not None and (value != "" or operator[0] != ":")
        if operator[-1] == "+":
            return (self.nested(argument, path, depth) if is_there else ""), end + 1
        if is_there:
            return value or "", end + 1
        if operator[-1] == "-":
            return self.nested(argument, path, depth), end + 1
        message = self.nested(argument, path, depth) or "it is required"
        raise _Fault("unset-variable", f"{name.group()} is not set: {message}", "", word)

    def nested(self, text: str, path: DataPath, depth: int) -> str:
        pieces: list[str] = []
        position = 0
        while position < len(text):
            dollar = text.find("$", position)
            if dollar < 0:
                pieces.append(text[position:])
                break
            pieces.append(text[position:dollar])
            value, position, _ = self.one(text, dollar, path, depth + 1)
            pieces.append(str(value))
        return self.joined(pieces)

    def environment(self, name: str, word: str) -> str:
        value = self.variables.of_environment(name)
        if value is not None:
            return value
        raise _Fault(
            "unset-variable",
            f"the variable {name} is not set",
            self.near(name) or f"set it, or give a default: `${{{name}:-default}}`",
            word,
        )

    def double(self, inner: str, word: str, path: DataPath) -> Any:
        """The inside of `${{ … }}`."""
        expression, bar, default = inner.partition("|")
        expression, default = expression.strip(), default.strip()
        reference = _REFERENCE.fullmatch(expression)
        if reference:
            base = () if reference[1] == "root" else path[:-1]
            return self.reference(base, reference[2], word, path)
        found = self.lookup(expression, word)
        if found is not None:
            return found
        if bar:
            return _unquoted(default)
        name = expression.rpartition(".")[2]
        raise _Fault(
            "unset-variable",
            f"{expression} is not set",
            self.near(name) or f"set it, or give a default: `${{{{ {expression} | default }}}}`",
            word,
        )

    def lookup(self, expression: str, word: str) -> Any:
        scoped = _SCOPED.fullmatch(expression)
        if scoped and scoped[1].upper() == "ENV":
            return self.variables.of_environment(scoped[2])
        if scoped:
            return _member(self.variables.context, scoped[2])
        if not _NAME.match(expression):
            raise _Fault(
                "variable-syntax",
                f"`{word}` is no variable",
                "write `${{ ENV.NAME }}`, `${{ CONTEXT.name }}` or `${{ root.key }}`",
                word,
            )
        found = self.variables.of_environment(expression)
        return _member(self.variables.context, expression) if found is None else found

    def reference(self, base: DataPath, steps: str, word: str, path: DataPath) -> Any:
        target = _steps(base, steps)
        if target is None:
            raise _Fault("variable-syntax", f"`{word}` is no path into this file", "", word)
        try:
            _at(self.tree.data, target)
        except (LookupError, TypeError):
            raise _Fault(
                "unset-variable",
                f"`{word}` names {shown(target)}, which is not in this file",
                self.near_key(target),
                word,
            ) from None
        if path[: len(target)] == target:
            raise _Fault(
                "variable-cycle", f"`{word}` is a part of the value that it names", "", word
            )
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
                data = _at(data, (part,))
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


class Unresolved(str):
    """The text of a value whose variable could not be replaced; its problem is reported already."""

    __slots__ = ()


def _closing(text: str, brace: int) -> int:
    """Index of the `}` that closes the `{` at an index; -1 when none does."""
    depth = 0
    for n in range(brace, len(text)):
        if text[n] == "{" and text[n - 1] == "$":
            depth += 1
        elif text[n] == "}":
            depth -= 1
            if depth == 0:
                return n
    return -1


def _steps(base: DataPath, steps: str) -> DataPath | None:
    path = list(base)
    position = 0
    while position < len(steps):
        found = _STEP.match(steps, position)
        if found is None:
            return None
        path.append(found[1] if found[1] is not None else int(found[2]))
        position = found.end()
    return tuple(path)


def _at(data: Any, path: DataPath) -> Any:
    for part in path:
        if isinstance(data, str):
            raise LookupError(part)
        data = data[part]
    return data


def _member(values: Mapping[str, Any], dotted: str) -> Any:
    found: Any = values
    for part in dotted.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _text(value: Any, raw: Raw, text: str) -> str:
    if isinstance(value, dict | list):
        kind = "map" if isinstance(value, dict) else "list"
        raise _Fault(
            "variable-type",
            f"a {kind} cannot stand inside a text",
            "refer to it as the whole value, without quotes",
        )
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
