"""Read the source of one function: which parameters of a request it takes out of a variable.

What is found are `parameters["x"]`, `parameters.get("x", 1)` and the like, also where the variable
has another name, or comes out of `**kwargs`. Nothing is called.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

import msgspec

from jina.wire.described import Parameter

PARAMETERS = "parameters"
"""The argument of a method that has them."""

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_READS = ("get", "pop", "setdefault")
_CASTS = ("int", "float", "str", "bool", "list", "dict", "set", "tuple")
_MOST_LINES = 2000  # of a function
_MOST_DEFAULT = 1000  # bytes of JSON of a default
_MOST_TYPE = 100  # characters


# --- the source of a function --------------------------------------------------------------------


def definition_of(code: CodeType, module: dict[str, Any] | None) -> Definition | None:
    """A function, parsed; None where there is no source.

    Only its own lines are parsed, and no line is taken apart before: a file of thousands of lines
    costs no more than it takes to read it.

    Args:
        code: of the function.
        module: its global names.

    Raises:
        Exception: the source is another one by now, or too much for the parser.
    """
    start, end = code.co_firstlineno - 1, _last_line(code)
    if end - start > _MOST_LINES:
        return None
    lines = linecache.getlines(code.co_filename, module)
    if not lines[start:]:
        return None
    indent = _indent(lines[start])
    while end < len(lines) and _goes_on(lines[end], indent):
        end += 1
    text = "".join(lines[start:end])
    tree = ast.parse(f"if 1:\n{text}" if indent else text)
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            return node
    return None


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


class Found:
    """Parameters that were found, in one function or several."""

    def __init__(self) -> None:
        self._found: dict[str, Parameter] = {}
        self._optional: set[str] = set()

    def note(self, found: Parameter, *, is_optional: bool = False) -> None:
        """Note a parameter, or more about it; what was found first is kept."""
        name, kind, default = found.name, found.type, found.default
        if not _is_text(name):
            return
        if is_optional:
            self._optional.add(name)
        before = self._found.get(name)
        if before is not None:
            kind = before.type or kind
            default = default if before.default is msgspec.UNSET else before.default
        if not kind and default is not msgspec.UNSET and default is not None:
            kind = type(default).__name__
        is_required = found.is_required or (before is not None and before.is_required)
        self._found[name] = Parameter(name, default, kind, is_required)

    def all(self) -> dict[str, Parameter]:
        """All of them, by name."""
        return {
            name: each
            if name not in self._optional
            else Parameter(name, each.default, each.type, is_required=False)
            for name, each in self._found.items()
        }


class Passed(NamedTuple):
    """The parameters as a whole are an argument of a call.

    Attributes:
        callee: what is called.
        position: of the argument; of one by its name, how many stand before it.
        name: of the argument; "" for one by its position, "**" where they are its keywords.
        given: names of arguments that the call gives besides.
    """

    callee: ast.expr
    position: int
    name: str = ""
    given: tuple[str, ...] = ()


class Reader:
    """Finds what one function reads.

    Args:
        tree: its definition.
        name: of the argument that has the parameters.
        found: is told of them.
    """

    def __init__(self, tree: Definition, name: str, found: Found) -> None:
        self._tree = tree
        rest = tree.args.kwarg
        self._rest = rest.arg if rest and name == PARAMETERS else ""
        self._names = {name} if name in {each.arg for each in arguments_of(tree)} else set()
        self._found = found

    def read(self) -> list[Passed]:
        """Read it; returns where it hands all parameters on."""
        nodes = list(_in_order(self._tree))
        for node in nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
                self._note_alias(node)
        passed: list[Passed] = []
        for node in nodes:
            self._look(node, "", msgspec.UNSET)
            if isinstance(node, ast.Call):
                passed += self._passed(node)
        return passed

    def _passed(self, call: ast.Call) -> Iterator[Passed]:
        for position, each in enumerate(call.args):
            if self._is_all(each):
                yield Passed(call.func, position)
        given = tuple(each.arg for each in call.keywords if each.arg)
        for keyword in call.keywords:
            if self._is_all(keyword.value):
                yield Passed(call.func, len(call.args), keyword.arg or "**", given)

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
                return name == self._rest and key == PARAMETERS
            case ast.Call(func=ast.Name(id="dict"), args=[first, *_]):
                return self._is_all(first)
            case ast.Call(func=ast.Attribute(value=value, attr="copy"), args=[]):
                return self._is_all(value)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=attribute),
                args=[ast.Constant(value=key), *_],
            ):
                return name == self._rest and attribute in _READS and key == PARAMETERS
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
                self._look(value, ast.unparse(hint)[:_MOST_TYPE], otherwise)
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
            case ast.Subscript(
                value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()
            ) if self._is_all(value):
                self._found.note(Parameter(name, type=kind, is_required=True))
            case ast.Compare(
                left=ast.Constant(value=str(name)),
                ops=[ast.In() | ast.NotIn()],
                comparators=[value],
            ) if self._is_all(value):
                self._note(name, kind)

    def _note(self, name: str, kind: str, default: Any = msgspec.UNSET) -> None:
        self._found.note(Parameter(name, default, kind), is_optional=True)


def arguments_of(tree: Definition) -> list[ast.arg]:
    """The arguments that may be given by their names, in order."""
    return [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]


def keywords_of(tree: Definition) -> Iterator[Parameter]:
    """The arguments of a function, as parameters: annotation, default, or none."""
    args = tree.args
    plain = [*args.posonlyargs, *args.args]
    missing: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
    defaults = [*missing, *args.defaults, *args.kw_defaults]
    for each, default in zip([*plain, *args.kwonlyargs], defaults, strict=True):
        kind = ast.unparse(each.annotation)[:_MOST_TYPE] if each.annotation else ""
        value = msgspec.UNSET if default is None else _literal(default)
        yield Parameter(each.arg, value, kind, default is None)


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
    except Exception:  # whatever the source has there: too deep, too long, or not for JSON
        return msgspec.UNSET
