"""Variables in values: every form, what it yields, and its type."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from jina.config.loader import parse
from jina.config.source import Source
from jina.config.tree import Tree
from jina.config.variables import Variables, interpolate, read_dotenv

ENV = {"A": "1", "B": "text", "EMPTY": "", "T": "true", "L": "[1, 2]", "N": "null"}
CONTEXT = {"x": 5, "deep": {"er": [1]}, "A": "context", "word": "w"}


def interpolated(text: str, **more: Any) -> Tree:
    tree = parse(Source(text, "f.yml", lines=text.splitlines()))
    interpolate(tree, Variables(ENV, CONTEXT, **more))
    return tree


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$A", 1),
        ("${A}", 1),
        ("'$A'", "1"),
        ('"${A}"', "1"),
        ("$B", "text"),
        ("$T", True),
        ("$L", [1, 2]),
        ("'$L'", "[1, 2]"),
        ("$N", None),
        ("x$A", "x1"),
        ("${A}${A}", "11"),
        ("${A}.5", "1.5"),
        ("${A} ", 1),
        ("$A-$B", "1-text"),
        ("${U:-3}", 3),
        ("'${U:-3}'", "3"),
        ("${U-3}", 3),
        ("${EMPTY:-d}", "d"),
        ("'${EMPTY-d}'", ""),
        ("${EMPTY-d}", None),
        ("${A:-d}", 1),
        ("${U:-$B}", "text"),
        ("${U:-${V:-deep}}", "deep"),
        ("${U:-a b}", "a b"),
        ("${U:-}", None),
        ("${A:?no}", 1),
        ("${A?no}", 1),
        ("'${A:+r}'", "r"),
        ("'${EMPTY:+r}'", ""),
        ("'${EMPTY+r}'", "r"),
        ("'${U:+r}'", ""),
        ("$$A", "$A"),
        ("$${A}", "${A}"),
        ("5$", "5$"),
        ("$5", "$5"),
        ("'a $ b'", "a $ b"),
        ("^a.*$", "^a.*$"),
        ("${{ ENV.A }}", 1),
        ("${{ENV.A}}", 1),
        ("${{  env.A  }}", 1),
        ("'${{ ENV.A }}'", "1"),
        ("${{ A }}", 1),
        ("${{ x }}", 5),
        ("${{ CONTEXT.x }}", 5),
        ("${{ context.deep.er }}", [1]),
        ("'v${{ CONTEXT.x }}'", "v5"),
        ("${{ ENV.U | 7 }}", 7),
        ("${{ U | 'a b' }}", "a b"),
        ("${{ CONTEXT.word }}-$A", "w-1"),
    ],
)
def test_each_form(written: str, value: Any) -> None:
    tree = interpolated(f"key: {written}\n")
    assert tree.problems == []
    assert tree.data == {"key": value}
    assert type(tree.data["key"]) is type(value)


def test_values_without_variables_are_left_alone() -> None:
    tree = interpolated("a: 'true'\nb: '[1]'\nc: '{0}'\nd: '123'\n")
    assert tree.data == {"a": "true", "b": "[1]", "c": "{0}", "d": "123"}


def test_r67_values_refer_to_each_other_in_any_order() -> None:
    tree = interpolated(
        "metas:\n  workspace: '${{root.metas.name}}/w'\n  name: ${{ this.description }}\n"
        "  description: q\n"
    )
    assert tree.data["metas"] == {"workspace": "q/w", "name": "q", "description": "q"}


def test_references_keep_types_and_reach_into_lists() -> None:
    tree = interpolated(
        "executors: [{name: a, n: 3}]\n"
        "copy: ${{ root.executors[0] }}\nn: ${{root.executors[0].n}}\n"
    )
    assert tree.data["copy"] == {"name": "a", "n": 3}
    assert tree.data["copy"] is not tree.data["executors"][0]
    assert tree.data["n"] == 3


def test_a_reference_sees_replaced_values() -> None:
    assert interpolated("a: ${{ root.b }}\nb: [$A, x$B]\n").data["a"] == [1, "xtext"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: ${{ root.a }}", "variable-cycle"),
        ("a: {b: '${{ root.a }}'}", "variable-cycle"),
        ("a: ${{ root.b }}\nb: ${{ root.c }}\nc: ${{ root.a }}", "variable-cycle"),
        ("a: ${{ root.nope }}", "unset-variable"),
        ("a: ${{ root.b[7] }}\nb: [1]", "unset-variable"),
        ("a: ${{ root.b.c }}\nb: text", "unset-variable"),
        ("a: ${{ root[x] }}", "variable-syntax"),
        ("a: ${{ }}", "variable-syntax"),
        ("a: ${{ 5 }}", "variable-syntax"),
        ("a: '${{ A'", "variable-syntax"),
        ("a: ${}", "variable-syntax"),
        ("a: " + "${U:-" * 40 + "}" * 40, "variable-syntax"),
    ],
)
def test_what_cannot_be_replaced_is_one_problem(text: str, code: str) -> None:
    assert [p.code for p in interpolated(text).problems] == [code]


def test_a_problem_marks_the_variable_itself() -> None:
    (problem,) = interpolated("a: >-\n  first\n  then ${NOPE} and more\n").problems
    assert str(problem) == (
        "f.yml:3:8: error[unset-variable]: the variable NOPE is not set\n"
        "  3 |   then ${NOPE} and more\n"
        "    |        ^^^^^^^\n"
        "help: set it, or give a default: `${NOPE:-default}`"
    )


def test_the_shell_wins_over_dotenv() -> None:
    tree = interpolated("a: $A\nd: $D\n", dotenv={"A": "dotenv", "D": "dotenv"})
    assert tree.data == {"a": 1, "d": "dotenv"}


def test_values_do_not_grow_without_bound() -> None:
    lines = ["a0: " + "x" * 1000]
    lines += [f"a{n}: '" + f"${{{{ root.a{n - 1} }}}}" * 10 + "'" for n in range(1, 9)]
    tree = interpolated("\n".join(lines))
    assert {p.code for p in tree.problems} == {"variable-limit"}


def test_dotenv_lines(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\nA=1\nexport B = two words # comment\nC='quo # ted'\nD=\"x\"\nE=\n"
        "no equals\n1BAD=x\nF=a=b\n"
    )
    assert read_dotenv(file) == {
        "A": "1",
        "B": "two words",
        "C": "quo # ted",
        "D": "x",
        "E": "",
        "F": "a=b",
    }
    assert read_dotenv(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[id, 2]", ["id", 2]),
        ("{a: [1], b: true}", {"a": [1], "b": True}),
        ("[]", []),
        ("[a", "[a"),
        ("[a]]", "[a]]"),
        ("{a: b: c}", "{a: b: c}"),
        ("[$HOME]", ["$HOME"]),
        ("[*a]", "[*a]"),
        ("[!!python/name:os.system x]", "[!!python/name:os.system x]"),
    ],
)
def test_a_whole_variable_may_be_a_list_or_a_map(text: str, value: object) -> None:
    tree = parse(Source("fields: $FIELDS\nquoted: '$FIELDS'\n"))
    interpolate(tree, Variables({"FIELDS": text, "HOME": "/"}))
    assert tree.problems == []
    assert tree.data == {"fields": value, "quoted": text}


def chain(first: str, following: str, count: int = 1000) -> str:
    """A value, and values that each refer to the one before."""
    return f"x0: {first}\n" + "".join(
        f"x{n}: {following.replace('REF', f'${{{{ root.x{n - 1} }}}}')}\n" for n in range(1, count)
    )


@pytest.mark.parametrize(
    "bomb",
    [
        chain("aaaaaaaaaa", f"'{'REF' * 10}'", 12),
        chain("[a,a,a,a,a,a,a,a,a,a]", "\n" + "  - REF\n" * 10, 12),
        chain("{k: a}", "\n" + "".join(f"  k{n}: REF\n" for n in range(10)), 12),
        chain("[a]", "\n  - REF"),
        "x: [" + "$MANY, " * 1000 + "]",
        "a: ${LONG}\n" + "".join(f"b{n}: 'x${{{{ root.a }}}}'\n" for n in range(1000)),
        f"a: ${{LONG}}\nb: '{'${{ root.a }}' * 50_000}'",
        f"a: ${{LONG}}\nb: '{'${LONG}' * 50_000}'\nc: '${{U:-{'${LONG}' * 50_000}}}'",
    ],
    ids=["texts", "lists", "maps", "levels", "typed", "long", "one text", "defaults"],
)
def test_a_bomb_of_variables_is_refused_at_once(bomb: str) -> None:
    started = time.process_time()
    tree = parse(Source(bomb, "f.yml", lines=bomb.splitlines()))
    assert tree.problems == []
    interpolate(tree, Variables({"LONG": "x" * 900_000, "MANY": f"[{'1,' * 900}]"}))
    assert {problem.code for problem in tree.problems} == {"variable-limit"}
    assert time.process_time() - started < 4


def test_references_may_be_chained() -> None:
    """Each is replaced when it is first asked for, in whatever order they stand."""
    data = interpolated(chain("7", "REF")).data
    assert data["x999"] == 7
    lines = chain("7", "REF", 30).splitlines()
    assert interpolated("\n".join(reversed(lines))).data["x29"] == 7
    lines = chain("7", "REF").splitlines()
    codes = {problem.code for problem in interpolated("\n".join(reversed(lines))).problems}
    assert codes == {"variable-limit"}
