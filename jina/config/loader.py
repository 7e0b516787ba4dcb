"""Parse YAML into data with positions.

It knows YAML and its traps (duplicate keys, alias bombs, tags) and nothing of Flows and Executors.
The C parser composes nodes; the data is built here, because scalars, keys and limits follow rules
of our own.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml import CBaseLoader
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from jina.config.parser_words import in_words
from jina.config.problems import Note, Problem
from jina.config.scalars import plain_value, suspicion
from jina.config.source import Source
from jina.config.tree import DataPath, RawScalar, Span, Tree

MAX_DEPTH = 64  # nested maps and lists
MAX_ALIASES = 1000  # `*name` in one file
MAX_VALUES = 50_000  # after aliases and merges are expanded

_YAML_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


class _Nodes(CBaseLoader):
    """Composes nodes whose tag is None unless the file wrote one."""

    def resolve(self, kind: type, value: object, implicit: object) -> None:
        return None

    def descend_resolver(self, *_: object) -> None: ...
    def ascend_resolver(self) -> None: ...
    def dispose(self) -> None: ...


class _LimitExceeded(Exception):
    """A limit was exceeded; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def parse(source: Source) -> Tree:
    """Parse a source.

    Returns:
        a tree. When the text is not YAML, its data is None and its problems say why; other problems
        (a duplicate key, a tag) leave the rest usable, so that more can be found in it.
    """
    tree = Tree(source)
    if source.data is not None:
        tree.data = source.data
        return tree
    try:
        _scan(tree)
        node = _Nodes(source.text).get_single_node() if source.text.strip() else None
        if node is not None:
            tree.data = _Builder(tree).build(node, (), 0)
    except _LimitExceeded as stop:
        tree.data = None
        tree.problems.append(stop.problem)
    except yaml.YAMLError as err:
        tree.data = None
        tree.problems.append(_syntax(tree, err))
    tree.codes = {problem.code for problem in tree.problems}
    return tree


