"""How variables are written in YAML values: `${VAR:-default}`, `${{ ENV.VAR }}`, `${{ root.a.b }}`.

The grammar is Docker Compose's plus Jina's double braces. Nothing is looked up here: a text becomes
parts, and `variables.py` knows their values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from msgspec import structs

from jina.config.tree import DataPath

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]")
_REFERENCE = re.compile(r"(root|this)(?=[.\[])(.*)", re.DOTALL)
_SCOPED = re.compile(r"(ENV|env|CONTEXT|context)\.(.+)", re.DOTALL)
_OPERATORS = (":-", "-", ":?", "?", ":+", "+")


class VariableFault(Exception):
    """A variable that cannot be replaced.

    Args:
        code: as in `Problem`.
        message: as in `Problem`.
        hint: as in `Problem`.
        word: the variable as it is in the file.
        circle: further values that fail for the same reason.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        word: str = "",
        circle: tuple[DataPath, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.word = code, message, hint, word
        self.circle = circle


class EnvironmentVariable(msgspec.Struct, frozen=True):
    """`$NAME`, `${NAME}` or `${NAME:-argument}`.

    Args:
        word: the whole of it, as it is in the file.
        name: of the variable.
        operator: one of `:-`, `-`, `:?`, `?`, `:+`, `+`; empty when there is none.
        argument: the text after the operator; it can contain variables itself.
    """

    word: str
    name: str
    operator: str = ""
    argument: str = ""


class Expression(msgspec.Struct, frozen=True):
    """`${{ scope.name | default }}`.

    Args:
        word: the whole of it, as it is in the file.
        text: what is inside, without the default.
        default: None when there is none.
        scope: "root" or "this" for a value of the file, "env" or "context"; empty for the
            environment, then the context.
        name: what is looked up in the environment or the context.
        steps: the way to a value of the file.
    """

    word: str
    text: str
    default: str | None
    scope: str = ""
    name: str = ""
    steps: DataPath = ()


#: Literal text is a str.
Part: TypeAlias = str | EnvironmentVariable | Expression


def parts(text: str) -> Iterator[Part]:
    """The text and variables that a value consists of, in their order.

    Raises:
        VariableFault: when the part that comes next is malformed.
    """
    position = 0
    while position < len(text):
        dollar = text.find("$", position)
        if dollar < 0:
            yield text[position:]
            return
        if dollar > position:
            yield text[position:dollar]
        part, position = _part(text, dollar)
        yield part


def _part(text: str, at: int) -> tuple[Part, int]:
    """What a `$` begins, and where that ends."""
    if text.startswith("$$", at):
        return "$", at + 2
    if text.startswith("${{", at):
        return _expression(text, at)
    if text.startswith("${", at):
        return _braced(text, at)
    name = NAME.match(text, at + 1)
    if name is None:
        return "$", at + 1
    return EnvironmentVariable(text[at : name.end()], name.group()), name.end()


def _braced(text: str, at: int) -> tuple[EnvironmentVariable, int]:
    """`${NAME}`, with an operator or without."""
    name = NAME.match(text, at + 2)
    end = _closing(text, at + 1)
    if end < 0:
        raise VariableFault("variable-syntax", "`${` is never closed", "write `${NAME}`", "${")
    word = text[at : end + 1]
    if name is None:
        raise VariableFault(
            "variable-syntax",
            f"`{word}` is not a valid variable",
            "write `${NAME}`, or `$$` for a literal `$`",
            word,
        )
    rest = text[name.end() : end]
    operator = rest[:2] if rest[:1] == ":" else rest[:1]
    if rest and operator not in _OPERATORS:
        raise VariableFault(
            "variable-syntax",
            f"`{word}` is not a valid variable",
            "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`",
            word,
        )
    return EnvironmentVariable(word, name.group(), operator, rest[len(operator) :]), end + 1


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


def _expression(text: str, at: int) -> tuple[Expression, int]:
    """`${{ … }}`."""
    end = text.find("}}", at)
    if end < 0:
        raise VariableFault(
            "variable-syntax", "`${{` is never closed", "write `${{ NAME }}`", "${{"
        )
    inner, bar, after = text[at + 3 : end].partition("|")
    default = _unquoted(after.strip()) if bar else None
    return _scoped(Expression(text[at : end + 2], inner.strip(), default)), end + 2


def _scoped(found: Expression) -> Expression:
    """The expression with its scope, and with what is looked up there."""
    reference, scoped = _REFERENCE.fullmatch(found.text), _SCOPED.fullmatch(found.text)
    if reference:
        return structs.replace(found, scope=reference[1], steps=_steps(reference[2], found.word))
    if scoped:
        return structs.replace(found, scope=scoped[1].lower(), name=scoped[2])
    if NAME.match(found.text):
        return structs.replace(found, name=found.text)
    raise VariableFault(
        "variable-syntax",
        f"`{found.word}` is not a valid variable",
        "write `${{ ENV.NAME }}`, `${{ CONTEXT.name }}` or `${{ root.key }}`",
        found.word,
    )


def _steps(text: str, word: str) -> DataPath:
    """The path that `.executors[0].name` says."""
    path: list[str | int] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise VariableFault(
                "variable-syntax", f"`{word}` is not a valid path in this file", "", word
            )
        path.append(found[1] if found[1] is not None else int(found[2]))
        position = found.end()
    return tuple(path)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
