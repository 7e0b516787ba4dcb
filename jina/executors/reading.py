"""Which parameters a method reads, as far as its source shows: nothing is called.

What is found are `parameters["x"]`, `parameters.get("x", 1)` and the like, also where `parameters`
goes by another name, or comes out of `**kwargs`; and the keys of a TypedDict that annotates it.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import re
from collections.abc import Iterator
from types import CodeType
from typing import Any, get_args

import msgspec

from jina.wire.described import Parameter

_PARAMETERS = "parameters"
_READS = ("get", "pop", "setdefault")
_CASTS = ("int", "float", "str", "bool", "list", "dict", "set", "tuple")
_REQUIREMENT = re.compile(r"^(Not)?Required\[(.*)\]$")
_MOST_LINES = 2000  # of a method
_MOST_FOUND = 100  # of its parameters
_MOST_DEFAULT = 1000  # bytes of JSON of a default


def parameters_of(function: Any) -> list[Parameter]:
    """The parameters that a method reads, in the order of its code.

    Args:
        function: plain, not wrapped; one without source gives what its annotation says.
    """
    found: dict[str, Parameter] = {}
    # Whatever is wrong with a source, or too much for the parser: it is only read for people.
    with contextlib.suppress(Exception):
        found = _annotated(function)
        if (code := getattr(function, "__code__", None)) is not None:
            for tree in _parsed(code, getattr(function, "__globals__", None)):
                found = _merged(found, _Reader(tree).read())
    return list(found.values())[:_MOST_FOUND]


def _merged(told: dict[str, Parameter], read: dict[str, Parameter]) -> dict[str, Parameter]:
    """An annotation is right about the type, and the code about the default."""
    both = {
        name: Parameter(name, each.default, told[name].type, told[name].is_required)
        for name, each in read.items()
        if name in told
    }
    return told | read | both


def _annotated(function: Any) -> dict[str, Parameter]:
    """The keys of a TypedDict."""
    hint = getattr(function, "__annotations__", {}).get(_PARAMETERS)
    if isinstance(hint, str):  # `from __future__ import annotations`
        hint = getattr(function, "__globals__", {}).get(hint)
    required = getattr(hint, "__required_keys__", None)
    if required is None:
        return {}
    found = {}
    for name, each in hint.__annotations__.items():
        words = _words(each)
        kind = _REQUIREMENT.sub(r"\2", words)
        is_required = name in required and not words.startswith("NotRequired[")
        found[name] = Parameter(name, type=kind, is_required=is_required)
    return found


def _words(hint: Any) -> str:
    """A type, as the code has it."""
    text = getattr(hint, "__forward_arg__", hint)
    if isinstance(hint, type) and not get_args(hint):
        text = hint.__name__
    return str(text).replace("typing.", "")[:100]


# --- the source of a function --------------------------------------------------------------------


def _parsed(code: CodeType, module: dict[str, Any] | None) -> Iterator[ast.AST]:
    """Its definition, parsed; nothing where there is no source.

    Only its own lines are parsed, and no line is taken apart before: a file of thousands of lines
    costs no more than it takes to read it.
    """
    start, end = code.co_firstlineno - 1, _last_line(code)
    if end - start > _MOST_LINES:
        return
    lines = linecache.getlines(code.co_filename, module)
    if not lines[start:]:
        return
    indent = _indent(lines[start])
    while end < len(lines) and _goes_on(lines[end], indent):
        end += 1
    text = "".join(lines[start:end])
    tree = ast.parse(f"if 1:\n{text}" if indent else text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node
            return


def _last_line(code: CodeType) -> int:
    """The last line that has code, in functions within it too."""
    lines = [line for _, _, line in code.co_lines() if line]
    inner = [_last_line(each) for each in code.co_consts if isinstance(each, CodeType)]
    return max([code.co_firstlineno, *lines, *inner])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _goes_on(line: str, indent: int) -> bool:
    """Whether a line behind the last one that has code belongs to the function all the same."""
    text = line.strip()
    return not text or _indent(line) > indent or text[0] in ")]}"


# --- what it reads -------------------------------------------------------------------------------


class _Reader:
    """Finds what a function reads.

    Args:
        tree: its definition.
    """

    def __init__(self, tree: ast.AST) -> None:
        self._tree = tree
        arguments: ast.arguments = tree.args  # type: ignore[attr-defined]  # a function's
        self._names = {_PARAMETERS}
        self._rest = arguments.kwarg.arg if arguments.kwarg else ""
        self._found: dict[str, Parameter] = {}
        self._optional: set[str] = set()

    def read(self) -> dict[str, Parameter]:
        """What it reads, by name."""
        nodes = list(_in_order(self._tree))
        for node in nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
                self._note_alias(node)
        for node in nodes:
            self._look(node, "", msgspec.UNSET)
        return {
            name: Parameter(name, each.default, each.type, each.is_required and self._needs(name))
            for name, each in self._found.items()
        }

    def _needs(self, name: str) -> bool:
        return name not in self._optional

    def _note_alias(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        if node.value is not None and self._is_all(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            self._names.update(each.id for each in targets if isinstance(each, ast.Name))

    def _is_all(self, node: ast.AST) -> bool:
        """Whether an expression is the parameters as a whole."""
        match node:
            case ast.Name(id=name):
                return name in self._names
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key)):
                return name == self._rest and key == _PARAMETERS
            case ast.Call(func=ast.Name(id="dict"), args=[first, *_]):
                return self._is_all(first)
            case ast.Call(func=ast.Attribute(value=value, attr="copy"), args=[]):
                return self._is_all(value)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=attribute),
                args=[ast.Constant(value=key), *_],
            ):
                return name == self._rest and attribute in _READS and key == _PARAMETERS
            case ast.BoolOp(op=ast.Or(), values=[first, *_]):
                return self._is_all(first)
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_all(body) or self._is_all(orelse)
        return False

    def _look(self, node: ast.AST, kind: str, otherwise: Any) -> None:
        """See whether an expression reads a parameter.

        Args:
            node: the expression, or a statement that has one.
            kind: what its value becomes, as far as the code says.
            otherwise: what is taken where it is empty; UNSET for nothing else.
        """
        match node:
            case ast.AnnAssign(annotation=hint, value=ast.AST() as value):
                self._look(value, ast.unparse(hint)[:100], otherwise)
            case ast.Call(func=ast.Name(id=cast), args=[value, *_]) if cast in _CASTS:
                self._look(value, kind or cast, otherwise)
            case ast.BoolOp(op=ast.Or(), values=[value, other]):
                self._look(value, kind, _literal(other))
            case ast.Call(
                func=ast.Attribute(value=value, attr=attribute),
                args=[ast.Constant(value=str(name)), *others],
            ) if attribute in _READS and self._is_all(value):
                default = _literal(others[0]) if others else msgspec.UNSET
                self._note(name, kind, otherwise if otherwise is not msgspec.UNSET else default)
                self._optional.add(name)
            case ast.Subscript(
                value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()
            ) if self._is_all(value):
                self._note(name, kind, msgspec.UNSET, is_required=True)
            case ast.Compare(
                left=ast.Constant(value=str(name)),
                ops=[ast.In() | ast.NotIn()],
                comparators=[value],
            ) if self._is_all(value):
                self._note(name, kind, msgspec.UNSET)
                self._optional.add(name)

    def _note(self, name: str, kind: str, default: Any, *, is_required: bool = False) -> None:
        if not _is_text(name):
            return
        before = self._found.get(name)
        if before is not None:
            kind = before.type or kind
            default = default if before.default is msgspec.UNSET else before.default
            is_required = is_required or before.is_required
        if not kind and default is not msgspec.UNSET and default is not None:
            kind = type(default).__name__
        self._found[name] = Parameter(name, default, kind, is_required)


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, in the order of the source."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _is_text(text: str) -> bool:
    """Whether it can be sent: half of a surrogate pair cannot."""
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()
        return True
    return False


def _literal(node: ast.AST) -> Any:
    """The value of a literal that JSON has; UNSET for anything else."""
    try:
        value = ast.literal_eval(node)
        msgspec.msgpack.encode(value)  # no integer of more than 64 bits
        data = msgspec.json.encode(value)
        if len(data) > _MOST_DEFAULT or isinstance(value, bytes | set | complex):
            return msgspec.UNSET
        read = msgspec.json.decode(data)
        return read if read == value or isinstance(value, tuple) else msgspec.UNSET
    except Exception:
        return msgspec.UNSET