def _scan(tree: Tree) -> None:
    """Check the limits on the events first: composing recurses, and here a bomb is cheap to see."""
    depth = aliases = documents = 0
    for event in yaml.parse(tree.source.text, Loader=_Nodes):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _limit(tree, event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > MAX_ALIASES:
                raise _limit(tree, event.start_mark, f"more than {MAX_ALIASES} aliases")
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problem = Problem(
                    "yaml-documents",
                    "a second YAML document; a file can contain only one",
                    hint="remove it, or move it to its own file",
                )
                raise _LimitExceeded(tree.placed(problem, _span(tree, event)))


def _limit(tree: Tree, mark: Any, message: str) -> _LimitExceeded:
    span = _mark_span(tree, mark)
    return _LimitExceeded(tree.placed(Problem("yaml-limit", message), span))


class _Builder:
    """Builds data from nodes and records where everything is."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.values = 0
        self.open: set[int] = set()  # nodes being built: an alias to one of them never ends

    def build(self, node: Node, path: DataPath, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            what = "values" if self.values > MAX_VALUES else "levels"
            limit = MAX_VALUES if self.values > MAX_VALUES else MAX_DEPTH
            raise _limit(
                self.tree, node.start_mark, f"more than {limit} {what} once aliases are expanded"
            )
        self.tree.values[path] = _span(self.tree, node)
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        if id(node) in self.open:
            raise _limit(self.tree, node.start_mark, "an alias inside the value it refers to")
        self.open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self.mapping(node, path, depth)
            return self.sequence(node, path, depth)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: ScalarNode, path: DataPath) -> Any:
        text, tag = node.value, node.tag
        is_plain = not node.style
        if tag:
            return self.tagged_scalar(node, path)
        if "$" in text:
            self.tree.raws[path] = RawScalar(text, is_plain)
        if not is_plain:
            return text
        message, hint = suspicion(text)
        if message:
            self.report(node, "yaml-plain", message, hint, is_warning=True)
        return plain_value(text)

    def tagged_scalar(self, node: ScalarNode, path: DataPath) -> Any:
        text, tag = node.value, node.tag
        short = tag.removeprefix(_YAML_TAG)
        if short == "str":
            if "$" in text:
                self.tree.raws[path] = RawScalar(text, False)
            return text
        if short in ("int", "float", "bool", "null") and tag != short:
            value = plain_value(text)
            is_one = {
                "int": type(value) is int,
                "float": type(value) in (int, float),
                "bool": type(value) is bool,
                "null": value is None,
            }
            if is_one[short]:
                return float(value) if short == "float" and isinstance(value, int) else value
            self.report(node, "yaml-tag", f"{text!r} is not a valid !!{short}")
            return None
        if tag.startswith("!") and not text:
            return {"jtype": tag[1:]}
        self.report(
            node,
            "yaml-tag",
            f"the tag {_tag(tag)} cannot be used on a plain value",
            "a tag names a class and goes before a map: `!MyExecutor`",
        )
        return text

    def sequence(self, node: Node, path: DataPath, depth: int) -> list[Any]:
        if node.tag and node.tag != f"{_YAML_TAG}seq":
            self.report(
                node,
                "yaml-tag",
                f"the tag {_tag(node.tag)} cannot be used on a list",
                "a tag names a class and goes before a map: `!MyExecutor`",
            )
        return [self.build(item, (*path, n), depth + 1) for n, item in enumerate(node.value)]

    def mapping(self, node: MappingNode, path: DataPath, depth: int) -> dict[str, Any]:
        found = self.named_class(node, path)
        merged: list[Node] = []
        own: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                message = "a key must be text, not a list or map"
                self.report(key_node, "yaml-key", message, "quote the key")
            elif key_node.value == _MERGE and not key_node.style:
                merged.append(value_node)
            elif self.is_first(key_node, own, node.tag if "jtype" in found else None):
                key = key_node.value
                own[key] = key_node
                self.tree.keys[*path, key] = _span(self.tree, key_node)
                found[key] = self.build(value_node, (*path, key), depth + 1)
        for value_node in merged:
            self.merge(value_node, found, path, depth)
        return found

    def named_class(self, node: MappingNode, path: DataPath) -> dict[str, Any]:
        """The tag of a map as its `jtype`; nothing when it has none."""
        tag = node.tag
        if not tag or tag == f"{_YAML_TAG}map":
            return {}
        if not tag.startswith("!"):
            self.report(
                node,
                "yaml-tag",
                f"the tag {_tag(tag)} is not allowed",
                "a tag names an Executor's class: `!MyExecutor`, or write `jtype: MyExecutor`",
            )
            return {}
        start = _mark_span(self.tree, node.start_mark)
        # The node begins at its tag.
        self.tree.values[*path, "jtype"] = start._replace(end_column=start.column + len(tag))
        return {"jtype": tag[1:]}

    def is_first(self, key_node: ScalarNode, own: dict[str, Node], tag: str | None) -> bool:
        """Whether a key is new in its map (or the map's tag); a duplicate is reported.

        Args:
            key_node: the key.
            own: the keys before it.
            tag: that of the map, if the class is named already.
        """
        key = key_node.value
        if key in own:
            self.duplicate(key, key_node, own[key])
            return False
        if key == "jtype" and tag is not None:
            self.report(
                key_node,
                "yaml-tag",
                f"the class is given twice: by the tag {_tag(tag)} and by `jtype`",
                "keep one of them",
            )
            return False
        return True

    def merge(self, node: Node, into: dict[str, Any], path: DataPath, depth: int) -> None:
        """Add the keys of `<<: *anchor` (or of a list of such) that are not there yet."""
        if depth > MAX_DEPTH or id(node) in self.open:
            raise _limit(self.tree, node.start_mark, "a `<<` that merges itself")
        if isinstance(node, SequenceNode):
            for item in node.value:
                if not isinstance(item, MappingNode):
                    self.report(item, "yaml-merge", "`<<` needs maps", "write `<<: *anchor`")
                    continue
                self.merge(item, into, path, depth + 1)
            return
        if not isinstance(node, MappingNode):
            self.report(node, "yaml-merge", "`<<` needs a map", "write `<<: *anchor`")
            return
        self.open.add(id(node))
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                continue
            key = key_node.value
            if key == _MERGE and not key_node.style:
                self.merge(value_node, into, path, depth + 1)
            elif key not in into:
                self.tree.keys[*path, key] = _span(self.tree, key_node)
                into[key] = self.build(value_node, (*path, key), depth + 1)
            else:
                # Counted too: a bomb of merges adds few keys and visits many.
                self.values += 1
        self.open.discard(id(node))

    def duplicate(self, key: str, again: ScalarNode, first: Node) -> None:
        span = _span(self.tree, first)
        note = Note(f"`{key}` is first set here", self.tree.source.file, span.line, span.column)
        problem = Problem(
            "duplicate-key",
            f"the key `{key}` appears twice in this map",
            hint="remove one of them",
            notes=(note,),
        )
        self.tree.problems.append(self.tree.placed(problem, _span(self.tree, again)))

    def report(
        self, node: Node, code: str, message: str, hint: str = "", *, is_warning: bool = False
    ) -> None:
        problem = Problem(code, message, hint=hint, severity="warning" if is_warning else "error")
        self.tree.problems.append(self.tree.placed(problem, _span(self.tree, node)))


def _span(tree: Tree, node: Any) -> Span:
    start, end = node.start_mark, node.end_mark
    source = tree.source
    begin = _mark_span(tree, start)
    if end.line == start.line:
        return begin._replace(end_column=max(end.column + source.indent, begin.column) + 1)
    # A block ends where the next thing begins; where its own last line ends is not known.
    return begin._replace(
        end_line=end.line + source.first_line + 1, end_column=end.column + source.indent + 1
    )


def _mark_span(tree: Tree, mark: Any) -> Span:
    line = mark.line + tree.source.first_line + 1
    column = mark.column + tree.source.indent + 1
    return Span(line, column, line, column + 1)


def _tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_YAML_TAG) if tag.startswith(_YAML_TAG) else tag


def _syntax(tree: Tree, err: yaml.YAMLError) -> Problem:
    """What the parser says, in our terms, at its place."""
    message = getattr(err, "problem", None) or getattr(err, "reason", None) or str(err)
    words = in_words(message, getattr(err, "context", None) or "")
    problem = Problem("yaml-syntax", words.message, hint=words.hint)
    mark = _syntax_mark(tree, err, message)
    if mark is not None:
        if "cannot start any token" in message:
            problem = _bad_token(_line(tree, mark)[mark.column : mark.column + 1])
        return tree.placed(problem, _text_span(tree, mark))
    position = getattr(err, "position", None)
    if isinstance(position, int):
        return tree.placed(problem, _span_of_offset(tree, position))
    return tree.placed(problem, Span(1, 1, 1, 2))


def _syntax_mark(tree: Tree, err: yaml.YAMLError, message: str) -> Any:
    """Which place of an error says most; None when it has none."""
    marks = [getattr(err, "problem_mark", None), getattr(err, "context_mark", None)]
    if "end of stream" in message or "expected ':'" in message:
        # What was never closed, or the key, says more than where that was noticed.
        marks.reverse()
    mark = next((m for m in marks if m is not None), None)
    if mark is not None and not _line(tree, mark).strip() and marks[1] is not None:
        return marks[1]
    return mark


def _text_span(tree: Tree, mark: Any) -> Span:
    """Where a mark is; the last text before it, if there is none."""
    lines = tree.source.lines
    last = min(mark.line + tree.source.first_line, len(lines) - 1)
    if last < 0 or _line(tree, mark).strip():
        return _mark_span(tree, mark)
    while last > 0 and not lines[last].strip():
        last -= 1
    column = max(1, len(lines[last].rstrip()))
    return Span(last + 1, column, last + 1, column + 1)


def _bad_token(character: str) -> Problem:
    if character == "\t":
        hint = "YAML indents with spaces"
        return Problem("yaml-syntax", "tabs are not allowed here", hint=hint)
    hint = f"quote values that start with {character}"
    return Problem("yaml-syntax", f"`{character}` is not allowed here", hint=hint)


def _line(tree: Tree, mark: Any) -> str:
    number = mark.line + tree.source.first_line
    return tree.source.lines[number] if number < len(tree.source.lines) else ""


def _span_of_offset(tree: Tree, offset: int) -> Span:
    # The C reader counts bytes, the Python one characters.
    before = tree.source.text.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Span(line, column, line, column + 1)
