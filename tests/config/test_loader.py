"""YAML to data with positions, and the traps of YAML."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jina.config.loader import MAX_DEPTH, MAX_VALUES, parse
from jina.config.source import Source, open_source
from jina.config.tree import Span, Tree


def tree_of(text: str) -> Tree:
    source = open_source(text, what="Flow")
    assert isinstance(source, Source), source
    return parse(source)


def codes(tree: Tree) -> list[str]:
    return [problem.code for problem in tree.problems]


def test_keys_are_text_always() -> None:
    tree = tree_of("on: 1\n5: a\ntrue: b\nnull: c\n1.5: d\n017: e\n")
    assert tree.data == {"on": 1, "5": "a", "true": "b", "null": "c", "1.5": "d", "017": "e"}


def test_quoted_values_stay_text() -> None:
    assert tree_of("""a: '1'\nb: "true"\nc: |\n  3\nd: >-\n  4\n""").data == {
        "a": "1",
        "b": "true",
        "c": "3\n",
        "d": "4",
    }


def test_positions_are_of_keys_and_values() -> None:
    tree = tree_of("jtype: Flow\nexecutors:\n  - name: enc\n    needs: [a, bcd]\n")
    assert tree.span(("executors", 0, "name")) == Span(3, 11, 3, 14)
    assert tree.span(("executors", 0, "name"), "key") == Span(3, 5, 3, 9)
    assert tree.span(("executors", 0, "needs", 1)) == Span(4, 16, 4, 19)


def test_a_missing_place_is_that_of_its_parent() -> None:
    tree = tree_of("with:\n  a: 1\n")
    assert tree.span(("with", "b")) == Span(1, 1, 1, 5)


def test_columns_count_characters() -> None:
    tree = tree_of("näme: ü\nzwei: {é: 1}\n")
    assert tree.span(("näme",)).column == 7
    assert tree.span(("zwei", "é")).column == 11


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    tree = tree_of("\ufeffa: 1\r\nb:\r\n  - 2\r\n")
    assert tree.data == {"a": 1, "b": [2]}
    assert tree.span(("b", 0)) == Span(3, 5, 3, 6)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("!MyExec\nwith: {a: 1}\n", {"jtype": "MyExec", "with": {"a": 1}}),
        ("!MyExec {}\n", {"jtype": "MyExec"}),
        ("!MyExec\n", {"jtype": "MyExec"}),
        ("a: !MyExec\n  b: 1\n", {"a": {"jtype": "MyExec", "b": 1}}),
        ("- !A\n- !B {c: 1}\n", [{"jtype": "A"}, {"jtype": "B", "c": 1}]),
        ("a: '!word in a text'\n", {"a": "!word in a text"}),
        (
            "a: !!str 5\nb: !!float 5\nc: !!bool true\nd: !!int 7\n",
            {"a": "5", "b": 5.0, "c": True, "d": 7},
        ),
    ],
)
def test_tags_name_classes_or_plain_types(text: str, data: Any) -> None:
    tree = tree_of(text)
    assert tree.problems == []
    assert tree.data == data


def test_json_is_read() -> None:
    tree = tree_of('{"jtype": "E", "with": {"a": [1, 2.5, null, true, "\\u00e9"]}}')
    assert tree.data == {"jtype": "E", "with": {"a": [1, 2.5, None, True, "é"]}}


def test_anchors_and_merges_are_expanded() -> None:
    tree = tree_of("base: &b {x: 1, y: 2}\na: {<<: *b, y: 3}\nc: {<<: [*b, {z: 4}], w: *b}\n")
    assert tree.data["a"] == {"y": 3, "x": 1}
    assert tree.data["c"] == {"w": {"x": 1, "y": 2}, "x": 1, "y": 2, "z": 4}
    assert tree.data["c"]["w"] is not tree.data["base"]


def test_every_duplicate_key_is_reported_and_the_first_kept() -> None:
    tree = tree_of("a: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert tree.data == {"a": 1, "b": {"c": 1}}
    assert codes(tree) == ["duplicate-key", "duplicate-key"]
    assert [(p.line, p.column) for p in tree.problems] == [(2, 1), (3, 11)]


LISTS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
MERGES = "a0: &a0 {k: v}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 50_000,
        "? " * 50_000,
        LISTS,
        MERGES,
        "a: &a [*a]",
        "a: &a {<<: *a}",
        "a: &a x\nb: [" + "*a," * 2000 + "]",
        "x: [" + "1," * (MAX_VALUES + 1) + "]",
        "x: " + "a" * 2_000_000,
    ],
    ids=lambda bomb: bomb[:24],
)
def test_a_bomb_is_refused_at_once(bomb: str) -> None:
    started = time.process_time()
    source = open_source(bomb, what="Flow")
    problems = [source] if not isinstance(source, Source) else parse(source).problems
    assert [p.code for p in problems] in (["yaml-limit"], ["yaml-syntax"])  # type: ignore[union-attr]
    assert time.process_time() - started < 2


def test_the_deepest_allowed_nesting_is_read() -> None:
    text = "[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH
    assert tree_of(f"a: {text[1:-1]}").problems == []
    assert codes(tree_of(f"a: {text}")) == ["yaml-limit"]


def test_a_text_is_no_nesting_of_its_lines() -> None:
    tree = tree_of("a: |\n  first\n    second\nb: 1\n")
    assert tree.data == {"a": "first\n  second\n", "b": 1}
